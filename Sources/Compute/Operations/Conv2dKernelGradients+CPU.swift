extension Conv2dKernelGradients {
    package func compute(on backend: CPUBackend) {
        backend.conv2dWeightGradient(
            shape, input: input, outputGradient: outputGradient, gradients: gradients.whole(weights))
        guard let bias else { return }
        backend.conv2dBiasGradient(shape, outputGradient: outputGradient, gradients: gradients.whole(bias))
    }
}

extension CPUBackend {
    /// The sum of each output plane's gradient over a batch, a tile after another.
    func conv2dBiasGradient(_ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, gradients: GradientSlices) {
        let (tiles, outs) = (shape.batch.tiles, shape.outChannels)
        let (rows, width) = (shape.outHeight, shape.outWidth)
        let dy = lanes(outputGradient)
        parallel(shape.batch.replicas * outs) { index in
            let (replica, out) = (index / outs, index % outs)
            var total = Lanes.zero
            for tileIndex in 0..<tiles {
                let plane = dy + ((replica * tiles + tileIndex) * outs + out) * rows * width
                for row in 0..<rows {
                    var sum = Lanes.zero
                    for column in 0..<width { sum += plane[row * width + column] }
                    total += sum
                }
            }
            pointer(gradients, replica: replica, slice: 0)[out] = total.total
        }
    }
}
