extension CPUBackend {
    func conv2dWeightGradient(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices
    ) {
        let (channels, height, width) = (shape.inChannels, shape.height, shape.width)
        let (kernel, outs) = (shape.kernel, shape.outChannels)
        let (outHeight, outWidth, padding) = (shape.outHeight, shape.outWidth, shape.padding)
        let runs = shape.columnRuns
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
                // The rows that this row of taps finds inside the input.
                let (above, end) = (max(0, padding - ky), min(outHeight, height + padding - ky))
                for row in stride(from: above, to: end, by: together) {
                    for (columns, taps) in runs where !taps.isEmpty {
                        let correlations = LaneCorrelations(
                            rows: min(together, end - row), columns: columns.count, taps: taps.count, outputs: count,
                            x_row: width, d_row: outWidth, d_output: outHeight * outWidth, sums_tap: count)
                        let first = (row + ky - padding) * width + columns.lowerBound + taps.lowerBound - padding
                        loops.correlations(
                            correlations, plane + first * tile, deltas + (row * outWidth + columns.lowerBound) * tile,
                            addingTo: sums.floats + taps.lowerBound * count * tile)
                    }
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
