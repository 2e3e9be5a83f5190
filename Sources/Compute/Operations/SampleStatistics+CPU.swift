import Foundation

extension SampleStatistics {
    package func compute(on backend: CPUBackend) {
        let tile = backend.tile
        let (logits, labels) = (backend.pointer(logits), backend.pointer(batchLabels))
        let values = hidden.map { backend.pointer($0.values) }
        let (width, target) = (hidden?.width ?? 0, backend.pointer(statistics))
        backend.parallel(batch.replicas * batch.tiles) { index in
            let (replica, tileIndex) = (index / batch.tiles, index % batch.tiles)
            let (base, valid) = backend.batchUnderWay(current, replica)
            for sample in 0..<validLanes(tile: tileIndex, of: valid) {
                let column = logits + index * classes * tile + sample
                let sums = backend.softmaxSums(
                    column, classes: classes, label: Int(labels[index * tile + sample]), all: values != nil)
                let place = target + replica * count * stride + base + tileIndex * tile + sample
                func put(_ statistic: SampleStatistic, _ value: Float) { place[statistic.rawValue * stride] = value }
                put(.probability, sums.ownPower / sums.sum)
                put(.margin, sums.margin)
                put(.isRight, sums.isRight ? 1 : 0)
                guard let values else { continue }
                var length = Float(1)
                let hidden = values + index * width * tile + sample
                for value in 0..<width { length += hidden[value * tile] * hidden[value * tile] }
                let error = (sums.others * sums.others + sums.squares).squareRoot() / sums.sum
                put(.entropy, log(sums.sum) - sums.weighted / sums.sum)
                put(.largest, 1 / sums.sum)
                put(.lead, (1 - sums.runnerUp) / sums.sum)
                put(.el2n, error)
                put(.grand, error * length.squareRoot())
            }
        }
    }
}

/// Sums over the classes of a sample, whose terms are e = exp(logit - the largest one).
private struct SoftmaxSums {
    /// Of e.
    var sum = Float(0)
    /// e of the sample's class, and of the second largest logit; 0 where there is one class alone.
    var ownPower = Float(0)
    var runnerUp = Float(0)
    /// Of e times its exponent.
    var weighted = Float(0)
    /// Of e of the other classes, which is 1 - p of the own one without cancellation, and of its squares.
    var others = Float(0)
    var squares = Float(0)
    /// The own logit less the largest other one.
    var margin = Float(0)
    var isRight = false
}

extension CPUBackend {
    /// - Parameter all: whether more is wanted than what training records.
    fileprivate func softmaxSums(
        _ logits: UnsafeMutablePointer<Float>, classes: Int, label: Int, all: Bool
    ) -> SoftmaxSums {
        // exp of anything below is 0 in float32. Without a limit, 0 times a difference that overflows would be NaN.
        let leastExponent = Float(-200)
        let best = bestClass(logits, classes: classes)
        let largest = logits[best * tile]
        var second = -Float.infinity
        var sums = SoftmaxSums()
        for index in 0..<classes {
            let value = logits[index * tile]
            if index != best && value > second { second = value }
            let gap = value - largest
            let exponent = gap < leastExponent ? leastExponent : gap
            let power = exp(exponent)
            sums.sum += power
            if index == label { sums.ownPower = power }
            guard all else { continue }
            sums.weighted += power * exponent
            if index == label { continue }
            sums.others += power
            sums.squares += power * power
        }
        sums.isRight = best == label
        if classes > 1 {
            sums.margin = logits[label * tile] - (sums.isRight ? second : largest)
            sums.runnerUp = exp(second - largest)
        }
        if sums.sum.isNaN { sums.margin = .nan }
        return sums
    }
}
