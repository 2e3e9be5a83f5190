extension CPUBackend {
    /// Sums over each tile of the pooled gradient, and of it times the normalised input, which is the pool's winner.
    func batchNormReluPoolBackwardSums(_ layer: BatchNormReluPool) {
        let (tiles, channels) = (layer.shape.batch.tiles, layer.shape.channels)
        let positions = layer.shape.pooledHeight * layer.shape.pooledWidth
        let (pooled, gradient) = (pointer(layer.pooled), pointer(layer.pooledGradient))
        let (saved, sums) = (pointer(layer.saved), pointer(layer.sums))
        parallel(layer.shape.batch.replicas * tiles * channels) { index in
            let replica = index / (tiles * channels)
            let valid = batchUnderWay(layer.current, replica).valid
            let statistics = saved + 2 * (replica * channels + index % channels)
            let counted = validLanes(tile: index / channels % tiles, of: valid)
            let (sum, product) = loops.poolSums(
                pooled: pooled + index * positions * tile, gradient: gradient + index * positions * tile,
                count: positions, mean: statistics[0], inverse: statistics[1])
            sums[2 * index] = sum.masked(to: counted).total
            sums[2 * index + 1] = product.masked(to: counted).total
        }
    }

    /// Turns a convolution's output into its gradient (from `layer.sums`), 0 where masked; and the gradients of gamma and
    /// beta.
    func batchNormReluPoolBackward(
        _ layer: BatchNormReluPool, convolved: DeviceBuffer<Float>, gradients: StepGradients
    ) {
        let shape = layer.shape
        let (tiles, channels) = (shape.batch.tiles, shape.channels)
        let plane = LanePlane(rows: shape.height, columns: shape.width)
        let (size, pooledSize) = (shape.height * shape.width * tile, shape.pooledHeight * shape.pooledWidth * tile)
        let planes = pointer(convolved)
        let dp = pointer(layer.pooledGradient)
        let winners = pointer(layer.winners)
        let sums = pointer(layer.sums)
        let saved = pointer(layer.saved)
        parallel(shape.batch.replicas * tiles * channels) { index in
            let (replica, tileIndex, channel) = (index / (tiles * channels), index / channels % tiles, index % channels)
            let valid = batchUnderWay(layer.current, replica).valid
            let count = Float(valid * shape.height * shape.width)
            var (sum, product) = (Float(0), Float(0))
            for other in 0..<tiles {
                let partial = sums + 2 * ((replica * tiles + other) * channels + channel)
                sum += partial[0]
                product += partial[1]
            }
            if tileIndex == 0 {
                let slice = pointer(gradients.values) + replica * gradients.parameterCount
                slice[layer.gamma.offset + channel] = product
                slice[layer.beta.offset + channel] = sum
            }
            let statistics = saved + 2 * (replica * channels + channel)
            loops.poolBackward(
                plane,
                LaneBatchNormSlope(
                    mean: statistics[0], inverse: statistics[1], shift: sum / count, slope: product / count,
                    factor: pointer(layer.gamma, replica: replica)[channel] * statistics[1],
                    lanes: validLanes(tile: tileIndex, of: valid)),
                gradient: dp + index * pooledSize, winners: winners + index * pooledSize, into: planes + index * size)
        }
    }
}
