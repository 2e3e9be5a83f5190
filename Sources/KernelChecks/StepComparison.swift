import Compute

/// The largest magnitudes of what an operation reads: the natural measure of its roundings.
struct StepMagnitudes {
    private let largest: [String: Double]

    init(_ network: StepNetwork) throws {
        var found: [String: Double] = [:]
        for name in network.activations.keys {
            found[name] = try network.values(name).reduce(0) { $1.isFinite ? max($0, Double($1.magnitude)) : $0 }
        }
        largest = found
    }

    subscript(name: String) -> Double { largest[name] ?? 0 }
}

/// Holds what an operation wrote on a backend against what it wrote on the reference path.
struct StepComparison {
    private let stepCase: StepCase
    private let actual, expected: StepNetwork
    private let before: StepMagnitudes
    private let epsilon = Double(Float.ulpOfOne)

    init(_ stepCase: StepCase, _ actual: StepNetwork, _ expected: StepNetwork, _ before: StepMagnitudes) {
        self.stepCase = stepCase
        self.actual = actual
        self.expected = expected
        self.before = before
    }

    private var shape: StepShape { stepCase.shape }

    func judge(_ judge: inout CaseJudge) throws {
        switch stepCase.operation {
        case .gathered: try judgeGathered(&judge)
        case .normalised: try judgeNormalised(&judge)
        case .classifier, .predictions: try judgeClassifier(&judge)
        case .blockBackward: try judgeBlockBackward(&judge)
        case .weightGradients: try judgeWeightGradients(&judge)
        }
    }

    private func check(_ judge: inout CaseJudge, _ name: String, _ tolerance: Tolerance, maskedZero: Bool = false)
        throws
    {
        guard let mine = actual.activations[name], let theirs = expected.activations[name] else { return }
        judge.check(
            name, try mine.buffer.contents(), of: actual.batch, equals: try theirs.buffer.contents(),
            of: expected.batch, values: mine.values, within: tolerance, maskedZero: maskedZero)
    }

    private func check(_ judge: inout CaseJudge, replicas name: String, _ tolerance: Tolerance) throws {
        guard let mine = actual.perReplica[name], let theirs = expected.perReplica[name] else { return }
        judge.check(name, try mine.contents(), equals: try theirs.contents().values, within: tolerance)
    }

    private func check(_ judge: inout CaseJudge, totals name: String, _ tolerance: Tolerance) throws {
        guard let mine = actual.tiled[name] else { return }
        judge.checkGuards(name, try mine.buffer.contents())
        judge.check(name, try actual.total(name), equals: try expected.total(name), within: tolerance)
    }

    private func judgeGathered(_ judge: inout CaseJudge) throws {
        // One product and one sum of numbers up to 3.3: an epsilon each.
        try check(&judge, "input1", Tolerance(absolute: 4 * epsilon), maskedZero: true)
        try judgeConvolution(&judge, 1, actual.first.shape, largestInput: 3.3, plus: stepCase.kind == .offset ? 51 : 1)
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
        try check(&judge, "input2", normalised(before["extremes1"]))
        try judgeStatistics(&judge, 1)
        let largest = try expected.values("input2").reduce(0.0) { $1.isFinite ? max($0, Double($1.magnitude)) : $0 }
        // The roundings of the input count as well, for as many terms.
        try judgeConvolution(&judge, 2, actual.second.shape, largestInput: 16 * largest, plus: 1)
    }

    /// A handful of roundings of statistics near 1, and one of each value relative to the spread.
    private func normalised(_ largest: Double) -> Tolerance {
        Tolerance(absolute: 64 * epsilon * (1 + largest), ofLargest: 64 * epsilon)
    }

    private func judgeStatistics(_ judge: inout CaseJudge, _ index: Int) throws {
        guard stepCase.pass == .training else {
            judge.check(
                "running\(index)", try actual.perReplica["running\(index)"]?.contents().values ?? [],
                equals: try expected.perReplica["running\(index)"]?.contents().values ?? [], within: .exact)
            return
        }
        let tolerance = Tolerance(absolute: 32 * epsilon * (1 + before["extremes\(index)"]), relative: 64 * epsilon)
        try check(&judge, replicas: "saved\(index)", tolerance)
        try check(&judge, replicas: "running\(index)", tolerance)
    }

