extension FmaPeak {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(
            Self.kernel, ["STEPS": steps], [values.argument],
            global: [count / (Self.chains * backend.profile.vectorWidth)])
    }
}
