extension BatchNormForward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [("TRAINING", pass == .training ? 1 : 0)],
            [("input", input.argument)] + layer.arguments + [
                ("running", layer.running.argument), ("current", layer.current.argument),
                ("saved", layer.saved.argument), ("output", output.argument),
            ], teams: layer.channels, replicas: layer.batch.replicas, sizes.profile)
    }
}
