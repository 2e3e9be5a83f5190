extension Conv2dWeightGradients {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        let (shape, norm) = (block.shape, block.norm)
        let most = sizes[.weightGradientChannels][0]
        let planes = divisor(of: shape.outChannels, atMost: min(most, shape.runningPlanes))
        return NamedLaunch(
            Self.kernel,
            [
                ("IN_CHANNELS", shape.inChannels), ("OUT_CHANNELS", shape.outChannels), ("HEIGHT", shape.height),
                ("WIDTH", shape.width), ("KERNEL", shape.kernel), ("OB", planes),
                ("NEXT_OUT_CHANNELS", next.shape.outChannels), ("NEXT_HEIGHT", next.shape.height),
                ("NEXT_WIDTH", next.shape.width), ("NEXT_OB", divisor(of: next.shape.outChannels, atMost: most)),
            ],
            [
                ("input", block.input.argument), ("convolved", block.convolved.argument),
                ("winners", norm.winners.argument), ("pooled_gradient", norm.pooledGradient.argument),
                ("saved", norm.saved.argument), ("sums", norm.sums.argument),
                ("parameters", block.weights.argument), ("stride", block.weights.stride.argument),
                ("gamma", norm.gamma.offset.argument), ("beta", norm.beta.offset.argument),
                ("current", norm.current.argument), ("next_input", next.input.argument),
                ("next_gradient", next.convolved.argument), ("next_weights", next.weights.offset.argument),
                ("tile_gradients", gradients.tiles.argument), ("gradients", gradients.values.argument),
            ], teams: shape.batch.tiles, shares: sizes[.weightGradientShares][0], replicas: shape.batch.replicas,
            sizes.profile)
    }
}

extension Tunable {
    /// Work-groups that share a tile's kernels on a GPU.
    static let weightGradientShares = Tunable("weight_gradient_shares", of: [Conv2dWeightGradients.kernel]) { profile in
        profile.splitsWork ? [[24], [6], [12], [48]] : [[1]]
    }

    /// The most channels of which a member holds the gradients of a row of taps as running sums.
    static let weightGradientChannels = Tunable("weight_gradient_channels", of: [Conv2dWeightGradients.kernel]) {
        profile in
        switch profile.vectorWidth {
        case 16: [[5], [2], [3], [6]]
        // A GPU's members take one channel.
        case 1: [[1]]
        default: [[2], [1], [3], [4]]
        }
    }
}
