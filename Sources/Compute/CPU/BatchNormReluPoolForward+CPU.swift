extension CPUBackend {
    /// What wins each pool of a convolution's output, and its place: the largest value where gamma is positive, the
    /// smallest where it is negative, the first where it is 0. The first of equals wins, and the first NaN.
    func maxPool(_ layer: BatchNormReluPool, input: DeviceBuffer<Float>) {
        let shape = layer.shape
        let (tiles, channels, width) = (shape.batch.tiles, shape.channels, shape.width)
        let plane = LanePlane(rows: shape.height, columns: width)
        let (size, pooledSize) = (shape.height * width * tile, shape.pooledHeight * shape.pooledWidth * tile)
        let (y, pooled, winners) = (pointer(input), pointer(layer.pooled), pointer(layer.winners))
        parallel(shape.batch.replicas * tiles * channels) { index in
            let (replica, channel) = (index / (tiles * channels), index % channels)
            let gamma = pointer(layer.gamma, replica: replica)[channel]
            loops.maxPool(
                plane, y + index * size, direction: gamma > 0 ? 1 : gamma < 0 ? -1 : 0,
                into: pooled + index * pooledSize, winners: winners + index * pooledSize)
        }
    }

    /// Joins the statistics of the tiles, saves them for the backward pass and moves the running ones; those of an idle
    /// replica stay.
    func joinStatistics(_ layer: BatchNormReluPool) {
        let (tiles, channels) = (layer.shape.batch.tiles, layer.shape.channels)
        let positions = layer.shape.height * layer.shape.width
        let partials = pointer(layer.partials)
        let saved = pointer(layer.saved)
        let running = pointer(layer.running)
        let momentum = BatchNormReluPool.momentum
        for index in 0..<layer.shape.batch.replicas * channels {
            let (replica, channel) = (index / channels, index % channels)
            let valid = batchUnderWay(layer.current, replica).valid
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
            saved[2 * index] = mean
            saved[2 * index + 1] = 1 / (squares / count + BatchNormReluPool.epsilon).squareRoot()
            guard valid > 0 else { continue }
            let runningMean = running + replica * 2 * channels + channel
            let runningVariance = runningMean + channels
            runningMean.pointee += momentum * (mean - runningMean.pointee)
            runningVariance.pointee += momentum * (squares / (count - 1) - runningVariance.pointee)
        }
    }

    /// ReLU of the normalised pooled into `output`, with the saved or the running statistics.
    func normaliseRelu(_ layer: BatchNormReluPool, _ pass: Pass, output: DeviceBuffer<Float>) {
        let (tiles, channels) = (layer.shape.batch.tiles, layer.shape.channels)
        let positions = layer.shape.pooledHeight * layer.shape.pooledWidth
        let (saved, running) = (pointer(layer.saved), pointer(layer.running))
        let (pooled, target) = (pointer(layer.pooled), pointer(output))
        parallel(layer.shape.batch.replicas * tiles * channels) { index in
            let (replica, channel) = (index / (tiles * channels), index % channels)
            var (mean, inverse) = (
                saved[2 * (replica * channels + channel)], saved[2 * (replica * channels + channel) + 1]
            )
            if pass == .inference {
                let statistics = running + replica * 2 * channels + channel
                mean = statistics[0]
                inverse = 1 / (statistics[channels] + BatchNormReluPool.epsilon).squareRoot()
            }
            let scale = pointer(layer.gamma, replica: replica)[channel] * inverse
            let shift = pointer(layer.beta, replica: replica)[channel] - mean * scale
            loops.normaliseRelu(
                pooled + index * positions * tile, count: positions, scale: scale, shift: shift,
                into: target + index * positions * tile)
        }
    }
}
