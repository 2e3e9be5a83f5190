extension OpenCLBackend {
    package func packCentroids(_ centroids: Centroids) throws(ComputeError) {
        try require(
            centroids.count > 0 && centroids.panelWidth == panelWidth, "kmeans_panels",
            "the centroids are laid out for another device")
        try launchItems(
            "kmeans_panels", ["D": centroids.dimensions, "R": centroids.panelWidth],
            [centroids.values.argument, centroids.panels.argument, centroids.count.argument],
            count: centroids.panelCount * centroids.panelWidth)
    }
}
