extension ClassifierPredictions {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(fusedLaunch(backend.sizes))
    }

    func fusedLaunch(_ sizes: BlockSizes) -> FusedLaunch {
        classifier.fusedLaunch(
            from: block, .inference,
            [
                ("prediction_stride", predictionStride.argument), ("predictions", predictions.argument),
                ("cursor", schedule.cursor.argument),
            ], sizes)
    }
}
