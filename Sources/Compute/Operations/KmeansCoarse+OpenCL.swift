extension KmeansCoarse {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launchItems(
            Self.kernel, ["D": centroids.dimensions, "R": centroids.panelWidth],
            [
                centroids.values.argument, centroids.panels.argument, coarse.numbers.argument,
                coarse.bounds.argument, centroids.count.argument,
            ], count: centroids.panelCount)
    }
}
