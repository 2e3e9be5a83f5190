extension OpenCLBackend {
    public func conv2dWeightGradient(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices, offset: Int
    ) throws(ComputeError) {
        try shape.validate(
            "conv2d weight gradient", tile: tile, input: input, output: outputGradient, weights: nil)
        try gradients.validate("conv2d weight gradient", batch: shape.batch, offset: offset, count: shape.weightCount)
        let channels = divisor(of: shape.outChannels, atMost: profile.accumulators / shape.kernel)
        try launchTiles(
            "conv2d_weight_gradient",
            [
                "IN_CHANNELS": shape.inChannels, "OUT_CHANNELS": shape.outChannels, "HEIGHT": shape.height,
                "WIDTH": shape.width, "KERNEL": shape.kernel, "OB": channels, "TILES": shape.batch.tiles,
                "SLICES": gradients.slices,
            ],
            [
                input.argument, outputGradient.argument, offset.argument, gradients.parameterCount.argument,
                gradients.buffer.argument,
            ],
            groups: (
                shape.inChannels * shape.kernel, shape.outChannels / channels, shape.batch.replicas * gradients.slices
            ))
    }
}
