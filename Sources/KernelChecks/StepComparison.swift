import Compute

/// Holds every stage of what an operation wrote on a backend against the same in double precision. A stage is computed
/// from its own inputs as the backend has them: from what the case gave it, or from what the stage before it wrote.
/// So no error but the stage's own roundings stands between the two, and a fault shows where it is.
/// The reference path makes what comes before the operation, and says which samples, labels and step are due.
struct StepComparison {
    let stepCase: StepCase
    let actual, expected: StepNetwork
    let start: StepValues
    /// What the operation reads, [replica][sample][value], as it was before.
    let before: [String: [Float]]
    private let parameters: [Float]

    init(
        _ stepCase: StepCase, _ actual: StepNetwork, _ expected: StepNetwork, _ start: StepValues,
        before: [String: [Float]]
    ) {
        self.stepCase = stepCase
        self.actual = actual
        self.expected = expected
        self.start = start
        self.before = before
        parameters = start.parameters
    }

    var samples: Int { stepCase.batch.samples }
    var replicas: Range<Int> { 0..<stepCase.batch.replicas }
    var tile: Int { actual.batch.backend.tile }
    var tiles: Int { actual.batch.shape.tiles }

    func judge(_ judge: inout CaseJudge) throws {
        switch stepCase.operation {
        case .gathered: try judgeGathered(&judge)
        case .normalised: try judgeNormalised(&judge)
        case .classifier, .predictions: try judgeClassifier(&judge)
        case .blockBackward: try judgeBlockBackward(&judge)
        case .weightGradients: try judgeWeightGradients(&judge)
        }
    }

    /// The samples of a tile.
    func members(ofTile number: Int) -> Range<Int> {
        min(number * tile, samples)..<min((number + 1) * tile, samples)
    }

    /// A tensor of a replica's parameters.
    func tensor(_ name: String, _ replica: Int) -> [Float] {
        guard let (offset, count) = actual.layout.tensors[name] else { return [] }
        let first = replica * actual.layout.count + offset
        return Array(parameters[first..<first + count])
    }

    func doubles(_ name: String, _ replica: Int) -> [Double] { tensor(name, replica).map { Double($0) } }

    /// One image of an activation.
    func image(_ values: [Float], _ replica: Int, _ sample: Int) -> ArraySlice<Float> {
        let count = values.count / (replicas.count * samples)
        let first = (replica * samples + sample) * count
        return values[first..<first + count]
    }

    /// Checks an activation, a replica at a time, against what `truth` has of each sample.
    func check(
        _ judge: inout CaseJudge, _ name: String, maskedZero: Bool = false,
        _ truth: (_ replica: Int, _ sample: Int) -> [Bounded]
    ) throws {
        guard let (count, buffer) = actual.activations[name] else { return }
        let contents = try buffer.contents()
        judge.checkGuards(name, contents)
        let layout = actual.batch.layout(count)
        let values = layout.unpack(contents.values)
        for replica in replicas {
            let first = replica * samples * count
            judge.check(
                replicas.count > 1 ? "\(name) of replica \(replica)" : name,
                Array(values[first..<first + samples * count]),
                equals: (0..<samples).flatMap { truth(replica, $0) })
        }
        if maskedZero, let stray = layout.maskedValues(contents.values).first(where: { $0 != 0 }) {
            judge.complain("\(name) holds \(stray) in a masked sample, 0 is due")
        }
    }

    /// Checks what has an entry a tile against what `truth` has of each.
    func check(
        _ judge: inout CaseJudge, tiles name: String, _ truth: (_ replica: Int, _ tile: Int) -> [Bounded]
    ) throws {
        guard let (_, buffer) = actual.tiled[name] else { return }
        judge.check(
            name, try buffer.contents(),
            equals: replicas.flatMap { replica in (0..<tiles).flatMap { truth(replica, $0) } })
    }

    func saved(_ index: Int) throws -> [Float] { try actual.perReplica["saved\(index)"]?.contents().values ?? [] }

