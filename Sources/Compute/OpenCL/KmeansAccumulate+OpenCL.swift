extension OpenCLBackend {
    package func accumulate(_ points: Points, labels: DeviceBuffer<Int32>, into sums: ClusterSums, adding: Bool)
        throws(ComputeError)
    {
        try check(points, labels: labels, sums, "kmeans_accumulate")
        let size = sums.count * sums.dimensions
        let compensated = sums.isCompensated ? 1 : 0
        for first in sums.rounds(of: points.count) {
            let blocks = sums.blocks(from: first, of: points.count)
            try launch(
                "kmeans_accumulate",
                ["D": points.dimensions, "P": points.lanes, "GROUP": profile.group, "COMPENSATED": compensated],
                [
                    points.buffer.argument, labels.argument, sums.partials.argument, sums.partialCounts.argument,
                    first.argument, sums.blockPoints.argument, points.count.argument, sums.count.argument,
                ], global: [blocks * profile.group], local: [profile.group])
            try launchItems(
                "kmeans_reduce", ["COMPENSATED": compensated],
                [
                    sums.partials.argument, sums.partialCounts.argument, sums.totals.argument, sums.counts.argument,
                    blocks.argument, size.argument, sums.count.argument, (first == 0 && !adding ? 1 : 0).argument,
                ], count: size + sums.count)
        }
    }
}
