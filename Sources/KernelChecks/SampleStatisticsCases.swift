import Compute

/// What logits say of the samples.
package enum SampleStatisticsCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        let (classes, widths) = ([10, 1, 2, 16, 17, 31, 10, 100], [84, 1, 7, 33, 15, 16, 300, 17])
        let all = zip(zip(classes, widths), AwkwardBatch.all).map {
            SampleStatisticsCase(batch: $1, classes: $0.0, width: $0.1, seed: seed)
        }
        let special = SampleStatisticsCase.Kind.allCases.filter { $0 != .plain }.map {
            SampleStatisticsCase(batch: (2, 17), classes: 10, width: 5, seed: seed, kind: $0)
        }
        // Without the last layer's input it is another program.
        return (all + special).flatMap { [$0, $0.recorded] } + RaggedCase.cases(.statistics, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}

/// The statistics of a batch, held against double precision.
struct SampleStatisticsCase: KernelCase {
    /// What is special about the logits.
    enum Kind: String, CaseIterable {
        case plain
        /// A few whole numbers: the first of the largest wins.
        case ties
        /// Their exponentials overflow unless the largest is taken off first.
        case large = "large logits"
        /// Their differences overflow.
        case huge = "huge logits"
        /// A NaN as the first and another as the last logit of the last network.
        case poisoned = "NaN"
    }
    let batch: (replicas: Int, samples: Int)
    let classes: Int
    /// Values of the last layer's input; nil for none.
    var width: Int?
    let seed: UInt64
    var kind = Kind.plain

    var kernel: String { SampleStatistics.kernel }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(classes) classes, "
            + (width.map { "\($0) values" } ?? "recorded") + ", seed \(seed)"
            + (kind == .plain ? "" : ", \(kind.rawValue)")
    }
    var form: String { width == nil ? "recorded" : "all" }
    var variety: String { "\(kernel), \(form)" }
    var cost: Int { 20 * batch.replicas * AwkwardBatch.room(for: batch.samples) * (classes + (width ?? 0)) }

    /// The same without the last layer's input.
    var recorded: SampleStatisticsCase {
        var copy = self
        copy.width = nil
        return copy
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let (replicas, samples) = self.batch
        var logits = random.floats(replicas * samples * classes, in: -3...3)
        switch kind {
        case .plain: break
        case .ties: logits = logits.map { $0.rounded() }
        case .large: logits = logits.map { 200 * $0 }
        case .huge: logits = logits.map { 1.1e38 * $0 }
        case .poisoned:
            logits[(replicas - 1) * samples * classes] = .nan
            logits[logits.count - 1] = .nan
        }
        let labels = random.integers(replicas * samples, in: 0..<classes)
        let inputs = width.map { random.floats(replicas * samples * $0, in: -2...2) }
        let (first, room) = (5, batch.layout(1))
        let stride = first + samples + 3
        let statistics = width == nil ? SampleStatistic.recorded : SampleStatistic.allCases
        // What belongs to no sample stays.
        var due = [Bounded](repeating: Bounded(-7.0), count: replicas * statistics.count * stride)
        for place in 0..<replicas * samples {
            let truth = SampleStatisticsTruth(
                logits[(place * classes)...].prefix(classes), label: Int(labels[place]),
                hidden: inputs.map { [width = width ?? 0] in $0[(place * width)...].prefix(width) } ?? [])
            for (index, statistic) in statistics.enumerated() {
                due[(place / samples * statistics.count + index) * stride + first + place % samples] =
                    truth[statistic]
            }
        }
        let actual = try GuardedBuffer(
            on: backend, [Float](repeating: -7, count: due.count), label: "statistics")
        var hidden: SampleStatistics.LastInput?
        if let inputs, let width {
            hidden = SampleStatistics.LastInput(
                try batch.activation(inputs, values: width, masked: .nan, label: "input of the last layer"),
                width: width)
        }
        try backend.run(
            SampleStatistics(
                batch: batch.shape, classes: classes,
                logits: try batch.activation(logits, values: classes, masked: .nan, label: "logits"),
                batchLabels: try backend.makeBuffer(room.pack(labels, masked: -1), label: "batch labels"),
                current: try batch.current(first: first, step: 2), hidden: hidden, statistics: actual.buffer,
                stride: stride))
        judge.check("statistics", try actual.contents(), equals: due)
        return judge.result
    }
}

/// The statistics of one sample in double precision.
private struct SampleStatisticsTruth {
    private var values: [SampleStatistic: Bounded] = [:]

    subscript(statistic: SampleStatistic) -> Bounded { values[statistic] ?? Bounded(Double.nan) }

    init(_ logits: ArraySlice<Float>, label: Int, hidden: ArraySlice<Float>) {
        let logits = Array(logits)
        var best = 0
        for index in logits.indices where logits[index] > logits[best] { best = index }
        values[.isRight] = Bounded(best == label ? 1.0 : 0.0)
        if logits.contains(where: \.isNaN) { return }
        let others = logits.indices.filter { $0 != label }
        // The kernel's limit, below which no power is left in float32.
        let exponents = logits.map { logit -> Bounded in
            let gap = Bounded(logit) - Bounded(logits[best])
            return gap.value < -200 ? Bounded(-200.0) : gap
        }
        let powers = exponents.map(\.exponential)
        let sum = Bounded.sum(powers, additions: powers.count)
        let rest = Bounded.sum(others.map { powers[$0] }, additions: others.count)
        let squares = Bounded.sum(others.map { powers[$0] * powers[$0] }, additions: others.count)
        let weighted = Bounded.sum(zip(powers, exponents).map { $0 * $1 }, additions: powers.count)
        let second = logits.indices.filter { $0 != best }.map { exponents[$0] }.max { $0.value < $1.value }
        values[.probability] = powers[label] / sum
        var margin = others.map { logits[$0] }.max().map { Bounded(logits[label]) - Bounded($0) } ?? Bounded(0.0)
        // Beyond what float32 holds it is infinite, and then exactly.
        if Float(margin.value).isInfinite { margin = Bounded(Double(Float(margin.value))) }
        values[.margin] = margin
        values[.entropy] = sum.logarithm - weighted / sum
        values[.largest] = Bounded(1.0) / sum
        values[.lead] = (Bounded(1.0) - (second?.exponential ?? Bounded(0.0))) / sum
        var error = (rest * rest + squares).squareRoot / sum
        // Squares of anything smaller are lost.
        error.error += Rounding.least.squareRoot()
        values[.el2n] = error
        let length = Bounded.sum(
            [Bounded(1.0)] + hidden.map { Bounded($0) * Bounded($0) }, additions: hidden.count + 1)
        values[.grand] = error * length.squareRoot
    }
}