    /// A convolution with what follows it.
    private func judgeConvolution(
        _ judge: inout CaseJudge, _ index: Int, _ conv: Conv2DShape, largestInput: Double, plus bias: Double
    ) throws {
        let taps = conv.inChannels * conv.kernel * conv.kernel
        let value = Tolerance(
            absolute: 2 * epsilon * (largestInput + bias) * Double(taps + 4), relative: 8 * epsilon)
        try check(&judge, "extremes\(index)", value)
        guard stepCase.pass == .training else { return }
        try check(&judge, "convolved\(index)", value)
        try judgePools(&judge, index, conv)
        let positions = conv.outHeight * conv.outWidth
        let count = stepCase.batch.samples * positions
        if let (_, buffer) = actual.tiled["partials\(index)"] { judge.checkGuards("partials", try buffer.contents()) }
        let (mine, theirs) = (
            try actual.joined("partials\(index)", positions: positions),
            try expected.joined("partials\(index)", positions: positions)
        )
        let spread = Double(taps) * (largestInput + (stepCase.kind == .offset ? 5 : 1))
        judge.check(
            "means", even(mine, 0), equals: even(theirs, 0),
            within: Tolerance(absolute: value.absolute, relative: 16 * epsilon))
        judge.check(
            "sums of squares", even(mine, 1), equals: even(theirs, 1),
            within: Tolerance(
                absolute: 4 * epsilon * Double(count + taps) * spread * (1 + bias * 0.1),
                relative: 64 * epsilon * Double(taps)))
    }

    private func even(_ values: [Float], _ offset: Int) -> [Float] {
        stride(from: offset, to: values.count, by: 2).map { values[$0] }
    }

