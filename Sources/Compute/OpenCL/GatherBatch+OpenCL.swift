extension OpenCLBackend {
    public func gatherBatch(_ gather: GatherBatch) throws(ComputeError) {
        try gather.validate(tile: tile)
        let block = profile.splitsWork ? 64 : 256
        try launchTiles(
            "gather_batch", ["PIXELS": gather.pixels, "BLOCK": block],
            [
                gather.images.argument, gather.labels.argument, gather.order.argument, gather.current.argument,
                gather.orderStride.argument, .float(gather.scale), .float(gather.shift), gather.activations.argument,
                gather.batchLabels.argument,
            ], groups: (gather.batch.tiles, (gather.pixels + block - 1) / block, gather.batch.replicas))
    }
}
