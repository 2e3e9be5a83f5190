extension CPUBackend {
    public func batchNormReluPoolForward(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try layer.validate("batch norm, ReLU and pool forward", tile: tile, plane: input, pooled: output)
        let (tiles, channels) = (layer.shape.batch.tiles, layer.shape.channels)
        let positions = layer.shape.height * layer.shape.width
        let valid = Int(pointer(layer.current)[1])
        let partials = pointer(layer.partials)
        let saved = pointer(layer.saved)
        let running = pointer(layer.running)
        let momentum = BatchNormReluPool.momentum
        for index in 0..<layer.shape.batch.replicas * channels {
            let (replica, channel) = (index / channels, index % channels)
            var (count, mean, squares) = (Float(0), Float(0), Float(0))
            for tileIndex in 0..<tiles {
                let added = Float(validLanes(tile: tileIndex, of: valid) * positions)
                guard added > 0 else { continue }
                // Chan, Golub & LeVeque 1979, equation 2.1: two groups' sums of squares as one.
                let partial = partials + 2 * ((replica * tiles + tileIndex) * channels + channel)
                let gap = partial[0] - mean
                let total = count + added
                mean += gap * (added / total)
                squares += partial[1] + gap * gap * (count * added / total)
                count = total
            }
            let variance = squares / count
            saved[2 * index] = mean
            saved[2 * index + 1] = 1 / (variance + BatchNormReluPool.epsilon).squareRoot()
            let runningMean = running + replica * 2 * channels + channel
            let runningVariance = runningMean + channels
            runningMean.pointee += momentum * (mean - runningMean.pointee)
            runningVariance.pointee += momentum * (squares / max(count - 1, 1) - runningVariance.pointee)
        }
        reluPool(layer, input: input, output: output, recordWinners: true) { replica, channel in
            let statistics = saved + 2 * (replica * channels + channel)
            return (statistics[0], statistics[1])
        }
    }

    public func batchNormReluPoolInference(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try layer.validate("batch norm, ReLU and pool inference", tile: tile, plane: input, pooled: output)
        let channels = layer.shape.channels
        let running = pointer(layer.running)
        reluPool(layer, input: input, output: output, recordWinners: false) { replica, channel in
            let mean = running + replica * 2 * channels + channel
            return (mean.pointee, 1 / (mean[channels] + BatchNormReluPool.epsilon).squareRoot())
        }
    }

    /// Normalises with `statistics(replica, channel)` (mean, inverse standard deviation), then ReLU and max-pool.
    private func reluPool(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>, recordWinners: Bool,
        statistics: (Int, Int) -> (Float, Float)
    ) {
        let shape = layer.shape
        let (tiles, channels) = (shape.batch.tiles, shape.channels)
        let plane = LanePool(rows: shape.height, columns: shape.width)
        let x = pointer(input)
        let pooled = pointer(output)
        let winners = recordWinners ? pointer(layer.winners) : nil
        let (size, pooledSize) = (shape.height * shape.width * 16, shape.pooledHeight * shape.pooledWidth * 16)
        parallel(shape.batch.replicas * tiles * channels) { index in
            let (replica, channel) = (index / (tiles * channels), index % channels)
            let (mean, inverse) = statistics(replica, channel)
            let scale = pointer(layer.gamma, replica: replica)[channel] * inverse
            let shift = pointer(layer.beta, replica: replica)[channel] - mean * scale
            loops.reluPool(
                plane, x + index * size, scale: scale, shift: shift, into: pooled + index * pooledSize,
                winners: winners.map { $0 + index * pooledSize })
        }
    }
}