    /// Winners and extremes must be those of the backend's own convolution, exactly: the first of equals.
    private func judgePools(_ judge: inout CaseJudge, _ index: Int, _ conv: Conv2DShape) throws {
        guard let won = actual.winners["winners\(index)"] else { return }
        let contents = try won.buffer.contents()
        judge.checkGuards("winners\(index)", contents)
        let winners = actual.batch.layout(won.values).unpack(contents.values)
        let (plane, extremes) = (try actual.values("convolved\(index)"), try actual.values("extremes\(index)"))
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
            let same = extremes[entry] == values[winner] || (extremes[entry].isNaN && values[winner].isNaN)
            if winners[entry] != UInt8(winner) || !same {
                judge.complain(
                    "winners\(index)[\(entry)] is \(winners[entry]) with \(extremes[entry]), \(winner) of \(values) is due"
                )
                return
            }
        }
    }

    private func judgeClassifier(_ judge: inout CaseJudge) throws {
        let terms = actual.classifier.first.shape.inputs + shape.widths.0 + shape.widths.1 + shape.classes
        // Each layer adds its own roundings to those that it is given.
        let deep = Tolerance(
            absolute: 64 * epsilon * (1 + before["extremes2"]), ofLargest: 8 * epsilon * Double(terms + 16))
        try check(&judge, "layer1", normalised(before["extremes2"]))
        for name in ["layer2", "layer3", "logits"] { try check(&judge, name, deep) }
        if stepCase.operation == .classifier { try judgeStatistics(&judge, 2) }
        guard stepCase.operation == .classifier else {
            judge.check("cursor", try actual.cursor.contents(), equals: [Int32(StepValues.step + 1)])
            return
        }
        // A probability moves as far as the logits do.
        let logits = try expected.values("logits").reduce(1.0) { $1.isFinite ? max($0, Double($1.magnitude)) : $0 }
        let samples = Double(stepCase.batch.samples)
        let back = Tolerance(
            absolute: 8 * epsilon * logits * Double(terms + 16) / samples,
            ofLargest: 8 * epsilon * Double(terms + 16) * logits)
        for name in ["delta3", "delta2", "delta1", "gradient2"] { try check(&judge, name, back, maskedZero: true) }
        for (index, layer) in [
            ("1", actual.classifier.first), ("2", actual.classifier.second), ("3", actual.classifier.third),
        ] {
            try judgeTransposed(&judge, index, columns: layer.shape.outputs)
        }
        let loss = Tolerance(absolute: 8 * epsilon * logits * Double(terms + 16) * samples, relative: 16 * epsilon)
        try check(&judge, totals: "results", loss)
        let largest = try expected.values("gradient2").reduce(0.0) { $1.isFinite ? max($0, Double($1.magnitude)) : $0 }
        let count = samples * Double((actual.second.shape.outHeight / 2) * (actual.second.shape.outWidth / 2))
        try check(
            &judge, totals: "sums2",
            Tolerance(
                absolute: 8 * epsilon * largest * (count + Double(terms + 16) * logits) * (1 + before["extremes2"])))
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

    private func judgeBlockBackward(_ judge: inout CaseJudge) throws {
        let conv = actual.second.shape
        try check(&judge, "convolved2", Tolerance(absolute: 1e-7, ofLargest: 32 * epsilon), maskedZero: true)
        let delta = try expected.values("convolved2").reduce(0.0) { max($0, Double($1.magnitude)) }
        let taps = conv.outChannels * conv.kernel * conv.kernel
        let gradient = 8 * epsilon * delta * Double(taps + 4)
        try check(&judge, "gradient1", Tolerance(absolute: gradient), maskedZero: true)
        let count = Double(stepCase.batch.samples * conv.height * conv.width)
        let largest = try expected.values("gradient1").reduce(0.0) { max($0, Double($1.magnitude)) }
        try check(
            &judge, totals: "sums1",
            Tolerance(absolute: (gradient + 4 * epsilon * largest) * count * (1 + before["extremes1"]) * 4))
        let samples = stepCase.batch.samples
        var tolerances: [String: Tolerance] = [:]
        for index in 1...3 {
            let size = max(1, before["layer\(index)"]) * before["delta\(index)"]
            tolerances["linear\(index)"] = .sum(of: samples, magnitude: size)
        }
        tolerances["gamma2"] = Tolerance(absolute: 1e-6, relative: 1e-6)
        tolerances["beta2"] = Tolerance(absolute: 1e-6, relative: 1e-6)
        try judgeGradients(&judge, tolerances)
    }

    private func judgeWeightGradients(_ judge: inout CaseJudge) throws {
        let (first, second) = (actual.first.shape, actual.second.shape)
        // Of the first block's own gradient a backend may keep what it likes: here the reference's is the measure.
        let delta = try expected.values("convolved1").reduce(0.0) { max($0, Double($1.magnitude)) }
        let samples = stepCase.batch.samples
        guard let (count, buffer) = actual.tiled["tile gradients"] else { return }
        judge.checkGuards("tile gradients", try buffer.contents())
        // Padding is left as it was: poison on both sides, which is no number.
        let weights = (0..<stepCase.batch.replicas).flatMap { replica in
            (0..<first.weightCount).map { replica * count + $0 }
        }
        let (mine, theirs) = (try actual.total("tile gradients"), try expected.total("tile gradients"))
        judge.check(
            "first weights", weights.map { mine[$0] }, equals: weights.map { theirs[$0] },
            within: .sum(of: samples * first.outHeight * first.outWidth, magnitude: 8 * delta * before["input1"]))
        let untouched = try buffer.contents().values.enumerated().allSatisfy { index, value in
            (index % count < first.weightCount) != value.isPoison
        }
        if !untouched { judge.complain("the padding of a tile's gradients was written, or a gradient was not") }
        try judgeGradients(
            &judge,
            [
                "weights2": .sum(
                    of: samples * second.outHeight * second.outWidth,
                    magnitude: before["convolved2"] * before["input2"]),
                "gamma1": Tolerance(absolute: 1e-6, relative: 1e-6), "beta1": Tolerance(absolute: 1e-6, relative: 1e-6),
            ])
    }

    /// The gradients of some tensors; all others must stay as they are.
    private func judgeGradients(_ judge: inout CaseJudge, _ tolerances: [String: Tolerance]) throws {
        guard let mine = try actual.perReplica["gradients"]?.contents(),
            let theirs = try expected.perReplica["gradients"]?.contents().values
        else { return }
        judge.checkGuards("gradients", mine)
        var owned = [Bool](repeating: false, count: mine.values.count)
        for (name, tolerance) in tolerances.sorted(by: { $0.key < $1.key }) {
            guard let (offset, count) = actual.layout.tensors[name] else { continue }
            let indices = (0..<stepCase.batch.replicas).flatMap { replica in
                (0..<count).map { replica * actual.layout.count + offset + $0 }
            }
            for index in indices { owned[index] = true }
            if indices.contains(where: { mine.values[$0].isPoison }) {
                judge.complain("a gradient of \(name) was never written")
            }
            judge.check(
                "gradient of \(name)", indices.map { mine.values[$0] }, equals: indices.map { theirs[$0] },
                within: tolerance)
        }
        // The operations before this one wrote theirs on the reference path alone.
        if let stray = owned.indices.first(where: { !owned[$0] && !mine.values[$0].isPoison }) {
            judge.complain("gradients[\(stray)] was written and is no gradient of this operation")
        }
    }
}
