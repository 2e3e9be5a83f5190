import Compute

/// What becomes of logits: their loss and its gradient, or predictions.
struct LogitsCase: KernelCase {
    /// What is special about the logits.
    enum Kind: String {
        case plain
        /// A few whole numbers: the first of the largest wins.
        case ties
        /// Their exponentials overflow unless the largest is taken off first.
        case large = "large logits"
        /// A NaN in the first sample of the last network.
        case poisoned = "a NaN"
        /// Each sample of the loss has a weight.
        case weighted = "weights"
    }
    let isLoss: Bool
    let batch: (replicas: Int, samples: Int)
    let classes: Int
    let seed: UInt64
    var kind = Kind.plain
    var kernel: String { isLoss ? SoftmaxCrossEntropy.kernel : PredictClasses.kernel }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(classes) classes, seed \(seed)"
            + (kind == .plain ? "" : ", \(kind.rawValue)")
    }
    var form: String { kind == .weighted ? "weighted" : "any" }
    var variety: String { kernel + (kind == .weighted ? ", weighted" : "") }
    var cost: Int { 20 * batch.replicas * AwkwardBatch.room(for: batch.samples) * classes }

    static func cases(isLoss: Bool, seed: UInt64) -> [any KernelCase] {
        let counts = [10, 1, 2, 16, 17, 31, 10, 100]
        return zip(counts, AwkwardBatch.all).map { LogitsCase(isLoss: isLoss, batch: $1, classes: $0, seed: seed) }
            + [Kind.ties, .large, .poisoned].map {
                LogitsCase(isLoss: isLoss, batch: (2, 17), classes: 10, seed: seed, kind: $0)
            }
            + (isLoss
                ? zip(counts, AwkwardBatch.all).map {
                    LogitsCase(isLoss: true, batch: $1, classes: $0, seed: seed, kind: .weighted)
                } : [])
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let (replicas, samples) = self.batch
        var logits = random.floats(replicas * samples * classes, in: -3...3)
        switch kind {
        case .plain, .weighted: break
        case .ties: logits = logits.map { $0.rounded() }
        case .large: logits = logits.map { 200 * $0 }
        case .poisoned: logits[(replicas - 1) * samples * classes] = .nan
        }
        let labels = random.integers(replicas * samples, in: 0..<classes)
        let buffer = try batch.activation(logits, values: classes, masked: 2, label: "logits")
        let weights = kind == .weighted ? try CaseWeights(batch, first: 5, &random) : nil
        let truths = (0..<replicas * samples).map {
            SoftmaxTruth(
                logits[($0 * classes)...].prefix(classes), label: Int(labels[$0]), valid: samples,
                weight: weights?.plain[$0])
        }
        if isLoss {
            try checkLoss(buffer, labels, truths, weights, batch, &judge)
        } else {
            try checkPredictions(buffer, truths, batch, &judge)
        }
        return judge.result
    }

    private func checkLoss(
        _ logits: DeviceBuffer<Float>, _ labels: [Int32], _ truths: [SoftmaxTruth], _ weights: CaseWeights?,
        _ batch: CaseBatch, _ judge: inout CaseJudge
    ) throws {
        let (backend, room, samples) = (batch.backend, batch.layout(1), batch.samples)
        let delta = try batch.output(classes, label: "gradient")
        let stride = paddedColumns(classes)
        let transposed = try GuardedBuffer<Float>(
            on: backend, count: room.count * stride, label: "transposed gradient")
        let lossAndCorrect = try GuardedBuffer<Float>(
            on: backend, count: batch.replicas * room.tiles * 2, label: "losses and right answers")
        try backend.run(
            SoftmaxCrossEntropy(
                batch: batch.shape, classes: classes, logits: logits,
                batchLabels: try backend.makeBuffer(room.pack(labels, masked: -1), label: "batch labels"),
                current: try batch.current(first: weights?.first ?? 0), weights: weights?.operand, delta: delta.buffer,
                transposedDelta: transposed.buffer,
                lossAndCorrect: lossAndCorrect.buffer))
        let actual = try delta.contents()
        let layout = batch.layout(classes)
        judge.checkGuards("gradient", actual)
        let plain = layout.unpack(actual.values)
        judge.check("gradient", plain, equals: truths.flatMap(\.gradient))
        if layout.maskedValues(actual.values).contains(where: { $0 != 0 }) {
            judge.complain("a masked sample has a gradient")
        }
        judge.check(
            "transposed gradient", try transposed.contents(), equals: batch.transposedValues(plain, values: classes),
            within: .exact)
        let due = (0..<batch.replicas * room.tiles).flatMap { tile -> [Bounded] in
            let first = tile / room.tiles * samples
            let places = (0..<room.tile).map { tile % room.tiles * room.tile + $0 }.filter { $0 < samples }
            let losses = places.map { truths[first + $0].loss }
            let right = places.count { truths[first + $0].best == Int(labels[first + $0]) }
            return [Bounded.sum(losses, additions: room.tile), Bounded(Double(right))]
        }
        judge.check("losses and right answers", try lossAndCorrect.contents(), equals: due)
        try weights?.check(truths.map(\.loss), &judge)
    }

    private func checkPredictions(
        _ logits: DeviceBuffer<Float>, _ truths: [SoftmaxTruth], _ batch: CaseBatch, _ judge: inout CaseJudge
    ) throws {
        let (backend, samples, first, step) = (batch.backend, batch.samples, 5, 2)
        let stride = first + samples + 3
        // What belongs to no sample stays.
        var due = [Int32](repeating: -7, count: batch.replicas * stride)
        let predictions = try GuardedBuffer(on: backend, due, label: "predictions")
        for (place, truth) in truths.enumerated() {
            due[place / samples * stride + first + place % samples] = Int32(truth.best)
        }
        let cursor = try GuardedBuffer(on: backend, [Int32(step)], label: "cursor")
        let schedule = StepSchedule(
            batches: try backend.makeBuffer([Int32](repeating: 0, count: 16), label: "batches"),
            rates: try backend.makeBuffer([Float](repeating: 0, count: 8), label: "rates"), cursor: cursor.buffer,
            current: try batch.current(first: first, step: step))
        try backend.run(
            PredictClasses(
                batch: batch.shape, classes: classes, logits: logits, schedule: schedule,
                predictions: predictions.buffer, predictionStride: stride))
        judge.check("predictions", try predictions.contents(), equals: due)
        judge.check("cursor", try cursor.contents(), equals: [Int32(step + 1)])
    }
}
