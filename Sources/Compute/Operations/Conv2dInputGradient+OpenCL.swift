extension Conv2dInputGradient {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        shape.launch(
            Self.kernel, ("output_gradient", outputGradient.argument), [("weights", weights)],
            ("input_gradient", inputGradient.argument), channels: shape.inChannels, rows: shape.height,
            columns: shape.width, sizes)
    }
}
