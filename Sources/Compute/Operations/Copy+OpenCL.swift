extension Copy {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        let width = backend.profile.vectorWidth == 1 ? 4 : backend.profile.vectorWidth
        try backend.launch(Self.kernel, [:], [source.argument, target.argument], global: [count / width])
    }
}
