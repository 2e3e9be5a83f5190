extension OpenCLBackend {
    public func batchNormReluPoolForward(
        _ layer: BatchNormReluPool, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try layer.validate("batch norm, ReLU and pool forward", tile: tile, plane: input, pooled: output)
        let shape = layer.shape
        let rows = profile.splitsWork ? 1 : max(shape.pooledHeight, 1)
        try launchTiles(
            "batch_norm_relu_pool_forward",
            ["CHANNELS": shape.channels, "HEIGHT": shape.height, "WIDTH": shape.width, "ROWS": rows],
            [
                input.argument, layer.partials.argument, layer.gamma.argument, layer.gamma.offset.argument,
                layer.beta.offset.argument, layer.gamma.stride.argument, layer.current.argument,
                .float(BatchNormReluPool.epsilon), .float(BatchNormReluPool.momentum), layer.saved.argument,
                layer.running.argument, output.argument, layer.winners.argument,
            ],
            groups: (shape.batch.tiles, shape.channels * max(shape.pooledHeight / rows, 1), shape.batch.replicas))
    }
}
