extension Conv2dForward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        shape.launch(
            Self.kernel, ("input", input.argument), [("weights", weights), ("bias", bias)],
            ("output", output.argument), channels: shape.outChannels, rows: shape.outHeight, columns: shape.outWidth,
            sizes)
    }
}
