extension MeanSquaredError {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        NamedLaunch(
            Self.kernel, [],
            [
                ("output", output.argument), ("target", target.argument), ("current", current.argument),
                ("values", values.argument), ("delta", delta.argument), ("transposed", transposedDelta.argument),
                ("loss_and_correct", lossAndCorrect.argument),
            ], teams: batch.tiles, replicas: batch.replicas, sizes.profile)
    }
}
