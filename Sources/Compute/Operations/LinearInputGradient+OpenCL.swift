extension LinearInputGradient {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        shape.launch(
            Self.kernel, [("output_gradient", outputGradient.argument)], weights,
            [
                ("input_gradient", inputGradient.argument),
                // Where there is none, nothing is written to it.
                ("transposed", (transposedGradient ?? inputGradient).argument),
            ], values: shape.inputs, sizes, defines: [("TRANSPOSED", transposedGradient == nil ? 0 : 1)])
    }
}
