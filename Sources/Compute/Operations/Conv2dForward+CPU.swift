extension Conv2dForward {
    package func compute(on backend: CPUBackend) {
        backend.conv2dForward(shape, input: input, weights: weights, bias: bias, output: output)
    }
}

extension CPUBackend {
    func conv2dForward(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, weights: ReplicaTensor, bias: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) {
        let (height, width, kernel, outs) = (shape.height, shape.width, shape.kernel, shape.outChannels)
        let (outHeight, outWidth, padding) = (shape.outHeight, shape.outWidth, shape.padding)
        let x = pointer(input)
        let y = pointer(output)
        // A row of every output plane at a time; columns that have taps in the padding one by one.
        let runs = shape.columnRuns
        parallel(shape.batch.replicas * shape.batch.tiles) { batchTile in
            let replica = batchTile / shape.batch.tiles
            let planes = x + batchTile * shape.inChannels * height * width * tile
            let target = y + batchTile * outs * outHeight * outWidth * tile
            let w = pointer(weights, replica: replica)
            for row in 0..<outHeight {
                let rows = shape.taps(at: row, of: height)
                for (columns, taps) in runs {
                    let products = LaneProducts(
                        planes: shape.inChannels, rows: rows.count, taps: taps.count, outputs: outs,
                        columns: columns.count,
                        x_plane: height * width, x_row: width, x_tap: 1, x_column: 1,
                        w_plane: kernel * kernel * outs, w_row: kernel * outs, w_tap: outs, w_output: 1,
                        y_output: outHeight * outWidth, y_column: 1)
                    // Where a row or column has no tap inside, there is nothing to point at.
                    let hasTaps = !rows.isEmpty && !taps.isEmpty
                    let first =
                        hasTaps
                        ? (row + rows.lowerBound - padding) * width + columns.lowerBound + taps.lowerBound - padding : 0
                    let tap = hasTaps ? rows.lowerBound * kernel + taps.lowerBound : 0
                    loops.products(
                        products, planes + first * tile, w + tap * outs, start: pointer(bias, replica: replica),
                        into: target + (row * outWidth + columns.lowerBound) * tile)
                }
            }
        }
    }
}
