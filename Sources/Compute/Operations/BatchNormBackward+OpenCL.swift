extension BatchNormBackward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [("TRANSPOSED", transposedGradient == nil ? 0 : 1)],
            [("input", input.argument)] + layer.arguments + [
                ("saved", layer.saved.argument), ("current", layer.current.argument),
                ("gradient", gradient.argument), ("gradients", gradients.values.argument),
                // Where there is none, nothing is written to it.
                ("transposed", (transposedGradient ?? gradient).argument),
            ], teams: layer.channels, replicas: layer.batch.replicas, sizes.profile)
    }
}
