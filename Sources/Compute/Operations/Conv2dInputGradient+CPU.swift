extension Conv2dInputGradient {
    package func compute(on backend: CPUBackend) {
        backend.conv2dInputGradient(
            shape, outputGradient: outputGradient, weights: weights, inputGradient: inputGradient)
    }
}

extension CPUBackend {
    func conv2dInputGradient(
        _ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        inputGradient: DeviceBuffer<Float>
    ) {
        let (tiles, height, width) = (shape.batch.tiles, shape.height, shape.width)
        let (kernel, channels, outs) = (shape.kernel, shape.inChannels, shape.outChannels)
        let (outHeight, outWidth, padding) = (shape.outHeight, shape.outWidth, shape.padding)
        let dy = pointer(outputGradient)
        let dx = pointer(inputGradient)
        parallel(shape.batch.replicas * height) { index in
            let (replica, row) = (index / height, index % height)
            let w = pointer(weights, replica: replica)
            let deltas = dy + replica * tiles * outs * outHeight * outWidth * tile
            let target = dx + replica * tiles * channels * height * width * tile
            // Taps that reach into the output, for this row and below for each column. One position of all tiles at a
            // time: they share its taps, where neighbouring columns would not.
            let rows = max(0, row + padding - outHeight + 1)...min(kernel - 1, row + padding)
            for column in 0..<width {
                let taps = max(0, column + padding - outWidth + 1)...min(kernel - 1, column + padding)
                let products = LaneProducts(
                    planes: outs, rows: rows.count, taps: taps.count, outputs: channels, columns: tiles,
                    x_plane: outHeight * outWidth, x_row: -outWidth, x_tap: -1, x_column: outs * outHeight * outWidth,
                    w_plane: 1, w_row: kernel * outs, w_tap: outs, w_output: kernel * kernel * outs,
                    y_output: height * width, y_column: channels * height * width)
                loops.products(
                    products,
                    deltas + ((row + padding - rows.lowerBound) * outWidth + column + padding - taps.lowerBound) * tile,
                    w + (rows.lowerBound * kernel + taps.lowerBound) * outs,
                    into: target + (row * width + column) * tile)
            }
        }
    }
}
