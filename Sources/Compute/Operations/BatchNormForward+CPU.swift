extension BatchNormForward {
    package func compute(on backend: CPUBackend) {
        let (channels, positions, tiles) = (layer.channels, layer.positions, layer.batch.tiles)
        let (input, output) = (backend.pointer(input), backend.pointer(output))
        let size = positions * backend.tile
        backend.parallel(layer.batch.replicas * channels) { index in
            let (replica, channel) = (index / channels, index % channels)
            let planes = (replica * tiles * channels + channel) * size
            let running = backend.pointer(layer.running) + replica * 2 * channels + channel
            var (mean, variance) = (running[0], running[channels])
            if pass == .training {
                (mean, variance) = backend.batchStatistics(
                    layer, replica, input + planes, running: running)
            }
            let inverse = 1 / (variance + BatchNormReluPool.epsilon).squareRoot()
            if pass == .training {
                let saved = backend.pointer(layer.saved) + 2 * index
                saved[0] = mean
                saved[1] = inverse
            }
            for tileIndex in 0..<tiles {
                let first = planes + tileIndex * channels * size
                backend.loops.normalise(
                    input + first, count: positions, mean: mean,
                    scale: backend.pointer(layer.gamma, replica: replica)[channel] * inverse,
                    shift: backend.pointer(layer.beta, replica: replica)[channel], into: output + first)
            }
        }
    }
}

extension CPUBackend {
    /// Mean and variance of a replica's channel over the valid samples of its batch, towards which the running ones, a mean and a
    /// variance `channels` later, are moved. Sums are taken twice, the second time of deviations from the mean, so that
    /// nothing cancels.
    /// - Parameter values: the channel's plane in the first tile.
    fileprivate func batchStatistics(
        _ layer: BatchNorm, _ replica: Int, _ values: UnsafePointer<Float>, running: UnsafeMutablePointer<Float>
    ) -> (mean: Float, variance: Float) {
        let valid = batchUnderWay(layer.current, replica).valid
        let count = Float(valid) * Float(layer.positions)
        func deviations(from pivot: Float) -> (sum: Float, squares: Float) {
            var (sum, squares) = (Lanes.zero, Lanes.zero)
            for tileIndex in 0..<layer.batch.tiles {
                let counted = validLanes(tile: tileIndex, of: valid)
                let own = loops.deviations(
                    values + tileIndex * layer.features * tile, count: layer.positions, from: pivot)
                sum += own.sums.masked(to: counted)
                squares += own.squares.masked(to: counted)
            }
            return (sum.total, squares.total)
        }
        let rough = values[0] + deviations(from: values[0]).sum / count
        let rest = deviations(from: rough)
        let mean = rough + rest.sum / count
        let squares = rest.squares - rest.sum * rest.sum / count
        if count > 0 { running[0] += BatchNormReluPool.momentum * (mean - running[0]) }
        if count > 1 {
            let unbiased = squares / (count - 1)
            running[layer.channels] += BatchNormReluPool.momentum * (unbiased - running[layer.channels])
        }
        return (mean, squares / count)
    }
}
