import Compute

/// An operation over replicas whose batches differ in their numbers of valid samples, one of them having none: each
/// replica's results have the bits that the replica has alone, and what an idle one keeps is not touched.
struct RaggedCase: KernelCase {
    enum Operation: String {
        case gather = "samples"
        case loss = "weighted losses"
        case predictions
        case statistics
        case normForward = "batch norm"
        case normBackward = "batch norm's gradient"
        case squaredError = "squared errors"
        case adam
        case sgd

        var kernel: String {
            switch self {
            case .gather: GatherSamples.kernel
            case .loss: SoftmaxCrossEntropy.kernel
            case .predictions: PredictClasses.kernel
            case .statistics: SampleStatistics.kernel
            case .normForward: BatchNormForward.kernel
            case .normBackward: BatchNormBackward.kernel
            case .squaredError: MeanSquaredError.kernel
            case .adam: AdamStep.kernel
            case .sgd: SgdStep.kernel
            }
        }
    }
    let operation: Operation
    /// Valid samples of each replica.
    let counts: [Int]
    let seed: UInt64

    /// No sample, one, and all that a batch has room for; the idle replica is in the middle, first and last.
    static let counts = [[35, 0, 1, 16], [0, 17, 35], [1, 35, 0]]
    /// The samples that a batch has room for.
    static let room = 35

    static func cases(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        counts.map { RaggedCase(operation: operation, counts: $0, seed: seed) }
    }

    var kernel: String { operation.kernel }
    var name: String {
        "batches of \(counts.map(String.init).joined(separator: ", ")), \(operation.rawValue), seed \(seed)"
    }
    var form: String { "\(operation), ragged" }
    var variety: String { "\(kernel), ragged" }
    var cost: Int { 2 * counts.count * Self.room * 20 * 20 }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let together = try outputs(Array(counts.indices), backend)
        for output in together { output.checkGuards(&judge) }
        for (replica, count) in counts.enumerated() {
            let alone = try outputs([replica], backend)
            for (output, alone) in zip(together, alone) {
                if count == 0 {
                    guard let idle = alone.idle else { continue }
                    judge.check("\(output.label) of the idle replica", output.values[replica], equalsBitsOf: idle[0])
                } else {
                    judge.check(
                        "\(output.label) of replica \(replica)", output.values[replica], equalsBitsOf: alone.values[0])
                }
            }
        }
        return judge.result
    }

    /// Runs the operation over some of the replicas.
    private func outputs(_ replicas: [Int], _ backend: any Backend) throws -> [RaggedOutput] {
        var operands = try RaggedOperands(self, replicas, backend)
        switch operation {
        case .gather: try operands.gather()
        case .loss: try operands.loss()
        case .predictions: try operands.predictions()
        case .statistics: try operands.statistics()
        case .normForward: try operands.normForward()
        case .normBackward: try operands.normBackward()
        case .squaredError: try operands.squaredError()
        case .adam, .sgd: try operands.stepEnd(operation)
        }
        return try operands.kept.map { try $0() }
    }
}

extension CaseJudge {
    /// Compares values that must have the same bits, NaNs too.
    mutating func check<Element: CheckedElement>(
        _ label: String, _ actual: [Element], equalsBitsOf expected: [Element]
    ) {
        note(actual)
        if actual.count != expected.count {
            complain("\(label) has \(actual.count) elements, \(expected.count) are due")
        }
        let place = zip(actual, expected).enumerated().first { $1.0.fingerprintBits != $1.1.fingerprintBits }
        if let place { complain("\(label)[\(place.offset)] is \(place.element.0), \(place.element.1) is due") }
    }
}

/// An output after the operation, by replica.
private struct RaggedOutput {
    let label: String
    let values: [[Float]]
    /// The values of an idle replica after the operation; nil if they may be anything.
    let idle: [[Float]]?
    let checkGuards: (inout CaseJudge) -> Void
}

