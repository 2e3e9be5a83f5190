extension OpenCLBackend {
    public func classify(
        _ batch: BatchShape, classes: Int, logits: DeviceBuffer<Float>, current: DeviceBuffer<Int32>,
        predictions: DeviceBuffer<Int32>, predictionStride: Int
    ) throws(ComputeError) {
        try batch.validateClassify(
            tile: tile, classes: classes, logits: logits, predictions: predictions, predictionStride: predictionStride)
        try launchTiles(
            "classify", ["CLASSES": classes],
            [logits.argument, current.argument, predictionStride.argument, predictions.argument],
            groups: (batch.tiles, 1, batch.replicas))
    }
}
