extension SampleStatistics {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [("ALL", hidden == nil ? 0 : 1)],
            [
                ("logits", logits.argument), ("labels", batchLabels.argument), ("current", current.argument),
                // Where there is no input, nothing is read from it.
                ("classes", classes.argument), ("hidden", (hidden?.values ?? logits).argument),
                ("width", (hidden?.width ?? 0).argument), ("stride", stride.argument),
                ("statistics", statistics.argument),
            ], tiles: batch.tiles, replicas: batch.replicas, sizes.profile)
    }
}
