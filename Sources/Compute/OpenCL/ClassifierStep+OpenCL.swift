extension OpenCLBackend {
    package func classifierStep(_ classifier: Classifier, from block: ConvolutionBlock) throws(ComputeError) {
        try classifier.validate("classifier step", tile: tile, follows: block)
        let (first, second, third) = (classifier.first, classifier.second, classifier.third)
        let norm = block.norm
        try launchClassifier(
            classifier, from: block, .training,
            [
                norm.partials.argument, (norm.shape.height * norm.shape.width).argument,
                classifier.batchLabels.argument, norm.saved.argument, first.delta.argument, second.delta.argument,
                third.delta.argument, first.transposedDelta.argument, second.transposedDelta.argument,
                third.transposedDelta.argument, norm.pooledGradient.argument, norm.sums.argument,
                classifier.results.argument,
            ])
    }

    package func classifierPredictions(
        _ classifier: Classifier, from block: ConvolutionBlock, schedule: StepSchedule,
        predictions: DeviceBuffer<Int32>, predictionStride: Int
    ) throws(ComputeError) {
        try classifier.validate("classifier predictions", tile: tile, follows: block)
        try launchClassifier(
            classifier, from: block, .inference,
            [predictionStride.argument, predictions.argument, schedule.cursor.argument])
    }

    private func launchClassifier(
        _ classifier: Classifier, from block: ConvolutionBlock, _ pass: Pass, _ arguments: [KernelArgument]
    ) throws(ComputeError) {
        let (first, second, third) = (classifier.first, classifier.second, classifier.third)
        let norm = block.norm
        let tiles = classifier.batch.tiles
        let tilesAtOnce = sizes[.classifierBlock][1]
        try launchTeams(
            "classifier_step",
            [
                "TRAINING": pass == .training ? 1 : 0, "CHANNELS": norm.shape.channels,
                "POSITIONS": norm.shape.pooledHeight * norm.shape.pooledWidth, "WIDTH1": first.shape.outputs,
                "WIDTH2": second.shape.outputs, "CLASSES": third.shape.outputs, "TILES_AT_ONCE": tilesAtOnce,
                "BLOCK": sizes[.classifierBlock][0],
            ],
            [
                norm.extremes.argument, first.weights.argument, first.weights.stride.argument,
                norm.gamma.offset.argument, norm.beta.offset.argument, first.weights.offset.argument,
                second.weights.offset.argument, third.weights.offset.argument, norm.current.argument, tiles.argument,
                norm.running.argument, first.input.argument, second.input.argument, third.input.argument,
                classifier.logits.argument,
            ] + arguments, groups: (tiles + tilesAtOnce - 1) / tilesAtOnce, replicas: classifier.batch.replicas)
    }
}

extension Tunable {
    /// Outputs of a linear layer that a member holds as running sums, a divisor of 16, and tiles that share its weights.
    static let classifierBlock = Tunable("classifier_block", of: ["classifier_step"]) { profile in
        switch profile.vectorWidth {
        case 16: [[8, 2], [4, 2], [8, 1], [16, 1]]
        case 1: [[4, 1], [2, 1], [8, 1], [4, 2]]
        default: [[4, 2], [2, 2], [4, 1], [8, 1]]
        }
    }
}
