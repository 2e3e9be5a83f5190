extension CPUBackend {
    /// Sums over each tile of the pooled gradient, and of it times the normalised input, which is the pool's winner.
    func batchNormReluPoolBackwardSums(_ layer: BatchNormReluPool) throws(ComputeError) {
        try layer.validate("batch norm backward sums", tile: tile)
        let (tiles, channels) = (layer.shape.batch.tiles, layer.shape.channels)
        let positions = layer.shape.pooledHeight * layer.shape.pooledWidth
        let (extremes, gradient) = (lanes(layer.extremes), lanes(layer.pooledGradient))
        let (saved, sums) = (pointer(layer.saved), pointer(layer.sums))
        let valid = Int(pointer(layer.current)[1])
        parallel(layer.shape.batch.replicas * tiles * channels) { index in
            let statistics = saved + 2 * (index / (tiles * channels) * channels + index % channels)
            let counted = validLanes(tile: index / channels % tiles, of: valid)
            var sum = Lanes.zero
            var product = Lanes.zero
            for position in index * positions..<(index + 1) * positions {
                sum += gradient[position]
                product += gradient[position] * ((extremes[position] - statistics[0]) * statistics[1])
            }
            sums[2 * index] = sum.masked(to: counted).total
            sums[2 * index + 1] = product.masked(to: counted).total
        }
    }

    /// Turns a convolution's output into its gradient (from `layer.sums`), 0 where masked; and the gradients of gamma and
    /// beta.
    func batchNormReluPoolBackward(
        _ layer: BatchNormReluPool, convolved: DeviceBuffer<Float>, gradients: StepGradients
    ) throws(ComputeError) {
        try layer.validate("batch norm backward", tile: tile)
        try gradients.validate("batch norm backward", hold: layer.gamma, count: layer.shape.channels)
        try gradients.validate("batch norm backward", hold: layer.beta, count: layer.shape.channels)
        let shape = layer.shape
        let (tiles, channels) = (shape.batch.tiles, shape.channels)
        let valid = Int(pointer(layer.current)[1])
        let count = Float(valid * shape.height * shape.width)
        let planes = lanes(convolved)
        let dp = lanes(layer.pooledGradient)
        let winners = pointer(layer.winners)
        let sums = pointer(layer.sums)
        let saved = pointer(layer.saved)
        parallel(shape.batch.replicas * tiles * channels) { index in
            let (replica, tileIndex, channel) = (index / (tiles * channels), index / channels % tiles, index % channels)
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
            let (mean, inverse) = (statistics[0], statistics[1])
            let factor = pointer(layer.gamma, replica: replica)[channel] * inverse
            let counted = validLanes(tile: tileIndex, of: valid)
            let plane = planes + index * shape.height * shape.width
            for row in 0..<shape.height {
                for column in 0..<shape.width {
                    var passed = Lanes.zero
                    if row / 2 < shape.pooledHeight, column / 2 < shape.pooledWidth {
                        let position = (index * shape.pooledHeight + row / 2) * shape.pooledWidth + column / 2
                        let place = UInt8(2 * (row % 2) + column % 2)
                        let won = UnsafeMutableRawPointer(winners + position * 16)
                            .assumingMemoryBound(to: SIMD16<UInt8>.self).pointee
                        let wide = SIMD16<Int32>(truncatingIfNeeded: won)
                        passed.replace(with: dp[position], where: wide .== Int32(place))
                    }
                    let normalised = (plane[row * shape.width + column] - mean) * inverse
                    let gradient = (passed - sum / count - normalised * (product / count)) * factor
                    plane[row * shape.width + column] = gradient.masked(to: counted)
                }
            }
        }
    }
}
