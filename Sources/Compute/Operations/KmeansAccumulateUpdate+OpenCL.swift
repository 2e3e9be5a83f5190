extension KmeansAccumulateUpdate {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        // Every work-group reads all labels: on a processor a few share the panels, on a GPU each has one cluster.
        let profile = backend.profile
        let groupPanels = max(1, (centroids.panelCount + 7) / 8)
        let groupClusters = profile.splitsWork ? 1 : groupPanels * centroids.panelWidth
        let groups = (centroids.count + groupClusters - 1) / groupClusters
        try backend.launch(
            Self.kernel, ["D": centroids.dimensions, "R": centroids.panelWidth, "GROUP": profile.group],
            [
                batch.rows.argument, batch.indices.argument, labels.argument, sums.totals.argument,
                sums.counts.argument, centroids.values.argument, weights.argument, centroids.panels.argument,
                batch.first.argument, count.argument, centroids.count.argument, groupClusters.argument,
            ], global: [groups * profile.group], local: [profile.group])
    }
}
