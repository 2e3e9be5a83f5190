extension AdamStep {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(fusedLaunch(backend.sizes))
    }

    func fusedLaunch(_ sizes: BlockSizes) -> FusedLaunch {
        let profile = sizes.profile
        let chunk = profile.splitsWork ? 4 : 256
        let parametersPerGroup = chunk * profile.lanes * profile.vectorWidth
        return FusedLaunch(
            Self.kernel,
            [("COUNT", gradients.parameterCount), ("SLICED", gradients.tileCount), ("CHUNK", chunk)],
            [
                ("gradients", gradients.values.argument), ("tile_gradients", gradients.tiles.argument),
                ("sliced", gradients.tileOffset.argument), ("tiles", batch.tiles.argument),
                ("results", lossAndCorrect.argument), ("rates", schedule.rates.argument),
                ("current", schedule.current.argument), ("towards", .float(Float(1 - Self.beta1))),
                ("decay", .float(Float(Self.beta2))), ("fresh", .float(Float(1 - Self.beta2))),
                ("epsilon", .float(Float(Self.epsilon))), ("parameters", parameters.argument),
                ("first_moments", firstMoments.argument), ("second_moments", secondMoments.argument),
                ("losses", losses.argument), ("correct", correct.argument), ("cursor", schedule.cursor.argument),
            ],
            tiles: (gradients.parameterCount + parametersPerGroup - 1) / parametersPerGroup, replicas: batch.replicas,
            profile)
    }
}
