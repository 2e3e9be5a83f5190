extension KmeansUpdate {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launchItems(
            Self.kernel, ["D": centroids.dimensions],
            [
                sums.totals.argument, centroids.values.argument, shifts.argument, .float(sums.unit),
                centroids.count.argument,
            ], count: centroids.count)
    }
}
