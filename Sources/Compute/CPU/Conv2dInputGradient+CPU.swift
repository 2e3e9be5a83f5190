extension CPUBackend {
    func conv2dInputGradient(
        _ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        inputGradient: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try shape.validate(
            "conv2d input gradient", tile: tile, input: inputGradient, output: outputGradient, weights: weights)
        let (height, width, kernel, outs) = (shape.height, shape.width, shape.kernel, shape.outChannels)
        let (outHeight, outWidth) = (shape.outHeight, shape.outWidth)
        let dy = lanes(outputGradient)
        let dx = lanes(inputGradient)
        parallel(shape.batch.replicas * shape.batch.tiles * shape.inChannels) { index in
            let (batchTile, channel) = (index / shape.inChannels, index % shape.inChannels)
            let w = pointer(weights, replica: batchTile / shape.batch.tiles) + channel * kernel * kernel * outs
            let planes = dy + batchTile * outs * outHeight * outWidth
            for row in 0..<height {
                let target = dx + (index * height + row) * width
                target.initialize(repeating: .zero, count: width)
                for out in 0..<outs {
                    for ky in max(0, row - outHeight + 1)...min(kernel - 1, row) {
                        let source = planes + (out * outHeight + row - ky) * outWidth
                        for kx in 0..<kernel {
                            let weight = w[(ky * kernel + kx) * outs + out]
                            var column = 0
                            while column < outWidth {
                                target[column + kx] += source[column] * weight
                                column += 1
                            }
                        }
                    }
                }
            }
        }
    }
}
