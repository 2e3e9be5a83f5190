extension CPUBackend {
    public func batchNormReluPoolBackwardSums(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try layer.validate("batch norm backward sums", tile: tile, plane: input, pooled: outputGradient)
        let shape = layer.shape
        let (tiles, channels) = (shape.batch.tiles, shape.channels)
        let x = pointer(input)
        let dp = pointer(outputGradient)
        let winners = pointer(layer.winners)
        let partials = pointer(layer.partials)
        let saved = pointer(layer.saved)
        let plane = LanePool(rows: shape.height, columns: shape.width)
        let (size, pooledSize) = (shape.height * shape.width * 16, shape.pooledHeight * shape.pooledWidth * 16)
        parallel(shape.batch.replicas * tiles * channels) { index in
            let statistics = saved + 2 * (index / (tiles * channels) * channels + index % channels)
            let (sum, product) = loops.reluPoolSums(
                plane, x + index * size, dp + index * pooledSize, winners: winners + index * pooledSize,
                mean: statistics[0], inverse: statistics[1])
            partials[2 * index] = sum.total
            partials[2 * index + 1] = product.total
        }
    }

    public func batchNormReluPoolBackward(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        inputGradient: DeviceBuffer<Float>, gradients: GradientSlices
    ) throws(ComputeError) {
        try layer.validate("batch norm backward", tile: tile, plane: input, pooled: outputGradient)
        let shape = layer.shape
        let (tiles, channels) = (shape.batch.tiles, shape.channels)
        let valid = Int(pointer(layer.current)[1])
        let count = Float(valid * shape.height * shape.width)
        let x = pointer(input)
        let dx = pointer(inputGradient)
        let dp = pointer(outputGradient)
        let winners = pointer(layer.winners)
        let partials = pointer(layer.partials)
        let saved = pointer(layer.saved)
        let plane = LanePool(rows: shape.height, columns: shape.width)
        let (size, pooledSize) = (shape.height * shape.width * 16, shape.pooledHeight * shape.pooledWidth * 16)
        parallel(shape.batch.replicas * tiles * channels) { index in
            let (replica, tileIndex, channel) = (index / (tiles * channels), index / channels % tiles, index % channels)
            var (sum, product) = (Float(0), Float(0))
            for other in 0..<tiles {
                let partial = partials + 2 * ((replica * tiles + other) * channels + channel)
                sum += partial[0]
                product += partial[1]
            }
            if tileIndex == 0 {
                let slice = pointer(gradients, replica: replica, slice: 0)
                slice[layer.gamma.offset + channel] = product
                slice[layer.beta.offset + channel] = sum
            }
            let statistics = saved + 2 * (replica * channels + channel)
            loops.reluPoolBackward(
                plane, x + index * size, dp + index * pooledSize, winners: winners + index * pooledSize,
                mean: statistics[0], inverse: statistics[1], shift: sum / count, slope: product / count,
                factor: pointer(layer.gamma, replica: replica)[channel] * statistics[1],
                lanes: validLanes(tile: tileIndex, of: valid), into: dx + index * size)
        }
    }
}
