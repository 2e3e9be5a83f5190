extension SoftmaxCrossEntropy {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(fusedLaunch(backend.sizes))
    }

    func fusedLaunch(_ sizes: BlockSizes) -> FusedLaunch {
        FusedLaunch(
            Self.kernel, [],
            [
                ("logits", logits.argument), ("labels", batchLabels.argument), ("current", current.argument),
                ("classes", classes.argument), ("delta", delta.argument), ("transposed", transposedDelta.argument),
                ("loss_and_correct", lossAndCorrect.argument),
            ], tiles: batch.tiles, replicas: batch.replicas, sizes.profile)
    }
}
