extension Conv2dBlockBackward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        let (shape, norm, layers) = (block.shape, block.norm, classifier.layers)
        let most = (columns: sizes[.backwardBlock][0], channels: sizes[.backwardBlock][1])
        let columns = divisor(of: shape.width, atMost: most.columns)
        // On a processor the product bounds the sums: where a row is cut into narrow pieces, registers hold more channels.
        let channels = divisor(
            of: shape.inChannels,
            atMost: sizes.profile.splitsWork ? most.channels : most.columns * most.channels / columns)
        var arguments: [(String, KernelArgument)] = [
            ("convolved", block.convolved.argument), ("winners", norm.winners.argument),
            ("pooled_gradient", norm.pooledGradient.argument), ("saved", norm.saved.argument),
            ("sums", norm.sums.argument), ("parameters", block.weights.argument),
            ("stride", block.weights.stride.argument), ("weights", block.weights.offset.argument),
            ("gamma", norm.gamma.offset.argument), ("beta", norm.beta.offset.argument),
            ("current", norm.current.argument), ("activations", block.input.argument),
            ("source_pooled", source.norm.pooled.argument), ("source_saved", source.norm.saved.argument),
            ("source_gradient", source.norm.pooledGradient.argument), ("source_sums", source.norm.sums.argument),
        ]
        arguments += layers.numbered("hidden", from: 0) { $0.input.argument }
        arguments += layers.numbered("transposed") { $0.transposedDelta.argument }
        arguments += layers.numbered("weights") { $0.weights.offset.argument }
        arguments.append(("gradients", gradients.values.argument))
        return NamedLaunch(
            Self.kernel,
            [
                ("IN_CHANNELS", shape.inChannels), ("OUT_CHANNELS", shape.outChannels), ("HEIGHT", shape.height),
                ("WIDTH", shape.width), ("KERNEL", shape.kernel), ("IB", channels), ("CB", columns),
                ("ROWS_AT_ONCE", sizes[.gradientRows][0]), ("WIDTH0", layers[0].shape.inputs),
            ] + classifier.layerDefines, arguments, teams: shape.batch.tiles, shares: sizes[.backwardShares][0],
            replicas: shape.batch.replicas,
            sizes.profile)
    }
}

extension Tunable {
    /// Columns and channels of an input's gradient that a member holds as running sums: on a processor, the most columns, and
    /// as columns x channels the most sums; on a GPU, the most of each.
    static let backwardBlock = Tunable("backward_block", of: [Conv2dBlockBackward.kernel]) { profile in
        switch profile.vectorWidth {
        case 16: [[14, 1], [14, 2], [7, 3], [7, 2]]
        case 1: [[14, 1], [7, 1], [14, 2], [7, 2]]
        default: [[12, 1], [14, 1], [7, 2], [2, 3]]
        }
    }

    /// Work-groups per tile: on a GPU the first takes the convolution, the others the linear layers.
    static let backwardShares = Tunable("backward_shares", of: [Conv2dBlockBackward.kernel]) { profile in
        profile.splitsWork ? [[5], [3], [9], [1]] : [[1]]
    }

    /// Rows of a linear layer's weights whose gradients a member holds as running sums, of two vectors each; on a processor
    /// twice as many of the single vector in which rows may end.
    static let gradientRows = Tunable("gradient_rows", of: [Conv2dBlockBackward.kernel]) { profile in
        profile.vectorWidth == 16 || profile.splitsWork ? [[8], [4], [12]] : [[4], [2], [6]]
    }
}
