import Compute

/// An optimizer's step and the end of a step: the sums over tiles that it finishes.
struct StepEndCase: KernelCase {
    /// Replicas, parameters, tiles (nil for those that a backend has for batches of 64), gradients that are sums over tiles.
    typealias Extents = (replicas: Int, count: Int, tiles: Int?, sliced: Int)
    enum Update {
        case adam(AdamStep.Decay)
        case sgd(momentum: Float?, weightDecay: Float)
    }
    let extents: Extents
    let update: Update
    let seed: UInt64
    private static let (stepSize, correction, kept): (Float, Float, Float) = (0.0021, 1.7, 0.983)

    init(_ extents: Extents, _ update: Update, seed: UInt64) {
        self.extents = extents
        self.update = update
        self.seed = seed
    }

    /// One work-group and several, the last one's share cut short; sums over tiles, and none, as layered networks have.
    static let awkward: [Extents] = [
        (1, 16, 1, 16), (2, 48, 1, 16), (3, 48, 3, 0), (1, 4112, 2, 48), (2, 4112, 7, 48), (2, 8208, 1, 4096),
    ]
    /// A few of them, where the rest of the program is the same.
    static let few: [Extents] = [(2, 48, 3, 16), (2, 4112, 2, 48)]

    /// A LeNet-5 of one plane, every tensor padded to 16. The program is the same for all networks.
    static func leNet5(_ replicas: Int) -> Extents { (replicas, 66_960, nil, 160) }

    var kernel: String {
        switch update {
        case .adam: AdamStep.kernel
        case .sgd: SgdStep.kernel
        }
    }
    private var updateName: String {
        switch update {
        case .adam(.none): ""
        case .adam(.penalty): ", a penalty"
        case .adam(.decoupled): ", a decoupled decay"
        case .sgd(let momentum, let decay): (momentum.map { ", momentum \($0)" } ?? "") + ", decay \(decay)"
        }
    }
    var name: String {
        let tiles = extents.tiles.map { "\($0) tiles" } ?? "the tiles of batches of 64"
        return "R \(extents.replicas), \(extents.count) parameters, \(extents.sliced) over \(tiles)\(updateName), "
            + "seed \(seed)"
    }
    var form: String {
        switch update {
        case .adam(.none): "any"
        case .adam(.penalty): "penalty"
        case .adam(.decoupled): "decoupled"
        case .sgd(let momentum, _): momentum == nil ? "plain" : "momentum"
        }
    }
    var variety: String { "\(kernel), \(form)" }
    var cost: Int { 12 * extents.replicas * extents.count }

