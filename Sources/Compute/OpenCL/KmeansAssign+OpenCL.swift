extension OpenCLBackend {
    public func assign(
        _ points: Points, to centroids: Centroids, labels: DeviceBuffer<Int32>, distances: DeviceBuffer<Float>?
    ) throws(ComputeError) {
        try check(points, centroids, "kmeans_assign")
        try require(
            labels.count >= points.count && (distances?.count ?? points.count) >= points.count, "kmeans_assign",
            "\(labels.count) labels for \(points.count) points")
        try launchTiles(
            "kmeans_assign",
            [
                "D": points.dimensions, "P": points.lanes, "U": pointVectors, "R": centroids.panelWidth,
                "DISTANCES": distances == nil ? 0 : 1,
            ],
            [
                points.buffer.argument, centroids.panels.argument, centroids.values.argument, labels.argument,
                // Without distances the argument is not used: any buffer will do.
                distances?.argument ?? points.buffer.argument, points.count.argument, centroids.panelCount.argument,
            ], groups: (points.tiles, 1, 1))
    }
}
