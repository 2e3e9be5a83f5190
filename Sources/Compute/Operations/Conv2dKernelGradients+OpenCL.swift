extension Conv2dKernelGradients {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        let planes = sizes[.kernelGradientBlock][0]
        // A kernel row in blocks that are as even as can be.
        let most = sizes[.kernelGradientBlock][1]
        let tapBlocks = (shape.kernel + most - 1) / most
        let taps = (shape.kernel + tapBlocks - 1) / tapBlocks
        let units =
            (shape.outChannels + planes - 1) / planes
            * (shape.inChannels * shape.kernel * tapBlocks + (bias == nil ? 0 : 1))
        return NamedLaunch(
            Self.kernel, [("OB", planes), ("KB", taps)],
            [
                ("input", input.argument), ("output_gradient", outputGradient.argument),
                ("in_channels", shape.inChannels.argument), ("out_channels", shape.outChannels.argument),
                ("height", shape.height.argument), ("width", shape.width.argument), ("side", shape.kernel.argument),
                ("padding", shape.padding.argument), ("tiles", shape.batch.tiles.argument),
                ("rows_at_once", rowsAtOnce.argument), ("stride", gradients.parameterCount.argument),
                ("weights", weights.offset.argument), ("bias", (bias?.offset ?? -1).argument),
                ("gradients", gradients.values.argument),
            ], teams: min(sizes[.kernelGradientShares][0], units), replicas: shape.batch.replicas, sizes.profile)
    }
}

extension Tunable {
    /// Output channels, and the most taps of a kernel row, whose gradients a member holds as running sums.
    static let kernelGradientBlock = Tunable("kernel_gradient_block", of: [Conv2dKernelGradients.kernel]) { profile in
        switch profile.vectorWidth {
        case 16: [[4, 5], [2, 5]]
        case 1: [[4, 5], [2, 5], [4, 3]]
        default: [[2, 5], [2, 3]]
        }
    }

    /// Work-groups that share a network's kernels.
    static let kernelGradientShares = Tunable("kernel_gradient_shares", of: [Conv2dKernelGradients.kernel]) { profile in
        profile.splitsWork ? [[64], [16], [128]] : [[8]]
    }
}
