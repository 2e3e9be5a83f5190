extension CPUBackend {
    func conv2dWeightGradient(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices
    ) throws(ComputeError) {
        try shape.validate(
            "conv2d weight gradient", tile: tile, input: input, output: outputGradient, weights: nil)
        let (height, width, kernel, outs) = (shape.height, shape.width, shape.kernel, shape.outChannels)
        let (outHeight, outWidth) = (shape.outHeight, shape.outWidth)
        let x = lanes(input)
        let dy = lanes(outputGradient)
        let taps = shape.inChannels * kernel * kernel
        parallel(shape.batch.replicas * gradients.slices * taps) { index in
            let (part, tap) = (index / taps, index % taps)
            let (replica, slice) = (part / gradients.slices, part % gradients.slices)
            let (channel, ky, kx) = (tap / (kernel * kernel), tap / kernel % kernel, tap % kernel)
            let target = pointer(gradients, replica: replica, slice: slice) + tap * outs
            for out in 0..<outs {
                var sum = Lanes.zero
                for tileIndex in gradients.tiles(of: slice, among: shape.batch.tiles) {
                    let batchTile = replica * shape.batch.tiles + tileIndex
                    for row in 0..<outHeight {
                        let source = x + ((batchTile * shape.inChannels + channel) * height + row + ky) * width + kx
                        let delta = dy + ((batchTile * outs + out) * outHeight + row) * outWidth
                        // A row's sum on its own first: fewer terms in a chain of roundings.
                        var rowSum = Lanes.zero
                        var column = 0
                        while column < outWidth {
                            rowSum += source[column] * delta[column]
                            column += 1
                        }
                        sum += rowSum
                    }
                }
                target[out] = sum.total
            }
        }
    }
}
