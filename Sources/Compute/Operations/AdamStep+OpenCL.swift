extension AdamStep {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        let profile = sizes.profile
        let chunk = sizes[.adamChunk][0]
        let parametersPerGroup = chunk * profile.lanes * profile.vectorWidth
        return NamedLaunch(
            Self.kernel, [("CHUNK", chunk)],
            [
                ("count", gradients.parameterCount.argument), ("gradients", gradients.values.argument),
                ("tile_gradients", gradients.tiles.argument), ("tile_offset", gradients.tileOffset.argument),
                ("tile_count", gradients.tileCount.argument), ("tiles", batch.tiles.argument),
                ("loss_and_correct", lossAndCorrect.argument), ("rates", schedule.rates.argument),
                ("current", schedule.current.argument), ("one_minus_beta1", .float(Float(1 - Self.beta1))),
                ("beta2", .float(Float(Self.beta2))), ("one_minus_beta2", .float(Float(1 - Self.beta2))),
                ("epsilon", .float(Float(Self.epsilon))), ("parameters", parameters.argument),
                ("first_moments", firstMoments.argument), ("second_moments", secondMoments.argument),
                ("losses", losses.argument), ("correct", correct.argument), ("cursor", schedule.cursor.argument),
            ],
            tiles: (gradients.parameterCount + parametersPerGroup - 1) / parametersPerGroup, replicas: batch.replicas,
            profile)
    }
}

extension Tunable {
    /// Vectors of parameters that a work-item takes one after the other.
    static let adamChunk = Tunable("adam_chunk", of: [AdamStep.kernel]) { profile in
        // Tried on GPUs alone, where a chunk is a work-item's share.
        profile.splitsWork ? [[4], [2], [1], [8]] : [[256]]
    }
}
