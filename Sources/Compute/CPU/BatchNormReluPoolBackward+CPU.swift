extension CPUBackend {
    public func batchNormReluPoolBackwardSums(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try layer.validate("batch norm backward sums", tile: tile, plane: input, pooled: outputGradient)
        let shape = layer.shape
        let (tiles, channels) = (shape.batch.tiles, shape.channels)
        let y = lanes(input)
        let dp = lanes(outputGradient)
        let winners = pointer(layer.winners)
        let partials = pointer(layer.partials)
        let saved = pointer(layer.saved)
        parallel(shape.batch.replicas * tiles * channels) { index in
            let statistics = saved + 2 * (index / (tiles * channels) * channels + index % channels)
            let (mean, inverse) = (statistics[0], statistics[1])
            let plane = y + index * shape.height * shape.width
            var sum = Lanes.zero
            var product = Lanes.zero
            for row in 0..<shape.pooledHeight {
                for column in 0..<shape.pooledWidth {
                    let position = (index * shape.pooledHeight + row) * shape.pooledWidth + column
                    let corner = plane + 2 * row * shape.width + 2 * column
                    let won = winners + position * 16
                    var passed = Lanes.zero
                    var winner = Lanes.zero
                    for lane in 0..<16 where won[lane] < 4 {
                        let place = Int(won[lane])
                        passed[lane] = dp[position][lane]
                        winner[lane] = corner[place / 2 * shape.width + place % 2][lane]
                    }
                    sum += passed
                    product += passed * ((winner - mean) * inverse)
                }
            }
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
        let y = lanes(input)
        let dy = lanes(inputGradient)
        let dp = lanes(outputGradient)
        let winners = pointer(layer.winners)
        let partials = pointer(layer.partials)
        let saved = pointer(layer.saved)
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
            let (mean, inverse) = (statistics[0], statistics[1])
            let factor = pointer(layer.gamma, replica: replica)[channel] * inverse
            let counted = validLanes(tile: tileIndex, of: valid)
            let plane = y + index * shape.height * shape.width
            let target = dy + index * shape.height * shape.width
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
                    target[row * shape.width + column] = gradient.masked(to: counted)
                }
            }
        }
    }
}
