extension OpenCLBackend {
    package func gatherCentroids(
        _ indices: DeviceBuffer<Int32>, of points: Points, into centroids: Centroids, slots: DeviceBuffer<Int32>
    ) throws(ComputeError) {
        try check(points, centroids, "centroids_gather")
        try require(
            slots.count <= indices.count, "centroids_gather", "\(indices.count) points for \(slots.count) centroids")
        guard slots.count > 0 else { return }
        try launchItems(
            "centroids_gather", ["D": points.dimensions, "P": points.lanes],
            [
                points.buffer.argument, indices.argument, slots.argument, centroids.values.argument,
                slots.count.argument,
            ], count: slots.count)
    }
}
