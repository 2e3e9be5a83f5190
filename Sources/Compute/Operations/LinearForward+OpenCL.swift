extension LinearForward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        shape.launch(
            Self.kernel, [("input", input.argument)], weights, [("output", output.argument)], values: shape.outputs,
            sizes)
    }
}
