extension CPUBackend {
    func conv2dForward(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, weights: ReplicaTensor, bias: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) {
        let (height, width, kernel, outs) = (shape.height, shape.width, shape.kernel, shape.outChannels)
        let (outHeight, outWidth) = (shape.outHeight, shape.outWidth)
        let x = pointer(input)
        let y = pointer(output)
        // A row of every output plane at a time.
        let products = LaneProducts(
            planes: shape.inChannels, rows: kernel, taps: kernel, outputs: outs, columns: outWidth,
            x_plane: height * width, x_row: width, x_tap: 1, x_column: 1,
            w_plane: kernel * kernel * outs, w_row: kernel * outs, w_tap: outs, w_output: 1,
            y_output: outHeight * outWidth, y_column: 1)
        parallel(shape.batch.replicas * shape.batch.tiles) { batchTile in
            let replica = batchTile / shape.batch.tiles
            let planes = x + batchTile * shape.inChannels * height * width * tile
            let target = y + batchTile * outs * outHeight * outWidth * tile
            for row in 0..<outHeight {
                loops.products(
                    products, planes + row * width * tile, pointer(weights, replica: replica),
                    start: pointer(bias, replica: replica), into: target + row * outWidth * tile)
            }
        }
    }
}