    private func judgeGathered(_ judge: inout CaseJudge) throws {
        let gather = actual.gather
        let stride = start.order.count / replicas.count
        try check(&judge, "input1", maskedZero: true) { replica, sample in
            let place = replica * stride + StepValues.firstSample + sample
            let image = Int(start.order[place])
            let positions = gather.pixels / gather.channels
            return (0..<gather.pixels).map { pixel in
                let (scale, shift) = StepValues.scaling[pixel / positions]
                var source: Int? = pixel % positions
                if let changes = start.changes {
                    let (height, width) = (actual.shape.height, actual.shape.width)
                    source = changes.source(of: pixel % positions, at: place, height: height, width: width)
                }
                let first = image * gather.pixels + pixel / positions * positions
                let value = source.map { Double(start.images[first + $0]) } ?? 0
                return Bounded(value) * Bounded(scale) + Bounded(shift)
            }
        }
        try judgeConvolution(&judge, 1, actual.first.shape)
        judge.check("current", try actual.current.contents(), equals: try expected.current.contents().values)
        let labels = try actual.labels.contents()
        judge.checkGuards("labels", labels)
        let (mine, theirs) = (actual.batch.layout(1), expected.batch.layout(1))
        if let difference = differences(
            mine.unpack(labels.values), theirs.unpack(try expected.labels.contents().values))
        {
            judge.complain("labels\(difference)")
        }
        if mine.maskedValues(labels.values).contains(where: { $0 != -1 }) {
            judge.complain("the label of a masked sample is not -1")
        }
        judge.check("cursor", try actual.cursor.contents(), equals: [Int32(StepValues.step)])
    }

    private func judgeNormalised(_ judge: inout CaseJudge) throws {
        try judgeNorm(&judge, 1, of: actual.first.shape, into: "input2")
        try judgeConvolution(&judge, 2, actual.second.shape)
    }

    /// A block's statistics, and its pooled as they are normalised with them.
    private func judgeNorm(_ judge: inout CaseJudge, _ index: Int, of conv: Conv2DShape, into name: String) throws {
        let channels = conv.outChannels
        let running = index == 1 ? start.running1 : start.running2
        var norms: [NormTruth] = []
        if stepCase.pass == .training {
            try judgeStatistics(&judge, index, conv, running)
            let saved = try saved(index)
            for replica in replicas {
                let (gammas, betas) = (tensor("gamma\(index)", replica), tensor("beta\(index)", replica))
                for channel in 0..<channels {
                    let place = 2 * (replica * channels + channel)
                    norms.append(
                        NormTruth(
                            mean: Bounded(saved[place]), inverse: Bounded(saved[place + 1]), gamma: gammas[channel],
                            beta: betas[channel]))
                }
            }
        } else {
            judge.check(
                "running\(index)", try actual.perReplica["running\(index)"]?.contents().values ?? [], equals: running,
                within: .exact)
            for replica in replicas {
                let (gammas, betas) = (tensor("gamma\(index)", replica), tensor("beta\(index)", replica))
                for channel in 0..<channels {
                    let place = 2 * replica * channels + channel
                    norms.append(
                        NormTruth(
                            mean: Bounded(running[place]),
                            inverse: NormTruth.inverse(Bounded(running[place + channels])), gamma: gammas[channel],
                            beta: betas[channel]))
                }
            }
        }
        let pooled = before["pooled\(index)"] ?? []
        try check(&judge, name) { replica, sample in
            let values = image(pooled, replica, sample)
            let positions = values.count / channels
            return values.enumerated().map { norms[replica * channels + $0.offset / positions]($0.element) }
        }
    }

    /// Saved and running statistics, from the tiles' own.
    private func judgeStatistics(_ judge: inout CaseJudge, _ index: Int, _ conv: Conv2DShape, _ running: [Float]) throws
    {
        guard let (_, buffer) = actual.tiled["partials\(index)"] else { return }
        let partials = try buffer.contents().values
        let channels = conv.outChannels
        let positions = conv.outHeight * conv.outWidth
        var saved: [Bounded] = []
        var moved = [Bounded](repeating: Bounded(0.0), count: running.count)
        for entry in 0..<replicas.count * channels {
            let (replica, channel) = (entry / channels, entry % channels)
            var joined = StatisticsTruth()
            for number in 0..<tiles {
                let partial = 2 * ((replica * tiles + number) * channels + channel)
                joined.join(
                    mean: partials[partial], squares: partials[partial + 1],
                    count: members(ofTile: number).count * positions)
            }
            saved.append(joined.mean)
            saved.append(NormTruth.inverse(joined.squares / Bounded(joined.count)))
            let unbiased = joined.squares / Bounded(joined.count - 1)
            for (place, newest) in [
                (2 * replica * channels + channel, joined.mean), ((2 * replica + 1) * channels + channel, unbiased),
            ] {
                let old = Bounded(running[place])
                moved[place] = old + Bounded(BatchNormReluPool.momentum) * (newest - old)
            }
        }
        if let contents = try actual.perReplica["saved\(index)"]?.contents() {
            judge.check("saved\(index)", contents, equals: saved)
        }
        if let contents = try actual.perReplica["running\(index)"]?.contents() {
            judge.check("running\(index)", contents, equals: moved)
        }
    }

