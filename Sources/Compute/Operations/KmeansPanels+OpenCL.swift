extension KmeansPanels {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launchItems(
            Self.kernel, ["D": centroids.dimensions, "R": centroids.panelWidth],
            [centroids.values.argument, centroids.panels.argument, centroids.count.argument],
            count: centroids.panelCount * centroids.panelWidth)
    }
}
