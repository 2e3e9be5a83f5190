extension ReluBackward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(fusedLaunch(backend.sizes))
    }

    func fusedLaunch(_ sizes: BlockSizes) -> FusedLaunch {
        FusedLaunch(
            Self.kernel, [],
            [
                ("output", output.argument), ("features", features.argument), ("gradient", gradient.argument),
                ("transposed", transposedGradient.argument),
            ], teams: batch.tiles, shares: sizes.featureShares(paddedColumns(features)), replicas: batch.replicas,
            sizes.profile)
    }
}