    /// A convolution with what follows it.
    private func judgeConvolution(_ judge: inout CaseJudge, _ index: Int, _ conv: Conv2DShape) throws {
        let input = try actual.values("input\(index)")
        let weights = replicas.map { doubles("weights\(index)", $0) }
        let bias = replicas.map { doubles("bias\(index)", $0) }
        func output(_ replica: Int, _ sample: Int) -> [Bounded] {
            conv.output(
                of: image(input, replica, sample).map { Double($0) }, weights: weights[replica], bias: bias[replica])
        }
        guard stepCase.pass == .training else {
            let gammas = replicas.map { tensor("gamma\(index)", $0) }
            try check(&judge, "pooled\(index)") { replica, sample in
                pooled(of: output(replica, sample), conv, gammas[replica])
            }
            return
        }
        try check(&judge, "convolved\(index)", output)
        if let (_, buffer) = actual.activations["pooled\(index)"] {
            judge.checkGuards("pooled\(index)", try buffer.contents())
        }
        try judgePools(&judge, index, conv)
        let plane = try actual.values("convolved\(index)")
        let positions = conv.outHeight * conv.outWidth
        try check(&judge, tiles: "partials\(index)") { replica, number in
            (0..<conv.outChannels).flatMap { channel -> [Bounded] in
                let values = members(ofTile: number).map { sample -> ArraySlice<Float> in
                    let first = image(plane, replica, sample).startIndex + channel * positions
                    return plane[first..<first + positions]
                }
                let truth = StatisticsTruth(of: values, positions: positions, tile: tile)
                return [truth.mean, truth.squares]
            }
        }
    }

    /// What wins each pool. The winner itself may be another one of those that rounding brings together; none of the four
    /// moves the extreme by more than its own bound.
    private func pooled(of plane: [Bounded], _ conv: Conv2DShape, _ gammas: [Float]) -> [Bounded] {
        let (height, width) = (conv.outHeight / 2, conv.outWidth / 2)
        return (0..<conv.outChannels * height * width).map { entry in
            let (channel, row, column) = (entry / (height * width), entry / width % height, entry % width)
            let corner = (channel * conv.outHeight + 2 * row) * conv.outWidth + 2 * column
            let four = [0, 1, conv.outWidth, conv.outWidth + 1].map { plane[corner + $0] }
            if let lost = four.first(where: \.value.isNaN) { return lost }
            guard gammas[channel] != 0 else { return four[0] }
            let values = four.map(\.value)
            let best = gammas[channel] > 0 ? values.max() : values.min()
            return Bounded(best ?? 0, error: four.map(\.error).max() ?? 0)
        }
    }

    /// Winners and pooled must be those of the backend's own convolution, exactly: the first of equals.
    private func judgePools(_ judge: inout CaseJudge, _ index: Int, _ conv: Conv2DShape) throws {
        guard let won = actual.winners["winners\(index)"] else { return }
        let contents = try won.buffer.contents()
        judge.checkGuards("winners\(index)", contents)
        let winners = actual.batch.layout(won.values).unpack(contents.values)
        let (plane, pooled) = (try actual.values("convolved\(index)"), try actual.values("pooled\(index)"))
        let gammas = try actual.batch.backend.read(actual.first.weights.buffer)
        let offset = actual.layout.tensors["gamma\(index)"]?.offset ?? 0
        let (height, width) = (conv.outHeight / 2, conv.outWidth / 2)
        for entry in winners.indices {
            let (position, planeIndex) = (entry % (height * width), entry / (height * width))
            let (channel, sample) = (planeIndex % conv.outChannels, planeIndex / conv.outChannels)
            let gamma = gammas[sample / stepCase.batch.samples * actual.layout.count + offset + channel]
            let direction: Float = gamma > 0 ? 1 : gamma < 0 ? -1 : 0
            let corner = (planeIndex * conv.outHeight + 2 * (position / width)) * conv.outWidth + 2 * (position % width)
            let values = [0, 1, conv.outWidth, conv.outWidth + 1].map { plane[corner + $0] }
            var winner = 0
            for place in 1..<4 {
                let (value, key) = (values[place] * direction, values[winner] * direction)
                if !(value <= key), key == key { winner = place }
            }
            let same = pooled[entry] == values[winner] || (pooled[entry].isNaN && values[winner].isNaN)
            if winners[entry] != UInt8(winner) || !same {
                judge.complain(
                    "winners\(index)[\(entry)] is \(winners[entry]) with \(pooled[entry]), \(winner) of \(values) is due"
                )
                return
            }
        }
    }

