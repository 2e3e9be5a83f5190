import Foundation

extension CPUBackend {
    /// Losses and right answers of each tile, and the gradient of the logits.
    func softmaxCrossEntropy(_ classifier: Classifier, current: DeviceBuffer<Int32>) {
        let (tiles, classes) = (classifier.batch.tiles, classifier.classes)
        let stride = paddedColumns(classes)
        let valid = Int(pointer(current)[1])
        let logits = pointer(classifier.logits)
        let labels = pointer(classifier.batchLabels)
        let delta = pointer(classifier.third.delta)
        let transposed = pointer(classifier.third.transposedDelta)
        let results = pointer(classifier.results)
        parallel(classifier.batch.replicas * tiles) { batchTile in
            let tileIndex = batchTile % tiles
            var total = Float(0)
            var right = Float(0)
            let column = logits + batchTile * classes * 16
            for sample in 0..<16 {
                let target = delta + batchTile * classes * 16 + sample
                let row = transposed + (batchTile * 16 + sample) * stride
                for padding in classes..<max(stride, classes) { row[padding] = 0 }
                guard tileIndex * 16 + sample < valid else {
                    for index in 0..<classes {
                        target[index * 16] = 0
                        row[index] = 0
                    }
                    continue
                }
                let label = Int(labels[batchTile * 16 + sample])
                let best = bestClass(column + sample, classes: classes)
                let maximum = column[best * 16 + sample]
                var sum = Float(0)
                for index in 0..<classes { sum += exp(column[index * 16 + sample] - maximum) }
                for index in 0..<classes {
                    let probability = exp(column[index * 16 + sample] - maximum) / sum
                    let gradient = (probability - (index == label ? 1 : 0)) / Float(valid)
                    target[index * 16] = gradient
                    row[index] = gradient
                }
                total += log(sum) + maximum - column[label * 16 + sample]
                if best == label { right += 1 }
            }
            results[2 * batchTile] = total
            results[2 * batchTile + 1] = right
        }
    }
}
