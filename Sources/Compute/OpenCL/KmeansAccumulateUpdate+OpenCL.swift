extension OpenCLBackend {
    package func accumulateAndUpdate(
        _ centroids: Centroids, from indices: DeviceBuffer<Int32>, at first: Int, of rows: DeviceBuffer<Float>,
        labels: DeviceBuffer<Int32>, count: Int, sums: ClusterSums, weights: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(centroids, labels: labels, count: count, sums, weights: weights)
        try check(indices, at: first, count: count, of: rows, dimensions: centroids.dimensions)
        // Every work-group reads all labels: on a processor a few share the panels, on a GPU each has one cluster.
        let groupPanels = max(1, (centroids.panelCount + 7) / 8)
        let groupClusters = profile.splitsWork ? 1 : groupPanels * centroids.panelWidth
        let groups = (centroids.count + groupClusters - 1) / groupClusters
        try launch(
            "kmeans_accumulate_update",
            ["D": centroids.dimensions, "R": centroids.panelWidth, "GROUP": profile.group],
            [
                rows.argument, indices.argument, labels.argument, sums.totals.argument, sums.counts.argument,
                centroids.values.argument, weights.argument, centroids.panels.argument, first.argument, count.argument,
                centroids.count.argument, groupClusters.argument,
            ], global: [groups * profile.group], local: [profile.group])
    }
}
