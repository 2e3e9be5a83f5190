import Foundation

extension SoftmaxCrossEntropy {
    package func compute(on backend: CPUBackend) {
        backend.softmaxCrossEntropy(
            batch, classes: classes, logits: logits, labels: batchLabels, weights: weights, delta: delta,
            transposed: transposedDelta, lossAndCorrect: lossAndCorrect, current: current)
    }
}

extension CPUBackend {
    /// Losses and right answers of each tile, and the gradient of a classifier's logits.
    func softmaxCrossEntropy(_ classifier: Classifier, current: DeviceBuffer<Int32>) {
        guard let last = classifier.layers.last else { return }
        softmaxCrossEntropy(
            last.shape.batch, classes: last.shape.outputs, logits: classifier.logits, labels: classifier.batchLabels,
            weights: classifier.sampleWeights, delta: last.delta, transposed: last.transposedDelta,
            lossAndCorrect: classifier.lossAndCorrect, current: current)
    }

    /// Losses and right answers of each tile, and the gradient of the logits.
    func softmaxCrossEntropy(
        _ batch: BatchShape, classes: Int, logits: DeviceBuffer<Float>, labels: DeviceBuffer<Int32>,
        weights: SampleWeights?, delta: DeviceBuffer<Float>, transposed: DeviceBuffer<Float>,
        lossAndCorrect: DeviceBuffer<Float>, current: DeviceBuffer<Int32>
    ) {
        let stride = paddedColumns(classes)
        let (sampleWeights, sampleLosses) = (weights.map { pointer($0.weights) }, weights.map { pointer($0.losses) })
        let (logits, labels, delta) = (pointer(logits), pointer(labels), pointer(delta))
        let (transposed, lossAndCorrect) = (pointer(transposed), pointer(lossAndCorrect))
        parallel(batch.replicas * batch.tiles) { batchTile in
            let (replica, tileIndex) = (batchTile / batch.tiles, batchTile % batch.tiles)
            let (base, valid) = batchUnderWay(current, replica)
            var total = Float(0)
            var right = Float(0)
            let column = logits + batchTile * classes * tile
            let gradients = delta + batchTile * classes * tile
            for sample in 0..<tile {
                let target = gradients + sample
                guard tileIndex * tile + sample < valid else {
                    for index in 0..<classes { target[index * tile] = 0 }
                    continue
                }
                let label = Int(labels[batchTile * tile + sample])
                let best = bestClass(column + sample, classes: classes)
                let maximum = column[best * tile + sample]
                let place = replica * (weights?.stride ?? 0) + base + tileIndex * tile + sample
                let weight = sampleWeights.map { $0[place] } ?? 1
                var sum = Float(0)
                for index in 0..<classes { sum += exp(column[index * tile + sample] - maximum) }
                for index in 0..<classes {
                    let probability = exp(column[index * tile + sample] - maximum) / sum
                    target[index * tile] = (probability - (index == label ? 1 : 0)) / Float(valid) * weight
                }
                let loss = log(sum) + maximum - column[label * tile + sample]
                if let sampleLosses { sampleLosses[place] = loss }
                total += loss
                if best == label { right += 1 }
            }
            transposeTile(
                gradients, count: classes, columns: 0..<stride, stride: stride,
                into: transposed + batchTile * tile * stride)
            lossAndCorrect[2 * batchTile] = total
            lossAndCorrect[2 * batchTile + 1] = right
        }
    }
}
