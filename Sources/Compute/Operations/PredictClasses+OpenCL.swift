extension PredictClasses {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [],
            [
                ("logits", logits.argument), ("current", schedule.current.argument), ("classes", classes.argument),
                ("stride", predictionStride.argument), ("predictions", predictions.argument),
                ("cursor", schedule.cursor.argument),
            ], tiles: batch.tiles, replicas: batch.replicas, sizes.profile)
    }
}