    /// The labels of the buffers that a step changes besides gradients and losses.
    private var stateLabels: [String] {
        switch update {
        case .adam: ["first moments", "second moments"]
        case .sgd(let momentum, _): momentum == nil ? [] : ["velocities"]
        }
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let (replicas, count, sliced) = (extents.replicas, extents.count, extents.sliced)
        let tiles = extents.tiles ?? (64 + backend.tile - 1) / backend.tile
        let total = replicas * count
        let parameters = inputs.floats(total)
        var states = stateLabels.map { _ in inputs.floats(total, in: -0.1...0.1) }
        if states.count == 2 { states[1] = inputs.floats(total, in: 0...0.01) }
        // Gradients of 0 too, as padding and frozen parameters have.
        var gradients = inputs.floats(total).map { abs($0) < 0.1 ? 0 : $0 }
        let tileGradients = inputs.floats(replicas * tiles * sliced)
        // In the middle: the gradients before and after it are not sums over tiles.
        let offset = (count - sliced) / 32 * 16
        // Where nothing has moved yet, epsilon alone is below Adam's fraction line.
        if offset > 0, states.count == 2 {
            for replica in 0..<replicas {
                states[1][replica * count] = 0
                gradients[replica * count] = 0
            }
        }
        let lossAndCorrect = (0..<replicas * tiles).flatMap { _ in
            inputs.floats(1, in: 0...9) + [Float(inputs.integers(1, in: 0..<20)[0])]
        }
        let (steps, valid) = (3, 13)
        var rates: [Float] = [9, 9, Self.stepSize, Self.correction, 9, 9]
        if case .adam(.decoupled) = update { rates = [9, 9, 9, Self.stepSize, Self.correction, Self.kept, 9, 9, 9] }
        func step(_ backend: any Backend) throws -> ([GuardedContents<Float>], [GuardedContents<Int32>]) {
            let state = [
                try GuardedBuffer(on: backend, parameters, label: "parameters"),
                try GuardedBuffer(on: backend, gradients, label: "gradients"),
                // Other steps' losses must stay.
                try GuardedBuffer(on: backend, [Float](repeating: 7, count: steps * replicas), label: "losses"),
            ]
            let memory = try zip(stateLabels, states).map { try GuardedBuffer(on: backend, $1, label: $0) }
            let counters = [
                try GuardedBuffer(on: backend, [Int32](repeating: 7, count: steps * replicas), label: "right answers"),
                try GuardedBuffer(on: backend, [Int32(7)], label: "cursor"),
            ]
            let schedule = StepSchedule(
                batches: try backend.makeBuffer([Int32](repeating: 0, count: 4 * steps), label: "batches"),
                rates: try backend.makeBuffer(rates, label: "rates"), cursor: counters[1].buffer,
                current: try backend.makeBuffer(
                    (0..<replicas).flatMap { _ in [Int32(0), Int32(valid), 1, 1] }, label: "current"))
            // As many tiles on either backend, whatever their size.
            let batch = BatchShape(replicas: replicas, samples: tiles * backend.tile, tile: backend.tile)
            let end = StepEnd(
                batch: batch, parameters: state[0].buffer,
                gradients: StepGradients(
                    state[1].buffer, parameterCount: count,
                    tiles: try backend.makeBuffer(tileGradients, label: "gradients of tiles"), tileOffset: offset,
                    tileCount: sliced),
                lossAndCorrect: try backend.makeBuffer(lossAndCorrect, label: "loss and correct"),
                losses: state[2].buffer, correct: counters[0].buffer, schedule: schedule)
            switch update {
            case .adam(let decay):
                try backend.run(
                    AdamStep(end, firstMoments: memory[0].buffer, secondMoments: memory[1].buffer, decay: decay))
            case .sgd(let momentum, let weightDecay):
                try backend.run(
                    SgdStep(
                        end, momentum: momentum.map { SgdStep.Momentum($0, velocities: memory[0].buffer) },
                        weightDecay: weightDecay))
            }
            return (try (state + memory).map { try $0.contents() }, try counters.map { try $0.contents() })
        }
        let ((actual, counted), (_, expectedCounts)) = (try step(backend), try step(reference))
        for (index, label) in ["right answers", "cursor"].enumerated() {
            judge.check(label, counted[index], equals: expectedCounts[index].values)
        }
        // In double precision, a line of the kernel at a time, each from what the backend has of the lines before.
        let sums = (0..<total).map { index -> Bounded in
            let (replica, slice) = (index / count, index % count - offset)
            guard (0..<sliced).contains(slice) else { return Bounded(gradients[index]) }
            let terms = (0..<tiles).map { Bounded(tileGradients[(replica * tiles + $0) * sliced + slice]) }
            return Bounded.sum(terms, additions: tiles - 1)
        }
        let own = actual.map { $0.values.map { Bounded($0) } }
        var truths: [[Bounded]] =
            [[], sums, [Bounded](repeating: Bounded(7.0), count: steps * replicas)] + stateLabels.map { _ in [] }
        for index in 0..<total {
            let (parameter, memory) = moved(
                Bounded(parameters[index]), by: own[1][index], states.map { Bounded($0[index]) },
                own: own.dropFirst(3).map { $0[index] })
            truths[0].append(parameter)
            for (place, value) in memory.enumerated() { truths[3 + place].append(value) }
        }
        for replica in 0..<replicas {
            let losses = (0..<tiles).map { Bounded(lossAndCorrect[2 * (replica * tiles + $0)]) }
            truths[2][replicas + replica] = Bounded.sum(losses, additions: tiles - 1) / Bounded(Double(valid))
        }
        for (index, label) in (["parameters", "gradients", "losses"] + stateLabels).enumerated() {
            judge.check(label, actual[index], equals: truths[index])
        }
        return judge.result
    }

    /// A parameter after the step, and what is remembered of it: from the gradient and what was remembered before, and for
    /// the parameter from what the backend has remembered itself.
    private func moved(
        _ parameter: Bounded, by gradient: Bounded, _ before: [Bounded], own: [Bounded]
    ) -> (parameter: Bounded, memory: [Bounded]) {
        switch update {
        case .adam(let decay):
            var (start, gradient) = (parameter, gradient)
            switch decay {
            case .none: break
            case .penalty(let weight): gradient = gradient + parameter * Bounded(weight)
            case .decoupled: start = parameter * Bounded(Self.kept)
            }
            let oneMinusBeta1 = Bounded(Float(1 - AdamStep.beta1))
            let (beta2, oneMinusBeta2) = (Bounded(Float(AdamStep.beta2)), Bounded(Float(1 - AdamStep.beta2)))
            let root = own[1].squareRoot * Bounded(Self.correction) + Bounded(Float(AdamStep.epsilon))
            return (
                start - Bounded(Self.stepSize) * own[0] / root,
                [
                    before[0] + (gradient - before[0]) * oneMinusBeta1,
                    before[1] * beta2 + gradient * gradient * oneMinusBeta2,
                ]
            )
        case .sgd(let momentum, let weightDecay):
            let plain = gradient + parameter * Bounded(weightDecay)
            guard let momentum else { return (parameter - Bounded(Self.stepSize) * plain, []) }
            return (parameter - Bounded(Self.stepSize) * own[0], [plain + before[0] * Bounded(momentum)])
        }
    }
}
