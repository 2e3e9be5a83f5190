extension AvgPoolBackward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [],
            [("output_gradient", outputGradient.argument)] + shape.arguments
                + [("input_gradient", inputGradient.argument)],
            teams: shape.batch.tiles, shares: sizes.layerShares(units: shape.channels * shape.bands),
            replicas: shape.batch.replicas, sizes.profile)
    }
}
