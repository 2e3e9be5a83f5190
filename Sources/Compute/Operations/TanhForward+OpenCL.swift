extension TanhForward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        let count = batch.replicas * batch.tiles * backend.profile.lanes * features
        try backend.launchItems(
            Self.kernel, [:], [input.argument, count.argument, output.argument], count: count)
    }
}
