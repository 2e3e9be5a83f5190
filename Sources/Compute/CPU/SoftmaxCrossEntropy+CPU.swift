import Foundation

extension CPUBackend {
    public func softmaxCrossEntropy(_ loss: SoftmaxCrossEntropy) throws(ComputeError) {
        try loss.validate(tile: tile)
        let (tiles, classes) = (loss.batch.tiles, loss.classes)
        let stride = paddedColumns(classes)
        let current = pointer(loss.current)
        let (valid, step) = (Int(current[1]), Int(current[2]))
        let logits = pointer(loss.logits)
        let labels = pointer(loss.batchLabels)
        let delta = pointer(loss.delta)
        let transposed = pointer(loss.transposedDelta)
        let losses = pointer(loss.losses)
        let correct = pointer(loss.correct)
        parallel(loss.batch.replicas) { replica in
            var total = Float(0)
            var right = Int32(0)
            for tileIndex in 0..<tiles {
                let batchTile = replica * tiles + tileIndex
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
            }
            losses[step * loss.batch.replicas + replica] = total / Float(valid)
            correct[step * loss.batch.replicas + replica] = right
        }
    }
}
