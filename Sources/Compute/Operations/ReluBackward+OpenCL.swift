extension ReluBackward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [],
            [
                ("output", output.argument), ("features", features.argument), ("gradient", gradient.argument),
                ("transposed", transposedGradient.argument),
            ], teams: batch.tiles, shares: sizes.featureShares(paddedColumns(features)), replicas: batch.replicas,
            sizes.profile)
    }
}
