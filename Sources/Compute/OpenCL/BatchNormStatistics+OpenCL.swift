extension OpenCLBackend {
    public func batchNormStatistics(_ layer: BatchNormReluPool, input: DeviceBuffer<Float>) throws(ComputeError) {
        try layer.validate("batch norm statistics", tile: tile, plane: input, pooled: nil)
        let shape = layer.shape
        try launchTiles(
            "batch_norm_statistics", ["CHANNELS": shape.channels, "POSITIONS": shape.height * shape.width],
            [input.argument, layer.current.argument, layer.partials.argument],
            groups: (shape.batch.tiles, shape.channels, shape.batch.replicas))
    }
}
