extension OpenCLBackend {
    package func conv2dWeightGradients(_ block: ConvolutionBlock, next: ConvolutionBlock, gradients: StepGradients)
        throws(ComputeError)
    {
        try block.validate("conv2d weight gradients", tile: tile)
        try next.validate("conv2d weight gradients", tile: tile)
        try next.validate("conv2d weight gradients", follows: block)
        try gradients.validate("conv2d weight gradients", batch: block.shape.batch)
        try gradients.validate("conv2d weight gradients", hold: block.norm.gamma, count: block.shape.outChannels)
        try gradients.validate("conv2d weight gradients", hold: block.norm.beta, count: block.shape.outChannels)
        try gradients.validate("conv2d weight gradients", hold: block.weights, sliced: block.shape.weightCount)
        try gradients.validate("conv2d weight gradients", hold: next.weights, count: next.shape.weightCount)
        let (shape, norm) = (block.shape, block.norm)
        guard next.shape.kernel == shape.kernel else {
            throw .invalidShape(
                operation: "conv2d weight gradients", reason: "kernels of \(shape.kernel) and \(next.shape.kernel)")
        }
        let most = sizes[.weightGradientChannels][0]
        try launchTeams(
            "conv2d_weight_gradients",
            [
                "IN_CHANNELS": shape.inChannels, "OUT_CHANNELS": shape.outChannels, "HEIGHT": shape.height,
                "WIDTH": shape.width, "KERNEL": shape.kernel, "OB": divisor(of: shape.outChannels, atMost: most),
                "NEXT_OUT_CHANNELS": next.shape.outChannels, "NEXT_HEIGHT": next.shape.height,
                "NEXT_WIDTH": next.shape.width, "NEXT_OB": divisor(of: next.shape.outChannels, atMost: most),
            ],
            [
                block.input.argument, block.convolved.argument, norm.winners.argument, norm.pooledGradient.argument,
                norm.saved.argument, norm.sums.argument, block.weights.argument, block.weights.stride.argument,
                norm.gamma.offset.argument, norm.beta.offset.argument, norm.current.argument, next.input.argument,
                next.convolved.argument, next.weights.offset.argument, gradients.tiles.argument,
                gradients.values.argument,
            ], groups: shape.batch.tiles, shares: sizes[.weightGradientShares][0], replicas: shape.batch.replicas)
    }
}

extension Tunable {
    /// Work-groups that share a tile's kernels on a GPU.
    static let weightGradientShares = Tunable("weight_gradient_shares", of: ["conv2d_weight_gradients"]) { profile in
        profile.splitsWork ? [[24], [6], [12], [48]] : [[1]]
    }

    /// The most channels of which a member holds the gradients of a row of taps as running sums.
    static let weightGradientChannels = Tunable("weight_gradient_channels", of: ["conv2d_weight_gradients"]) {
        profile in
        switch profile.vectorWidth {
        case 16: [[5], [2], [3], [6]]
        // A GPU's members take one channel.
        case 1: [[1]]
        default: [[2], [1], [3], [4]]
        }
    }
}
