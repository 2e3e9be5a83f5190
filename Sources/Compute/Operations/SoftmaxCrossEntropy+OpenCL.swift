extension SoftmaxCrossEntropy {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [],
            [
                ("logits", logits.argument), ("labels", batchLabels.argument), ("current", current.argument),
                ("classes", classes.argument), ("delta", delta.argument), ("transposed", transposedDelta.argument),
                ("loss_and_correct", lossAndCorrect.argument),
            ], tiles: batch.tiles, replicas: batch.replicas, sizes.profile)
    }
}
