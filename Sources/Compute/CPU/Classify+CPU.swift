extension CPUBackend {
    func classify(
        _ batch: BatchShape, classes: Int, logits: DeviceBuffer<Float>, current: DeviceBuffer<Int32>,
        predictions: DeviceBuffer<Int32>, predictionStride: Int
    ) {
        let values = pointer(logits)
        let target = pointer(predictions)
        parallel(batch.replicas * batch.tiles) { index in
            let (replica, tileIndex) = (index / batch.tiles, index % batch.tiles)
            let (base, valid) = batchUnderWay(current, replica)
            for sample in 0..<validLanes(tile: tileIndex, of: valid) {
                let best = bestClass(values + index * classes * tile + sample, classes: classes)
                target[replica * predictionStride + base + tileIndex * tile + sample] = Int32(best)
            }
        }
    }

    /// The class of a sample's largest logit, the lowest on ties.
    func bestClass(_ logits: UnsafeMutablePointer<Float>, classes: Int) -> Int {
        var best = 0
        for index in 1..<max(classes, 1) where logits[index * tile] > logits[best * tile] { best = index }
        return best
    }
}
