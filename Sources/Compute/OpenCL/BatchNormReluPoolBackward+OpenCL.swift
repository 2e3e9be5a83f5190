extension OpenCLBackend {
    public func batchNormReluPoolBackwardSums(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try layer.validate("batch norm backward sums", tile: tile, plane: input, pooled: outputGradient)
        let shape = layer.shape
        try launchTiles(
            "batch_norm_relu_pool_backward_sums",
            ["CHANNELS": shape.channels, "HEIGHT": shape.height, "WIDTH": shape.width],
            [
                input.argument, layer.saved.argument, layer.winners.argument, outputGradient.argument,
                layer.partials.argument,
            ], groups: (shape.batch.tiles, shape.channels, shape.batch.replicas))
    }

    public func batchNormReluPoolBackward(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>,
        inputGradient: DeviceBuffer<Float>, gradients: GradientSlices
    ) throws(ComputeError) {
        try layer.validate("batch norm backward", tile: tile, plane: input, pooled: outputGradient)
        try layer.validate("batch norm backward", tile: tile, plane: inputGradient, pooled: nil)
        let shape = layer.shape
        let rows = profile.splitsWork ? 1 : shape.height
        try launchTiles(
            "batch_norm_relu_pool_backward",
            ["CHANNELS": shape.channels, "HEIGHT": shape.height, "WIDTH": shape.width, "ROWS": rows],
            [
                input.argument, layer.saved.argument, layer.partials.argument, layer.winners.argument,
                outputGradient.argument, layer.gamma.argument, layer.gamma.offset.argument,
                layer.beta.offset.argument, layer.gamma.stride.argument, layer.current.argument,
                (gradients.slices * gradients.parameterCount).argument, inputGradient.argument,
                gradients.buffer.argument,
            ], groups: (shape.batch.tiles, shape.channels * (shape.height / rows), shape.batch.replicas))
    }
}
