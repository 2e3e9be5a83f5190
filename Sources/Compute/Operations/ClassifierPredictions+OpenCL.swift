extension ClassifierPredictions {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        classifier.namedLaunch(
            from: block, .inference,
            [
                ("prediction_stride", predictionStride.argument), ("predictions", predictions.argument),
                ("cursor", schedule.cursor.argument),
            ], sizes)
    }
}
