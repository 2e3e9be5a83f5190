extension OpenCLBackend {
    public func linearInputGradient(
        _ shape: LinearShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        relu input: DeviceBuffer<Float>?, inputGradient: DeviceBuffer<Float>, transposed: DeviceBuffer<Float>?
    ) throws(ComputeError) {
        try shape.validate(
            "linear input gradient", tile: tile, input: inputGradient, output: outputGradient, weights: weights)
        try shape.validate("linear input gradient", tile: tile, relu: input, transposed: transposed)
        let block = divisor(of: shape.inputs, atMost: profile.splitsWork ? 4 : profile.accumulators)
        try launchTiles(
            "linear_input_gradient",
            [
                "INPUTS": shape.inputs, "OUTPUTS": shape.outputs, "STRIDE": shape.outputStride,
                "INPUT_STRIDE": shape.inputStride, "IB": block, "RELU": input == nil ? 0 : 1,
                "TRANSPOSED": transposed == nil ? 0 : 1,
            ],
            [
                outputGradient.argument, weights.argument, weights.offset.argument, weights.stride.argument,
                // What is not used is still an argument: any buffer will do.
                (input ?? outputGradient).argument, inputGradient.argument, (transposed ?? inputGradient).argument,
            ], groups: (shape.batch.tiles, shape.inputs / block, shape.batch.replicas))
    }
}
