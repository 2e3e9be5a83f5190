extension OpenCLBackend {
    public func batchNormReluPoolInference(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try layer.validate("batch norm, ReLU and pool inference", tile: tile, plane: input, pooled: output)
        let shape = layer.shape
        let rows = profile.splitsWork ? 1 : max(shape.pooledHeight, 1)
        try launchTiles(
            "batch_norm_relu_pool_inference",
            ["CHANNELS": shape.channels, "HEIGHT": shape.height, "WIDTH": shape.width, "ROWS": rows],
            [
                input.argument, layer.running.argument, layer.gamma.argument, layer.gamma.offset.argument,
                layer.beta.offset.argument, layer.gamma.stride.argument, .float(BatchNormReluPool.epsilon),
                output.argument,
            ],
            groups: (shape.batch.tiles, shape.channels * max(shape.pooledHeight / rows, 1), shape.batch.replicas))
    }
}
