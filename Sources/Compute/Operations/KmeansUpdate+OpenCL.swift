extension KmeansUpdate {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launchItems(
            Self.kernel, ["D": centroids.dimensions],
            [
                sums.totals.argument, sums.counts.argument, centroids.values.argument, shifts.argument,
                centroids.count.argument,
            ], count: centroids.count)
    }
}
