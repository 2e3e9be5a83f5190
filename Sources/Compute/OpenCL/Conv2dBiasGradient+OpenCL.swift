extension OpenCLBackend {
    public func conv2dBiasGradient(
        _ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, gradients: GradientSlices, offset: Int
    ) throws(ComputeError) {
        try shape.validate("conv2d bias gradient", tile: tile, input: nil, output: outputGradient, weights: nil)
        try gradients.validate("conv2d bias gradient", batch: shape.batch, offset: offset, count: shape.outChannels)
        try launchTiles(
            "conv2d_bias_gradient",
            [
                "OUT_CHANNELS": shape.outChannels, "POSITIONS": shape.outHeight * shape.outWidth,
                "TILES": shape.batch.tiles, "SLICES": gradients.slices,
            ],
            [
                outputGradient.argument, offset.argument, gradients.parameterCount.argument, gradients.buffer.argument,
            ], groups: (shape.outChannels, 1, shape.batch.replicas * gradients.slices))
    }
}
