extension OpenCLBackend {
    package func updateCentroids(_ centroids: Centroids, from sums: ClusterSums, shifts: DeviceBuffer<Float>)
        throws(ComputeError)
    {
        try check(centroids, from: sums, shifts: shifts)
        try launchItems(
            "kmeans_update", ["D": centroids.dimensions],
            [
                sums.totals.argument, sums.counts.argument, centroids.values.argument, shifts.argument,
                centroids.count.argument,
            ], count: centroids.count)
    }
}
