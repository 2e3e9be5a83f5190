extension PredictClasses {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(fusedLaunch(backend.sizes))
    }

    func fusedLaunch(_ sizes: BlockSizes) -> FusedLaunch {
        FusedLaunch(
            Self.kernel, [],
            [
                ("logits", logits.argument), ("current", schedule.current.argument), ("classes", classes.argument),
                ("stride", predictionStride.argument), ("predictions", predictions.argument),
                ("cursor", schedule.cursor.argument),
            ], tiles: batch.tiles, replicas: batch.replicas, sizes.profile)
    }
}
