extension AvgPoolForward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [],
            [("input", input.argument)] + shape.arguments + [("output", output.argument)],
            teams: shape.batch.tiles, shares: sizes.layerShares(units: shape.channels * shape.pooledHeight),
            replicas: shape.batch.replicas, sizes.profile)
    }
}
