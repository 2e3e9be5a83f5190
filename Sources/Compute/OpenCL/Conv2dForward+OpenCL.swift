extension OpenCLBackend {
    public func conv2dForward(
        _ shape: Conv2DShape, input: DeviceBuffer<Float>, weights: ReplicaTensor, bias: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try shape.validate("conv2d forward", tile: tile, input: input, output: output, weights: weights)
        let columns = divisor(of: shape.outWidth, atMost: min(14, profile.accumulators))
        let channels = divisor(of: shape.outChannels, atMost: profile.accumulators / columns)
        let rows = profile.splitsWork ? 1 : shape.outHeight
        try launchTiles(
            "conv2d_forward",
            [
                "IN_CHANNELS": shape.inChannels, "OUT_CHANNELS": shape.outChannels, "HEIGHT": shape.height,
                "WIDTH": shape.width, "KERNEL": shape.kernel, "OB": channels, "CB": columns, "ROWS": rows,
            ],
            [
                input.argument, weights.argument, weights.offset.argument, bias.offset.argument,
                weights.stride.argument, output.argument,
            ],
            groups: (
                shape.batch.tiles, shape.outChannels / channels * (shape.outHeight / rows), shape.batch.replicas
            ))
    }
}
