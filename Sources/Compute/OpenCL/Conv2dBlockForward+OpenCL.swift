extension OpenCLBackend {
    package func conv2dBlockForward(_ block: ConvolutionBlock, from source: BlockSource, _ pass: Pass)
        throws(ComputeError)
    {
        try block.validate("conv2d block forward", tile: tile)
        let (shape, norm) = (block.shape, block.norm)
        var arguments: [KernelArgument]
        let gathers: Bool
        switch source {
        case .images(let gather):
            try block.validate("conv2d block forward", takes: gather, tile: tile)
            gathers = true
            arguments = [
                gather.images.argument, gather.labels.argument, gather.order.argument, gather.orderStride.argument,
                .float(gather.scale), .float(gather.shift), gather.schedule.batches.argument,
                gather.schedule.cursor.argument, gather.schedule.current.argument, gather.batchLabels.argument,
            ]
        case .block(let source):
            try block.validate("conv2d block forward", follows: source)
            gathers = false
            let before = source.norm
            arguments = [
                before.extremes.argument, (before.shape.height * before.shape.width).argument,
                before.gamma.offset.argument, before.beta.offset.argument, before.running.argument,
                before.current.argument,
            ]
            if pass == .training { arguments += [before.partials.argument, before.saved.argument] }
        }
        arguments += [
            block.weights.argument, block.weights.stride.argument, block.weights.offset.argument,
            block.bias.offset.argument, norm.gamma.offset.argument, block.input.argument, norm.extremes.argument,
        ]
        if pass == .training {
            arguments += [block.convolved.argument, norm.winners.argument, norm.partials.argument]
        }
        try launchTeams(
            "conv2d_block_forward",
            [
                "GATHER": gathers ? 1 : 0, "TRAINING": pass == .training ? 1 : 0, "IN_CHANNELS": shape.inChannels,
                "OUT_CHANNELS": shape.outChannels, "HEIGHT": shape.height, "WIDTH": shape.width,
                "KERNEL": shape.kernel, "OB": divisor(of: shape.outChannels, atMost: forwardChannels(of: shape)),
            ], arguments, groups: shape.batch.tiles, replicas: shape.batch.replicas)
    }

    private func forwardChannels(of shape: Conv2DShape) -> Int {
        let rowPairs = (shape.height - shape.kernel + 2) / 2
        return min(
            sizes[.forwardChannels][0],
            profile.splitsWork ? max(1, shape.outChannels * rowPairs / profile.team) : .max)
    }
}

extension Tunable {
    /// The most channels of which a member holds 2x2 outputs, on a GPU few enough for the whole team.
    static let forwardChannels = Tunable("forward_channels", of: ["conv2d_block_forward"]) { profile in
        switch profile.vectorWidth {
        case 16: [[4], [2], [3], [6]]
        case 1: [[2], [1], [4]]
        default: [[2], [1], [3], [4]]
        }
    }
}