    private func judgeClassifier(_ judge: inout CaseJudge) throws {
        let classifier = actual.classifier
        try judgeNorm(&judge, 2, of: actual.second.shape, into: "layer1")
        let layers = classifier.layers.map(\.shape)
        let weights = stepCase.shape.layerNames("linear").map { name in replicas.map { doubles(name, $0) } }
        for (number, output) in (stepCase.shape.layerNames("layer").dropFirst() + ["logits"]).enumerated() {
            let input = try actual.values("layer\(number + 1)")
            try check(&judge, output) { replica, sample in
                let sums = layers[number].output(
                    of: image(input, replica, sample).map { Double($0) }, weights: weights[number][replica])
                return number + 1 < layers.count ? sums.map(\.rectified) : sums
            }
        }
        guard stepCase.operation == .classifier else {
            judge.check("cursor", try actual.cursor.contents(), equals: [Int32(StepValues.step + 1)])
            return
        }
        try judgeLoss(&judge)
        for number in layers.indices.reversed() {
            let gradient = number == 0 ? "gradient2" : "delta\(number)"
            let input = try actual.values("layer\(number + 1)")
            let delta = try actual.values("delta\(number + 1)")
            let columns = weights[number].map { layers[number].columns(of: $0) }
            try check(&judge, gradient, maskedZero: true) { replica, sample in
                layers[number].inputGradient(
                    of: image(delta, replica, sample).map { Double($0) }, columns: columns[replica],
                    input: image(input, replica, sample).map { Double($0) })
            }
        }
        for (number, layer) in layers.enumerated() {
            try judgeTransposed(&judge, "\(number + 1)", columns: layer.outputs)
        }
        try judgeSums(&judge, 2, actual.second.shape)
    }

    /// The gradient of the logits, losses and right answers.
    private func judgeLoss(_ judge: inout CaseJudge) throws {
        let logits = try actual.values("logits")
        let labels = expected.batch.layout(1).unpack(try expected.labels.contents().values)
        let truths = replicas.map { replica in
            (0..<samples).map { sample in
                SoftmaxTruth(
                    image(logits, replica, sample), label: Int(labels[replica * samples + sample]), valid: samples,
                    weight: actual.weights?.plain[replica * samples + sample])
            }
        }
        try check(&judge, "delta\(actual.classifier.layers.count)", maskedZero: true) { truths[$0][$1].gradient }
        try check(&judge, tiles: "loss and correct") { replica, number in
            let members = members(ofTile: number)
            let right = members.count { truths[replica][$0].best == Int(labels[replica * samples + $0]) }
            return [
                Bounded.sum(members.map { truths[replica][$0].loss }, additions: tile), Bounded(Double(right)),
            ]
        }
        try actual.weights?.check(truths.joined().map(\.loss), &judge)
    }

    /// The sums over each tile of a block's pooled gradient, and of it times the normalised input, of which each product
    /// is a deviation times the inverse deviation times the gradient. No term passes through more additions than there
    /// are positions and lanes.
    func judgeSums(_ judge: inout CaseJudge, _ index: Int, _ conv: Conv2DShape) throws {
        let gradient = try actual.values("gradient\(index)")
        let pooled = before["pooled\(index)"] ?? []
        let saved = try saved(index)
        let channels = conv.outChannels
        let positions = (conv.outHeight / 2) * (conv.outWidth / 2)
        try check(&judge, tiles: "sums\(index)") { replica, number in
            (0..<channels).flatMap { channel -> [Bounded] in
                let place = 2 * (replica * channels + channel)
                let (mean, inverse) = (Bounded(saved[place]), Bounded(saved[place + 1]))
                var (terms, products): ([Bounded], [Bounded]) = ([], [])
                for sample in members(ofTile: number) {
                    let first = image(gradient, replica, sample).startIndex + channel * positions
                    for index in first..<first + positions {
                        let passed = Bounded(gradient[index])
                        terms.append(passed)
                        products.append(passed * ((Bounded(pooled[index]) - mean) * inverse))
                    }
                }
                return [terms, products].map { Bounded.sum($0, additions: positions + tile) }
            }
        }
    }

    /// The transposed gradient is the plain one, with zeros in its padding.
    private func judgeTransposed(_ judge: inout CaseJudge, _ index: String, columns: Int) throws {
        guard let (stride, buffer) = actual.rows["transposed\(index)"] else { return }
        let contents = try buffer.contents()
        judge.checkGuards("transposed\(index)", contents)
        let rows = actual.batch.untransposed(contents.values, stride: stride)
        let plain = try actual.values("delta\(index)")
        let padded = (0..<stepCase.batch.replicas * stepCase.batch.samples).flatMap { row in
            plain[row * columns..<(row + 1) * columns] + [Float](repeating: 0, count: stride - columns)
        }
        judge.check("transposed\(index)", rows.valid, equals: padded, within: .exact)
        if rows.masked.contains(where: { $0 != 0 }) {
            judge.complain("transposed\(index) of a masked sample is not 0")
        }
    }
}
