extension TanhBackward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [("TRANSPOSED", transposedGradient == nil ? 0 : 1)],
            [
                ("output", output.argument), ("features", features.argument), ("gradient", gradient.argument),
                // Where there is none, nothing is written to it.
                ("transposed", (transposedGradient ?? gradient).argument),
            ], teams: batch.tiles, shares: sizes.featureShares(units: paddedColumns(features)),
            replicas: batch.replicas,
            sizes.profile)
    }
}
