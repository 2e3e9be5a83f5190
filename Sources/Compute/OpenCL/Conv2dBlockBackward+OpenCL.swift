extension OpenCLBackend {
    package func conv2dBlockBackward(
        _ block: ConvolutionBlock, to source: ConvolutionBlock, _ classifier: Classifier, gradients: StepGradients
    ) throws(ComputeError) {
        try block.validate("conv2d block backward", tile: tile)
        try block.validate("conv2d block backward", follows: source)
        try classifier.validate("conv2d block backward", tile: tile, follows: block)
        try gradients.validate("conv2d block backward", batch: block.shape.batch)
        try gradients.validate("conv2d block backward", hold: block.norm.gamma, count: block.shape.outChannels)
        try gradients.validate("conv2d block backward", hold: block.norm.beta, count: block.shape.outChannels)
        let layers = [classifier.first, classifier.second, classifier.third]
        for layer in layers {
            try gradients.validate("conv2d block backward", hold: layer.weights, count: layer.shape.weightCount)
        }
        let (shape, norm) = (block.shape, block.norm)
        let columns = divisor(of: shape.width, atMost: sizes[.backwardBlock][0])
        let channels = divisor(of: shape.inChannels, atMost: sizes[.backwardBlock][1])
        try launchTeams(
            "conv2d_block_backward",
            [
                "IN_CHANNELS": shape.inChannels, "OUT_CHANNELS": shape.outChannels, "HEIGHT": shape.height,
                "WIDTH": shape.width, "KERNEL": shape.kernel, "IB": channels, "CB": columns,
                "FEATURES": layers[0].shape.inputs, "WIDTH1": layers[0].shape.outputs,
                "WIDTH2": layers[1].shape.outputs, "CLASSES": layers[2].shape.outputs,
                "ROWS_AT_ONCE": sizes[.gradientRows][0],
            ],
            [
                block.convolved.argument, norm.winners.argument, norm.pooledGradient.argument, norm.saved.argument,
                norm.sums.argument, block.weights.argument, block.weights.stride.argument,
                block.weights.offset.argument, norm.gamma.offset.argument, norm.beta.offset.argument,
                norm.current.argument, block.input.argument, source.norm.extremes.argument,
                source.norm.saved.argument, source.norm.pooledGradient.argument, source.norm.sums.argument,
            ] + layers.map { $0.input.argument } + layers.map { $0.transposedDelta.argument }
                + layers.map { $0.weights.offset.argument } + [gradients.values.argument],
            groups: shape.batch.tiles, shares: sizes[.backwardShares][0], replicas: shape.batch.replicas)
    }
}

extension Tunable {
    /// The most columns and channels of an input's gradient that a member holds as running sums.
    static let backwardBlock = Tunable("backward_block", of: ["conv2d_block_backward"]) { profile in
        switch profile.vectorWidth {
        case 16: [[14, 2], [14, 1], [7, 3], [7, 2]]
        case 1: [[14, 1], [7, 1], [14, 2], [7, 2]]
        default: [[12, 1], [14, 1], [7, 2], [2, 3]]
        }
    }

    /// Work-groups per tile: on a GPU the first takes the convolution, the others the linear layers.
    static let backwardShares = Tunable("backward_shares", of: ["conv2d_block_backward"]) { profile in
        profile.splitsWork ? [[5], [3], [9], [1]] : [[1]]
    }

    /// Rows of a linear layer's weights whose gradients a member holds as running sums, of two vectors each.
    static let gradientRows = Tunable("gradient_rows", of: ["conv2d_block_backward"]) { profile in
        profile.vectorWidth == 16 || profile.splitsWork ? [[8], [4], [12]] : [[4], [2], [6]]
    }
}
