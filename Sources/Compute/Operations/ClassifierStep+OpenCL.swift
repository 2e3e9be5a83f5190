extension ClassifierStep {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        let norm = block.norm
        let layers = classifier.layers
        let weighting: [(String, KernelArgument)] =
            classifier.sampleWeights.map { weights in
                [
                    ("sample_weights", weights.weights.argument), ("sample_stride", weights.stride.argument),
                    ("sample_losses", weights.losses.argument),
                ]
            } ?? []
        return classifier.namedLaunch(
            from: block, .training,
            [
                ("partials", norm.partials.argument),
                ("norm_positions", (norm.shape.height * norm.shape.width).argument),
                ("labels", classifier.batchLabels.argument),
            ] + weighting + [("saved", norm.saved.argument), ("delta0", norm.pooledGradient.argument)]
                + layers.numbered("delta") { $0.delta.argument }
                + layers.numbered("transposed") { $0.transposedDelta.argument } + [
                    ("sums", norm.sums.argument), ("loss_and_correct", classifier.lossAndCorrect.argument),
                ], sizes)
    }
}

extension Classifier {
    /// What both forms of the kernel share: training, and the predictions of inference.
    func namedLaunch(
        from block: ConvolutionBlock, _ pass: Pass, _ arguments: [(String, KernelArgument)], _ sizes: BlockSizes
    ) -> NamedLaunch {
        let (norm, batch) = (block.norm, block.shape.batch)
        let (width, tilesAtOnce) = (sizes[.classifierBlock][0], sizes[.classifierBlock][1])
        var shared: [(String, KernelArgument)] = [
            ("pooled", norm.pooled.argument), ("parameters", block.weights.argument),
            ("stride", block.weights.stride.argument), ("gamma", norm.gamma.offset.argument),
            ("beta", norm.beta.offset.argument),
        ]
        shared += layers.numbered("weights") { $0.weights.offset.argument }
        shared += [
            ("current", norm.current.argument), ("tiles", batch.tiles.argument), ("running", norm.running.argument),
        ]
        shared += layers.numbered("hidden", from: 0) { $0.input.argument }
        shared.append(("hidden\(layers.count)", logits.argument))
        return NamedLaunch(
            ClassifierStep.kernel,
            [
                ("TRAINING", pass == .training ? 1 : 0),
                ("WEIGHTED", pass == .training && sampleWeights != nil ? 1 : 0), ("CHANNELS", norm.shape.channels),
                ("POSITIONS", norm.shape.pooledHeight * norm.shape.pooledWidth),
                ("TILES_AT_ONCE", tilesAtOnce), ("BLOCK", width),
            ] + layerDefines, shared + arguments, teams: (batch.tiles + tilesAtOnce - 1) / tilesAtOnce,
            replicas: batch.replicas,
            sizes.profile)
    }

    /// LAYERS, and WIDTH1, WIDTH2, ...: the outputs of each.
    var layerDefines: [(String, Int)] {
        [("LAYERS", layers.count)] + layers.enumerated().map { ("WIDTH\($0.offset + 1)", $0.element.shape.outputs) }
    }
}

extension Collection<Classifier.Layer> {
    /// An argument per layer: name1, name2, ..., or `from` another number on.
    func numbered(
        _ name: String, from first: Int = 1, _ argument: (Classifier.Layer) -> KernelArgument
    ) -> [(String, KernelArgument)] {
        enumerated().map { ("\(name)\($0.offset + first)", argument($0.element)) }
    }
}

extension Tunable {
    /// Outputs of a linear layer that a member holds as running sums, a divisor of 16, and tiles that share its weights.
    static let classifierBlock = Tunable("classifier_block", of: [ClassifierStep.kernel]) { profile in
        switch profile.vectorWidth {
        case 16: [[8, 2], [4, 2], [8, 1], [16, 1]]
        case 1: [[4, 1], [2, 1], [8, 1], [4, 2]]
        default: [[4, 2], [2, 2], [4, 1], [8, 1]]
        }
    }
}
