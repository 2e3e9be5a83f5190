extension SoftmaxCrossEntropy {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        let weighting: [(String, KernelArgument)] =
            weights.map { weights in
                [
                    ("weights", weights.weights.argument), ("stride", weights.stride.argument),
                    ("sample_losses", weights.losses.argument),
                ]
            } ?? []
        return NamedLaunch(
            Self.kernel, [("WEIGHTED", weights == nil ? 0 : 1)],
            [
                ("logits", logits.argument), ("labels", batchLabels.argument), ("current", current.argument),
                ("classes", classes.argument),
            ] + weighting + [
                ("delta", delta.argument), ("transposed", transposedDelta.argument),
                ("loss_and_correct", lossAndCorrect.argument),
            ], tiles: batch.tiles, replicas: batch.replicas, sizes.profile)
    }
}
