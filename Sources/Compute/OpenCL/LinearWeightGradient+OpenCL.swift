extension OpenCLBackend {
    public func linearWeightGradient(
        _ shape: LinearShape, input: DeviceBuffer<Float>, transposedOutputGradient: DeviceBuffer<Float>,
        gradients: GradientSlices, offset: Int
    ) throws(ComputeError) {
        try shape.validate("linear weight gradient", tile: tile, input: input, output: nil, weights: nil)
        try gradients.validate("linear weight gradient", batch: shape.batch, offset: offset, count: shape.weightCount)
        let block = min(profile.splitsWork ? 4 : min(profile.accumulators, 16), shape.inputs)
        let outputsAGroup = profile.lanes * profile.vectorWidth
        try launchTiles(
            "linear_weight_gradient",
            [
                "INPUTS": shape.inputs, "STRIDE": shape.outputStride, "IB": block, "TILES": shape.batch.tiles,
                "SLICES": gradients.slices,
            ],
            [
                input.argument, transposedOutputGradient.argument, offset.argument,
                gradients.parameterCount.argument, gradients.buffer.argument,
            ],
            groups: (
                (shape.outputStride + outputsAGroup - 1) / outputsAGroup, shape.inputs / block + 1,
                shape.batch.replicas * gradients.slices
            ))
    }
}