/// The operands of an operation over some replicas of a case. What a replica holds depends on its number in the case alone.
private struct RaggedOperands {
    /// The values that the operation wrote.
    private(set) var kept: [() throws -> RaggedOutput] = []
    private let backend: any Backend
    private let replicas: [Int]
    private let seed: UInt64
    private let batch: BatchShape
    private let ragged: RaggedCase
    private let schedule: StepSchedule
    private let current: GuardedBuffer<Int32>
    private var draws = 0
    private static let (classes, width, step, stride) = (10, 5, 1, 45)

    init(_ ragged: RaggedCase, _ replicas: [Int], _ backend: any Backend) throws(ComputeError) {
        self.ragged = ragged
        self.backend = backend
        self.replicas = replicas
        seed = ragged.seed
        batch = BatchShape(replicas: replicas.count, samples: RaggedCase.room, tile: backend.tile)
        let rows = replicas.flatMap { replica -> [Int32] in
            [Int32(Self.first(of: replica)), Int32(ragged.counts[replica]), 0, 0]
        }
        let others = [Int32](repeating: 9, count: rows.count)
        let rates = replicas.flatMap { replica -> [Float] in [0.001 * Float(replica + 1), 1.5 + Float(replica)] }
        let noRates = [Float](repeating: .nan, count: rates.count)
        current = try GuardedBuffer<Int32>(on: backend, count: 4 * replicas.count, label: "current step")
        schedule = StepSchedule(
            batches: try backend.makeBuffer(others + rows + others, label: "batches"),
            rates: try backend.makeBuffer(noRates + rates + noRates, label: "rates"),
            cursor: try backend.makeBuffer([Int32(Self.step)], label: "cursor"), current: current.buffer,
            rows: replicas.count)
    }

    /// The first sample of a replica's batch in its order.
    private static func first(of replica: Int) -> Int { 2 + replica }

    /// A schedule whose step is under way.
    private func scheduleUnderWay() throws -> StepSchedule {
        let rows = replicas.enumerated().flatMap { place, replica -> [Int32] in
            [
                Int32(Self.first(of: replica)), Int32(ragged.counts[replica]), Int32(Self.step),
                Int32(Self.step * replicas.count + place),
            ]
        }
        try backend.write(rows, to: current.buffer)
        return schedule
    }

