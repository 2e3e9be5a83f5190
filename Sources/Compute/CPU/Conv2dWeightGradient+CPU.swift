extension CPUBackend {
    func conv2dWeightGradient(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices
    ) {
        let (channels, height, width) = (shape.inChannels, shape.height, shape.width)
        let (kernel, outs) = (shape.kernel, shape.outChannels)
        let (outHeight, outWidth) = (shape.outHeight, shape.outWidth)
        let x = pointer(input)
        let dy = pointer(outputGradient)
        // Some rows at a time, added up on their own first: they stay in a near cache for all taps, and fewer terms
        // are in a chain of roundings.
        let together = max(1, 64 / outWidth)
        // A task has a row of taps for half of the outputs: enough tasks for an even share of one replica.
        let half = (outs + 1) / 2
        let tasks = channels * kernel * 2
        parallel(shape.batch.replicas * gradients.slices * tasks) { index in
            let (part, task) = (index / tasks, index % tasks)
            let (replica, slice) = (part / gradients.slices, part % gradients.slices)
            let (tapRow, first) = (task / 2, task % 2 * half)
            let (channel, ky) = (tapRow / kernel, tapRow % kernel)
            let count = min(half, outs - first)
            let sums = Scratch(count: kernel * count * tile)
            defer { extendLifetime(sums) }
            for tileIndex in gradients.tiles(of: slice, among: shape.batch.tiles) {
                let batchTile = replica * shape.batch.tiles + tileIndex
                let plane = x + (batchTile * channels + channel) * height * width * tile
                let deltas = dy + (batchTile * outs + first) * outHeight * outWidth * tile
                for row in stride(from: 0, to: outHeight, by: together) {
                    let correlations = LaneCorrelations(
                        rows: min(together, outHeight - row), columns: outWidth, taps: kernel, outputs: count,
                        x_row: width, d_row: outWidth, d_output: outHeight * outWidth, sums_tap: count)
                    loops.correlations(
                        correlations, plane + (row + ky) * width * tile, deltas + row * outWidth * tile,
                        addingTo: sums.floats)
                }
            }
            let target = pointer(gradients, replica: replica, slice: slice) + tapRow * kernel * outs + first
            let lanes = sums.floats.lanes
            for tap in 0..<kernel {
                for out in 0..<count { target[tap * outs + out] = lanes[tap * count + out].total }
            }
        }
    }
}
