extension OpenCLBackend {
    public func updateCentroids(
        _ centroids: Centroids, from sums: ClusterSums, weights: DeviceBuffer<Float>?, shifts: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try require(
            sums.count == centroids.count && sums.dimensions == centroids.dimensions
                && shifts.count >= centroids.count && (weights?.count ?? centroids.count) >= centroids.count,
            "kmeans_update", "sums of \(sums.count) clusters for \(centroids.count) centroids")
        try launchItems(
            "kmeans_update", ["D": centroids.dimensions, "WEIGHTED": weights == nil ? 0 : 1],
            [
                sums.totals.argument, sums.counts.argument, centroids.values.argument,
                // Without weights the argument is not used: any buffer will do.
                (weights ?? shifts).argument, shifts.argument, centroids.count.argument,
            ], count: centroids.count)
    }
}
