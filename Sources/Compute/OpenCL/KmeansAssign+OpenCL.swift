extension OpenCLBackend {
    package func assign(
        _ points: Points, to centroids: Centroids, direct: Bool, labels: DeviceBuffer<Int32>,
        distances: DeviceBuffer<Float>?
    ) throws(ComputeError) {
        try check(points, centroids, labels: labels, distances: distances?.count ?? points.count)
        // Without distances the argument is not used: any buffer will do.
        try assign(
            points, centroids, labels, distances ?? points.buffer, distances: distances != nil, direct: direct,
            gathering: [])
    }

    package func gatherAndAssign(
        _ indices: DeviceBuffer<Int32>, at first: Int, of rows: DeviceBuffer<Float>, into batch: Points,
        to centroids: Centroids, direct: Bool, labels: DeviceBuffer<Int32>, distances: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(batch, centroids, labels: labels, distances: distances.count - first)
        try check(indices, at: first, count: batch.count, of: rows, dimensions: batch.dimensions)
        try assign(
            batch, centroids, labels, distances, distances: true, direct: direct,
            gathering: [rows.argument, indices.argument, first.argument])
    }

    private func assign(
        _ points: Points, _ centroids: Centroids, _ labels: DeviceBuffer<Int32>, _ squares: DeviceBuffer<Float>,
        distances: Bool, direct: Bool, gathering: [KernelArgument]
    ) throws(ComputeError) {
        try launchTiles(
            "kmeans_assign",
            [
                "D": points.dimensions, "P": points.lanes, "U": pointVectors, "R": centroids.panelWidth,
                "DISTANCES": distances ? 1 : 0, "GATHER": gathering.isEmpty ? 0 : 1,
                "DIRECT": direct ? 1 : 0,
            ],
            [
                points.buffer.argument, centroids.panels.argument, centroids.values.argument, labels.argument,
                squares.argument, points.count.argument, centroids.panelCount.argument,
            ] + gathering, groups: (points.tiles, 1, 1))
    }
}
