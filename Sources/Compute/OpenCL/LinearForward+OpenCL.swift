extension OpenCLBackend {
    public func linearForward(
        _ shape: LinearShape, relu: Bool, input: DeviceBuffer<Float>, weights: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try shape.validate("linear forward", tile: tile, input: input, output: output, weights: weights)
        let block = divisor(of: shape.outputs, atMost: profile.splitsWork ? 4 : profile.accumulators)
        try launchTiles(
            "linear_forward",
            [
                "INPUTS": shape.inputs, "OUTPUTS": shape.outputs, "STRIDE": shape.outputStride, "OB": block,
                "RELU": relu ? 1 : 0,
            ],
            [input.argument, weights.argument, weights.offset.argument, weights.stride.argument, output.argument],
            groups: (shape.batch.tiles, shape.outputs / block, shape.batch.replicas))
    }
}