    /// `count` numbers for each replica.
    private mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        draws += 1
        return replicas.flatMap { replica in
            var inputs = CaseInputs(seed: seed, index: 100 * draws + replica)
            return inputs.floats(count, in: range)
        }
    }

    private mutating func integers(_ count: Int, in range: Range<Int>) -> [Int32] {
        draws += 1
        return replicas.flatMap { replica in
            var inputs = CaseInputs(seed: seed, index: 100 * draws + replica)
            return inputs.integers(count, in: range)
        }
    }

    private mutating func input(_ count: Int, in range: ClosedRange<Float> = -1...1, _ label: String) throws
        -> DeviceBuffer<Float>
    {
        try backend.makeBuffer(floats(count, in: range), label: label)
    }

    /// Elements of a replica's activation of so many values per sample.
    private func room(_ values: Int) -> Int { batch.tiles * batch.tile * values }

    /// An output that is written as a whole, of `count` elements for each replica.
    private mutating func output(_ count: Int, _ label: String) throws -> DeviceBuffer<Float> {
        let buffer = try GuardedBuffer<Float>(on: backend, count: replicas.count * count, label: label)
        keep(buffer, label, idle: nil) { $0 }
        return buffer.buffer
    }

    /// The values that the operation changes, or writes in part; those of an idle replica stay as they are.
    private mutating func state<Element: CheckedElement>(
        _ values: [Element], _ label: String, isStepMajor: Bool = false, _ number: @escaping (Element) -> Float
    ) throws -> DeviceBuffer<Element> {
        let buffer = try GuardedBuffer(on: backend, values, label: label)
        keep(buffer, label, idle: values, isStepMajor: isStepMajor, number)
        return buffer.buffer
    }

    private mutating func keep<Element: CheckedElement>(
        _ buffer: GuardedBuffer<Element>, _ label: String, idle: [Element]?, isStepMajor: Bool = false,
        _ number: @escaping (Element) -> Float
    ) {
        let count = replicas.count
        func split(_ values: [Element]) -> [[Float]] {
            let each = values.count / count
            return (0..<count).map { replica in
                (0..<each).map { number(values[isStepMajor ? $0 * count + replica : replica * each + $0]) }
            }
        }
        kept.append {
            let contents = try buffer.contents()
            return RaggedOutput(
                label: label, values: split(contents.values), idle: idle.map(split),
                checkGuards: { $0.checkGuards(label, contents) })
        }
    }

    mutating func gather() throws {
        let (features, count) = (12, 29)
        var shared = CaseInputs(seed: seed)
        let labels = try GuardedBuffer<Int32>(on: backend, count: replicas.count * room(1), label: "batch labels")
        keep(labels, "batch labels", idle: [Int32](repeating: -1, count: labels.count)) { Float($0) }
        let current = current
        let operation = GatherSamples(
            batch: batch, features: features, channels: 3,
            samples: .bytes(try backend.makeBuffer(shared.bytes(count * features), label: "samples")),
            labels: try backend.makeBuffer(shared.bytes(count, in: 0..<10), label: "labels"),
            scaling: try backend.makeBuffer(shared.floats(6, in: -2...2), label: "scales and shifts"),
            order: try backend.makeBuffer(integers(Self.stride, in: 0..<count), label: "order"),
            orderStride: Self.stride, schedule: schedule, output: try output(room(features), "activation"),
            batchLabels: labels.buffer)
        let (size, counts, numbers) = (replicas.count, ragged.counts, replicas)
        // The row of the rates depends on how many replicas there are.
        kept.append {
            let contents = try current.contents()
            let rows = (0..<size).map { replica in
                contents.values[4 * replica..<4 * replica + 3].map { Float($0) }
                    + [Float(Int(contents.values[4 * replica + 3]) - Self.step * size - replica)]
            }
            return RaggedOutput(
                label: "current step", values: rows,
                idle: numbers.map { [Float(Self.first(of: $0)), Float(counts[$0]), Float(Self.step), 0] },
                checkGuards: { $0.checkGuards("current step", contents) })
        }
        try backend.run(operation)
    }

    mutating func loss() throws {
        let classes = Self.classes
        try backend.run(
            SoftmaxCrossEntropy(
                batch: batch, classes: classes, logits: try input(room(classes), in: -3...3, "logits"),
                batchLabels: try backend.makeBuffer(integers(room(1), in: 0..<classes), label: "batch labels"),
                current: try scheduleUnderWay().current,
                weights: SampleWeights(
                    weights: try input(Self.stride, in: 0...2, "weights of samples"),
                    losses: try state(floats(Self.stride), "losses of samples") { $0 }, stride: Self.stride),
                delta: try output(room(classes), "gradient"),
                transposedDelta: try output(room(paddedColumns(classes)), "transposed gradient"),
                lossAndCorrect: try output(batch.tiles * 2, "losses and right answers")))
    }

    mutating func predictions() throws {
        let classes = Self.classes
        try backend.run(
            PredictClasses(
                batch: batch, classes: classes, logits: try input(room(classes), in: -3...3, "logits"),
                schedule: try scheduleUnderWay(),
                predictions: try state(integers(Self.stride, in: 90..<99), "predictions") { Float($0) },
                predictionStride: Self.stride))
        try keepCursor()
    }

    mutating func statistics() throws {
        let classes = Self.classes
        try backend.run(
            SampleStatistics(
                batch: batch, classes: classes, logits: try input(room(classes), in: -3...3, "logits"),
                batchLabels: try backend.makeBuffer(integers(room(1), in: 0..<classes), label: "batch labels"),
                current: try scheduleUnderWay().current,
                hidden: SampleStatistics.LastInput(
                    try input(room(Self.width), "input of the last layer"), width: Self.width),
                statistics: try state(floats(SampleStatistic.allCases.count * Self.stride), "statistics") { $0 },
                stride: Self.stride))
    }

    /// Three channels of nine positions.
    private mutating func norm(isForward: Bool) throws -> BatchNorm {
        let parameters = try input(48, in: 0.5...2, "parameters")
        let running = floats(6, in: 0.1...2)
        return BatchNorm(
            batch: batch, channels: 3, positions: 9, gamma: ReplicaTensor(parameters, offset: 0, stride: 48),
            beta: ReplicaTensor(parameters, offset: 16, stride: 48),
            running: try state(running, "running statistics") { $0 },
            saved: isForward ? try output(6, "saved statistics") : try input(6, in: 0.1...1, "saved statistics"),
            current: try scheduleUnderWay().current)
    }

    mutating func normForward() throws {
        let layer = try norm(isForward: true)
        try backend.run(
            BatchNormForward(
                layer, .training, input: try input(room(27), "input"), output: try output(room(27), "output")))
    }

    mutating func normBackward() throws {
        let layer = try norm(isForward: false)
        let gradient = try GuardedBuffer(on: backend, floats(room(27)), label: "gradient")
        keep(gradient, "gradient", idle: nil) { $0 }
        let gradients = try GuardedBuffer(on: backend, floats(48), label: "gradients")
        keep(gradients, "gradients", idle: nil) { $0 }
        try backend.run(
            BatchNormBackward(
                layer, input: try input(room(27), "input"), gradient: gradient.buffer,
                transposedGradient: try output(room(32), "transposed gradient"),
                gradients: StepGradients(gradients.buffer, parameterCount: 48)))
    }

    mutating func squaredError() throws {
        try backend.run(
            MeanSquaredError(
                batch: batch, values: 33, output: try input(room(33), "output"), target: try input(room(33), "target"),
                current: try scheduleUnderWay().current, delta: try output(room(33), "gradient"),
                transposedDelta: try output(room(48), "transposed gradient"),
                lossAndCorrect: try output(batch.tiles * 2, "losses")))
    }

    mutating func stepEnd(_ operation: RaggedCase.Operation) throws {
        let (count, steps) = (48, 3)
        let sums = floats(batch.tiles * 2, in: 0...9).map { $0.rounded() }
        let end = StepEnd(
            batch: batch, parameters: try state(floats(count), "parameters") { $0 },
            gradients: StepGradients(
                try state(floats(count), "gradients") { $0 }, parameterCount: count,
                tiles: try input(batch.tiles * 16, "gradients of tiles"), tileOffset: 16, tileCount: 16),
            lossAndCorrect: try backend.makeBuffer(sums, label: "losses and right answers"),
            losses: try state(
                [Float](repeating: 7, count: steps * replicas.count), "losses", isStepMajor: true
            ) { $0 },
            correct: try state(
                [Int32](repeating: 7, count: steps * replicas.count), "right answers", isStepMajor: true
            ) { Float($0) }, schedule: try scheduleUnderWay())
        let memory = try state(floats(count), "first moments or velocities") { $0 }
        if operation == .sgd {
            try backend.run(SgdStep(end, momentum: SgdStep.Momentum(0.9, velocities: memory), weightDecay: 0.03))
        } else {
            try backend.run(
                AdamStep(
                    end, firstMoments: memory,
                    secondMoments: try state(floats(count, in: 0...0.01), "second moments") { $0 }))
        }
        try keepCursor()
    }

    /// The cursor moves on, whichever replicas are idle.
    private mutating func keepCursor() throws {
        let cursor = schedule.cursor
        let (backend, size) = (backend, replicas.count)
        kept.append {
            let value = Float(try backend.read(cursor, count: 1)[0])
            return RaggedOutput(
                label: "cursor", values: [[Float]](repeating: [value], count: size),
                idle: [[Float(Self.step + 1)]], checkGuards: { _ in })
        }
    }
}
