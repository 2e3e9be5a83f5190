extension OpenCLBackend {
    public func softmaxCrossEntropy(_ loss: SoftmaxCrossEntropy) throws(ComputeError) {
        try loss.validate(tile: tile)
        try launchTiles(
            "softmax_cross_entropy", ["CLASSES": loss.classes, "STRIDE": paddedColumns(loss.classes)],
            [
                loss.logits.argument, loss.batchLabels.argument, loss.current.argument, loss.batch.tiles.argument,
                loss.losses.argument, loss.correct.argument, loss.delta.argument, loss.transposedDelta.argument,
            ], groups: (1, 1, loss.batch.replicas))
    }
}
