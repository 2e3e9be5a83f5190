extension OpenCLBackend {
    public func conv2dInputGradient(
        _ shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        inputGradient: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try shape.validate(
            "conv2d input gradient", tile: tile, input: inputGradient, output: outputGradient, weights: weights)
        let columns = divisor(of: shape.width, atMost: min(14, profile.accumulators))
        let channels = divisor(of: shape.inChannels, atMost: profile.accumulators / columns)
        let rows = profile.splitsWork ? 1 : shape.height
        try launchTiles(
            "conv2d_input_gradient",
            [
                "IN_CHANNELS": shape.inChannels, "OUT_CHANNELS": shape.outChannels, "HEIGHT": shape.height,
                "WIDTH": shape.width, "KERNEL": shape.kernel, "IB": channels, "CB": columns, "ROWS": rows,
            ],
            [
                outputGradient.argument, weights.argument, weights.offset.argument, weights.stride.argument,
                inputGradient.argument,
            ],
            groups: (shape.batch.tiles, shape.inChannels / channels * (shape.height / rows), shape.batch.replicas))
    }
}
