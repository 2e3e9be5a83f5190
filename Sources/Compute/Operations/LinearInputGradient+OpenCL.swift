extension LinearInputGradient {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(fusedLaunch(backend.sizes))
    }

    func fusedLaunch(_ sizes: BlockSizes) -> FusedLaunch {
        shape.launch(
            Self.kernel, [("output_gradient", outputGradient.argument)], weights,
            [("input_gradient", inputGradient.argument)], values: shape.inputs, sizes)
    }
}
