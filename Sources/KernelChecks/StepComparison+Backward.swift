import Compute

extension StepComparison {
    func judgeBlockBackward(_ judge: inout CaseJudge) throws {
        let conv = actual.second.shape
        let deltas = try outputGradients(2, conv)
        try check(&judge, "convolved2", maskedZero: true, deltas)
        let delta = try actual.values("convolved2")
        let weights = replicas.map { doubles("weights2", $0) }
        let inputs = before["input2"] ?? []
        try check(&judge, "gradient1", maskedZero: true) { replica, sample in
            let all = conv.inputGradient(
                of: image(delta, replica, sample).map { Double($0) }, weights: weights[replica])
            return zip(image(inputs, replica, sample), all).map { $0 <= 0 ? Bounded(0.0) : $1 }
        }
        try judgeSums(&judge, 1, actual.first.shape)
        var gradients = try normTensors(2, conv.outChannels)
        for (number, layer) in actual.classifier.layers.enumerated() {
            func rows(_ name: String, _ replica: Int) -> [Double] {
                (0..<samples).flatMap { image(before[name] ?? [], replica, $0).map { Double($0) } }
            }
            gradients["linear\(number + 1)"] = replicas.flatMap { replica in
                layer.shape.weightGradient(
                    inputs: rows("layer\(number + 1)", replica), gradients: rows("delta\(number + 1)", replica),
                    samples: samples)
            }
        }
        try judgeGradients(&judge, gradients)
    }

    func judgeWeightGradients(_ judge: inout CaseJudge) throws {
        let (first, second) = (actual.first.shape, actual.second.shape)
        guard let (count, buffer) = actual.tiled["tile gradients"] else { return }
        let contents = try buffer.contents()
        judge.checkGuards("tile gradients", contents)
        let untouched = contents.values.enumerated().allSatisfy { index, value in
            (index % count < first.weightCount) != value.isPoison
        }
        if !untouched { judge.complain("the padding of a tile's gradients was written, or a gradient was not") }
        // A product and an addition a position, then the lanes of a tile.
        let deltas = try outputGradients(1, first)
        let inputs = before["input1"] ?? []
        for replica in replicas {
            for number in 0..<tiles {
                let sums = weightGradient(
                    first, members(ofTile: number), roundings: first.outHeight * first.outWidth + tile + 1
                ) { sample in (image(inputs, replica, sample).map { Double($0) }, deltas(replica, sample)) }
                let place = (replica * tiles + number) * count
                judge.check(
                    "first weights of replica \(replica), tile \(number)",
                    Array(contents.values[place..<place + first.weightCount]), equals: sums)
            }
        }
        var gradients = try normTensors(1, first.outChannels)
        let (nextInputs, nextDeltas) = (before["input2"] ?? [], before["convolved2"] ?? [])
        // Here the positions of all tiles.
        gradients["weights2"] = replicas.flatMap { replica in
            weightGradient(
                second, 0..<samples, roundings: second.outHeight * second.outWidth * tiles + tile + 1
            ) { sample in
                (
                    image(nextInputs, replica, sample).map { Double($0) },
                    image(nextDeltas, replica, sample).map { Bounded($0) }
                )
            }
        }
        try judgeGradients(&judge, gradients)
    }

    private func weightGradient(
        _ conv: Conv2DShape, _ samples: Range<Int>, roundings: Int, _ image: (Int) -> ([Double], [Bounded])
    ) -> [Bounded] {
        var sums = [Bounded](repeating: Bounded(0.0, error: Rounding.least), count: conv.weightCount)
        for sample in samples {
            let (input, gradient) = image(sample)
            conv.addWeightGradient(of: input, gradient, roundings: roundings, to: &sums)
        }
        return sums
    }

    /// The gradients of a convolution's output, of which the operation was given the values, for a replica's sample.
    private func outputGradients(_ index: Int, _ conv: Conv2DShape) throws -> (Int, Int) -> [Bounded] {
        let channels = conv.outChannels
        let (height, width) = (conv.outHeight, conv.outWidth)
        let (pooledHeight, pooledWidth) = (height / 2, width / 2)
        let plane = before["convolved\(index)"] ?? []
        let pooled = before["gradient\(index)"] ?? []
        guard let won = expected.winners["winners\(index)"], let (_, buffer) = actual.tiled["sums\(index)"] else {
            return { _, _ in [] }
        }
        let winners = expected.batch.layout(won.values).unpack(try won.buffer.contents().values)
        let (sums, saved) = (try buffer.contents().values, try saved(index))
        let norms = replicas.flatMap { replica -> [NormGradientTruth] in
            let gammas = tensor("gamma\(index)", replica)
            return (0..<channels).map { channel in
                let partials = (0..<tiles).map { 2 * ((replica * tiles + $0) * channels + channel) }
                let place = 2 * (replica * channels + channel)
                return NormGradientTruth(
                    sums: partials.map { sums[$0] }, products: partials.map { sums[$0 + 1] },
                    count: samples * height * width, mean: saved[place], inverse: saved[place + 1],
                    gamma: gammas[channel])
            }
        }
        return { replica, sample in
            let first = (replica * samples + sample) * channels
            return (0..<channels * height * width).map { entry in
                let (channel, row, column) = (entry / (height * width), entry / width % height, entry % width)
                var passed: Float = 0
                if row / 2 < pooledHeight, column / 2 < pooledWidth {
                    let pool = ((first + channel) * pooledHeight + row / 2) * pooledWidth + column / 2
                    if Int(winners[pool]) == 2 * (row % 2) + column % 2 { passed = pooled[pool] }
                }
                return norms[replica * channels + channel].gradient(
                    of: plane[first * height * width + entry], passed: passed)
            }
        }
    }

    /// The gradients of gamma and beta: what the tiles have, added up.
    private func normTensors(_ index: Int, _ channels: Int) throws -> [String: [Bounded]] {
        guard let (_, buffer) = actual.tiled["sums\(index)"] else { return [:] }
        let sums = try buffer.contents().values
        func total(_ offset: Int) -> [Bounded] {
            (0..<replicas.count * channels).map { entry in
                let terms = (0..<tiles).map {
                    Bounded(sums[2 * ((entry / channels * tiles + $0) * channels + entry % channels) + offset])
                }
                return Bounded.sum(terms, additions: tiles)
            }
        }
        return ["gamma\(index)": total(1), "beta\(index)": total(0)]
    }

    /// The gradients of some tensors, [replica][element]; all others must stay as they are.
    private func judgeGradients(_ judge: inout CaseJudge, _ truths: [String: [Bounded]]) throws {
        guard let mine = try actual.perReplica["gradients"]?.contents() else { return }
        judge.checkGuards("gradients", mine)
        var owned = [Bool](repeating: false, count: mine.values.count)
        for (name, truth) in truths.sorted(by: { $0.key < $1.key }) {
            guard let (offset, count) = actual.layout.tensors[name] else { continue }
            let indices = replicas.flatMap { replica in
                (0..<count).map { replica * actual.layout.count + offset + $0 }
            }
            for index in indices { owned[index] = true }
            if indices.contains(where: { mine.values[$0].isPoison }) {
                judge.complain("a gradient of \(name) was never written")
            }
            judge.check("gradient of \(name)", indices.map { mine.values[$0] }, equals: truth)
        }
        // The operations before this one wrote theirs on the reference path alone.
        if let stray = owned.indices.first(where: { !owned[$0] && !mine.values[$0].isPoison }) {
            judge.complain("gradients[\(stray)] was written and is no gradient of this operation")
        }
    }
}
