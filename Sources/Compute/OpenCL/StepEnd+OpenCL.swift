extension StepEnd {
    /// The launch of a kernel over all parameters: `numbers` and `state` are what its update takes besides.
    func namedLaunch(
        _ kernel: String, _ defines: [(String, Int)], numbers: [(String, KernelArgument)],
        state: [(String, KernelArgument)], _ sizes: BlockSizes
    ) -> NamedLaunch {
        let profile = sizes.profile
        let chunk = sizes[.adamChunk][0]
        let parametersPerGroup = chunk * profile.lanes * profile.vectorWidth
        return NamedLaunch(
            kernel, [("CHUNK", chunk)] + defines,
            [
                ("count", gradients.parameterCount.argument), ("gradients", gradients.values.argument),
                ("tile_gradients", gradients.tiles.argument), ("tile_offset", gradients.tileOffset.argument),
                ("tile_count", gradients.tileCount.argument), ("tiles", batch.tiles.argument),
                ("loss_and_correct", lossAndCorrect.argument), ("rates", schedule.rates.argument),
                ("current", schedule.current.argument),
            ] + numbers + [("parameters", parameters.argument)] + state + [
                ("losses", losses.argument), ("correct", correct.argument), ("cursor", schedule.cursor.argument),
            ],
            tiles: (gradients.parameterCount + parametersPerGroup - 1) / parametersPerGroup, replicas: batch.replicas,
            profile)
    }
}

extension Tunable {
    /// Vectors of parameters that a work-item takes one after the other.
    static let adamChunk = Tunable("adam_chunk", of: [AdamStep.kernel, SgdStep.kernel]) { profile in
        // Tried on GPUs alone, where a chunk is a work-item's share.
        profile.splitsWork ? [[4], [2], [1], [8]] : [[256]]
    }
}
