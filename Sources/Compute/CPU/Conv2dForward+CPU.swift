extension CPUBackend {
    func conv2dForward(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, weights: ReplicaTensor, bias: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try shape.validate("conv2d forward", tile: tile, input: input, output: output, weights: weights)
        let (height, width, kernel, outs) = (shape.height, shape.width, shape.kernel, shape.outChannels)
        let (outHeight, outWidth) = (shape.outHeight, shape.outWidth)
        let x = lanes(input)
        let y = lanes(output)
        parallel(shape.batch.replicas * shape.batch.tiles * outs) { index in
            let (batchTile, out) = (index / outs, index % outs)
            let replica = batchTile / shape.batch.tiles
            let w = pointer(weights, replica: replica) + out
            let start = Lanes(repeating: pointer(bias, replica: replica)[out])
            let planes = x + batchTile * shape.inChannels * height * width
            let target = y + index * outHeight * outWidth
            for row in 0..<outHeight {
                var column = 0
                // Two neighbouring outputs share each loaded input and weight.
                while column < outWidth {
                    let paired = column + 1 < outWidth
                    var first = start
                    var second = start
                    for channel in 0..<shape.inChannels {
                        for ky in 0..<kernel {
                            let source = planes + (channel * height + row + ky) * width + column
                            let taps = w + (channel * kernel + ky) * kernel * outs
                            var kx = 0
                            while kx < kernel {
                                let weight = taps[kx * outs]
                                first += source[kx] * weight
                                if paired { second += source[kx + 1] * weight }
                                kx += 1
                            }
                        }
                    }
                    target[row * outWidth + column] = first
                    if paired { target[row * outWidth + column + 1] = second }
                    column += 2
                }
            }
        }
    }
}
