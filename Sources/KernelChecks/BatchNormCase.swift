import Compute

/// Batch norm or its gradient, held against double precision.
struct BatchNormCase: KernelCase {
    /// Which operation, and which program of it.
    enum Operation: String {
        case training
        case inference
        case backward = "plain"
        case transposed
    }
    /// What is special about the values.
    enum Kind: String {
        case plain
        /// Their means are 1, a thousand and a million times their deviation.
        case distant = "a distant mean"
        /// All are equal but the first, which sums of deviations from it alone would cancel for.
        case spike = "a spike"
        /// All values of a channel are equal, a million and more: the variance is 0, and nothing that rounding left of a
        /// difference of sums.
        case constant = "a large constant"
        /// A NaN in the first channel of the last network.
        case poisoned = "a NaN"
    }
    let operation: Operation
    let batch: (replicas: Int, samples: Int)
    let channels: Int
    let positions: Int
    let seed: UInt64
    var kind = Kind.plain
    var kernel: String {
        operation == .training || operation == .inference ? BatchNormForward.kernel : BatchNormBackward.kernel
    }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(channels) channels of \(positions), seed \(seed), "
            + operation.rawValue + (kind == .plain ? "" : ", \(kind.rawValue)")
    }
    var form: String { operation.rawValue }
    var variety: String { "\(kernel), \(form)" }
    var cost: Int { 8 * batch.replicas * AwkwardBatch.room(for: batch.samples) * features }
    private var features: Int { channels * positions }

    /// Channels of one position and of many, fewer and more than the members of a work-group.
    private static let shapes = [(1, 1), (7, 1), (2, 49), (17, 1), (3, 25), (16, 4), (5, 9), (1, 121)]

    static func cases(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        func plain(_ count: Int) -> [BatchNormCase] {
            zip(shapes, AwkwardBatch.all).suffix(count).map {
                BatchNormCase(operation: operation, batch: $1, channels: $0.0, positions: $0.1, seed: seed)
            }
        }
        func special(_ kinds: [Kind]) -> [BatchNormCase] {
            kinds.map {
                BatchNormCase(operation: operation, batch: (2, 17), channels: 3, positions: 9, seed: seed, kind: $0)
            }
        }
        return switch operation {
        // Two values are the fewest that have an unbiased variance.
        case .training:
            plain(8) + special([.distant, .spike, .constant, .poisoned]) + [
                BatchNormCase(operation: operation, batch: (1, 1), channels: 3, positions: 2, seed: seed)
            ]
        case .inference: plain(3)
        case .backward: plain(4)
        case .transposed: plain(8) + special([.distant, .poisoned])
        }
    }

    /// The operands of a case and what they hold.
    private struct Operands {
        let batch: CaseBatch
        let layer: BatchNorm
        let gammas, betas: [Float]
        let running: GuardedBuffer<Float>
        let runningBefore: [Float]
        let saved: GuardedBuffer<Float>
        let savedBefore: [Float]
        let gamma, stride: Int
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let (replicas, samples) = self.batch
        // Memory around gamma and beta belongs to others.
        let (gamma, beta) = (16, 16 + paddedColumns(channels))
        let stride = beta + paddedColumns(channels) + 16
        let parameters = random.floats(replicas * stride, in: -2...2)
        let buffer = try backend.makeBuffer(parameters, label: "parameters")
        let running = random.floats(replicas * 2 * channels, in: 0.1...2)
        let saved = random.floats(replicas * 2 * channels, in: 0.1...1)
        let (runningBuffer, savedBuffer) = (
            try GuardedBuffer(on: backend, running, label: "running statistics"),
            operation == .training
                ? try GuardedBuffer(on: backend, count: saved.count, label: "saved statistics")
                : try GuardedBuffer(on: backend, saved, label: "saved statistics")
        )
        func own(_ offset: Int) -> [Float] {
            (0..<replicas * channels).map { parameters[$0 / channels * stride + offset + $0 % channels] }
        }
        let operands = Operands(
            batch: batch,
            layer: BatchNorm(
                batch: batch.shape, channels: channels, positions: positions,
                gamma: ReplicaTensor(buffer, offset: gamma, stride: stride),
                beta: ReplicaTensor(buffer, offset: beta, stride: stride), running: runningBuffer.buffer,
                saved: savedBuffer.buffer, current: try batch.current()),
            gammas: own(gamma), betas: own(beta), running: runningBuffer, runningBefore: running, saved: savedBuffer,
            savedBefore: saved, gamma: gamma, stride: stride)
        let values = values(random: &random, replicas * samples * features)
        switch operation {
        case .training, .inference: try checkForward(values, operands, &judge)
        case .backward, .transposed:
            try checkBackward(values, random.floats(values.count), operands, &judge)
        }
        return judge.result
    }

    private func values(random: inout CaseInputs, _ count: Int) -> [Float] {
        var values = random.floats(count)
        switch kind {
        case .plain: break
        case .distant:
            let means: [Float] = [1, 1e3, 1e6]
            for place in values.indices { values[place] += means[place / positions % channels % means.count] }
        case .spike:
            values = values.map { 0.5 + $0 / 256 }
            for sample in 0..<count / features where sample % batch.samples == 0 {
                for channel in 0..<channels { values[sample * features + channel * positions] = 100 }
            }
        case .constant:
            for place in values.indices { values[place] = 1_234_567 * Float(place / positions % channels + 1) }
        case .poisoned: values[(batch.replicas - 1) * batch.samples * features] = .nan
        }
        return values
    }

    /// The places of the values of a replica's channel, in [replica][sample][channel][position].
    private func places(_ index: Int) -> [Int] {
        let (replica, channel) = (index / channels, index % channels)
        return (0..<batch.samples).flatMap { sample in
            (0..<positions).map { ((replica * batch.samples + sample) * channels + channel) * positions + $0 }
        }
    }

    /// Through how many additions a term of a sum over the batch may pass: those of a lane with all of its tiles, of the
    /// tiles, of lanes and of work-items.
    private func additions(_ batch: CaseBatch) -> Int { batch.shape.tiles * (positions + 1) + 12 }

    private func checkForward(_ values: [Float], _ operands: Operands, _ judge: inout CaseJudge) throws {
        let batch = operands.batch
        let layout = batch.layout(features)
        let output = try batch.output(features, label: "output")
        try batch.backend.run(
            BatchNormForward(
                operands.layer, operation == .training ? .training : .inference,
                input: try batch.activation(values, values: features, masked: .nan, label: "input"),
                output: output.buffer))
        var due = [Bounded](repeating: Bounded(0.0), count: values.count)
        var running = operands.runningBefore.map { Bounded($0) }
        var saved: [Bounded] = []
        for index in 0..<batch.replicas * channels {
            let places = places(index)
            let before = index / channels * 2 * channels + index % channels
            var (mean, variance) = (running[before], running[before + channels])
            if operation == .training {
                let truth = ChannelTruth(of: places.map { Double(values[$0]) }, additions: additions(batch))
                (mean, variance) = (truth.mean, truth.squares / Bounded(Double(places.count)))
                let momentum = Bounded(BatchNormReluPool.momentum)
                running[before] = running[before] + momentum * (mean - running[before])
                if places.count > 1 {
                    let unbiased = truth.squares / Bounded(Double(places.count - 1))
                    running[before + channels] =
                        running[before + channels] + momentum * (unbiased - running[before + channels])
                }
            }
            let inverse = NormTruth.inverse(variance)
            saved += [mean, inverse]
            let scale = Bounded(operands.gammas[index]) * inverse
            for place in places {
                due[place] = (Bounded(values[place]) - mean) * scale + Bounded(operands.betas[index])
            }
        }
        let actual = try output.contents()
        judge.checkGuards("output", actual)
        judge.check("output", layout.unpack(actual.values), equals: due)
        judge.check("running statistics", try operands.running.contents(), equals: running)
        judge.check(
            "saved statistics", try operands.saved.contents(),
            equals: operation == .training ? saved : operands.savedBefore.map { Bounded($0) })
    }

    private func checkBackward(
        _ values: [Float], _ passed: [Float], _ operands: Operands, _ judge: inout CaseJudge
    ) throws {
        let (batch, layer) = (operands.batch, operands.layer)
        let layout = batch.layout(features)
        let gradient = try GuardedBuffer(on: batch.backend, layout.pack(passed, masked: 0), label: "gradient")
        let transposed = try GuardedBuffer<Float>(
            on: batch.backend, count: batch.layout(1).count * paddedColumns(features), label: "transposed gradient")
        let gradients = try GuardedBuffer(
            on: batch.backend, [Float](repeating: 7, count: batch.replicas * operands.stride), label: "gradients")
        try batch.backend.run(
            BatchNormBackward(
                layer, input: try batch.activation(values, values: features, masked: .nan, label: "input"),
                gradient: gradient.buffer, transposedGradient: operation == .transposed ? transposed.buffer : nil,
                gradients: StepGradients(gradients.buffer, parameterCount: operands.stride)))
        var due = [Bounded](repeating: Bounded(0.0), count: values.count)
        var sums = [Bounded](repeating: Bounded(7.0), count: batch.replicas * operands.stride)
        for index in 0..<batch.replicas * channels {
            let places = places(index)
            let (mean, inverse) = (
                Bounded(operands.savedBefore[2 * index]), Bounded(operands.savedBefore[2 * index + 1])
            )
            let normalised = places.map { (Bounded(values[$0]) - mean) * inverse }
            let sum = Bounded.sum(places.map { Bounded(passed[$0]) }, additions: additions(batch))
            let product = Bounded.sum(
                zip(places, normalised).map { Bounded(passed[$0]) * $1 }, additions: additions(batch))
            let parameter = index / channels * operands.stride + index % channels
            sums[parameter + layer.gamma.offset] = product
            sums[parameter + layer.beta.offset] = sum
            let count = Bounded(Double(places.count))
            let (offset, slope) = (sum / count, product / count)
            let factor = Bounded(operands.gammas[index]) * inverse
            for (place, value) in zip(places, normalised) {
                due[place] = (Bounded(passed[place]) - offset - value * slope) * factor
            }
        }
        judge.check("gradients", try gradients.contents(), equals: sums)
        let actual = try gradient.contents()
        judge.checkGuards("gradient", actual)
        let plain = layout.unpack(actual.values)
        judge.check("gradient", plain, equals: due)
        if layout.maskedValues(actual.values).contains(where: { $0 != 0 }) {
            judge.complain("a masked sample has a gradient")
        }
        guard operation == .transposed else { return }
        judge.check(
            "transposed gradient", try transposed.contents(), equals: batch.transposedValues(plain, values: features),
            within: .exact)
    }
}

/// A channel's mean and sum of squared deviations, taken in two passes: the mean from deviations from the first value, then
/// the deviations from that and what they say of its own error.
private struct ChannelTruth {
    let mean, squares: Bounded

    /// - Parameter additions: those that a term passes through at most.
    init(of values: [Double], additions: Int) {
        guard values.contains(where: { $0 != values[0] }) else {
            // Every deviation from the first value is 0, and so is that of the mean.
            (mean, squares) = (Bounded(values[0]), Bounded(0.0))
            return
        }
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let size = values.reduce(0) { $0 + ($1 - mean).magnitude }
        // Of the first pass only the error counts, by which all deviations of the second may be off together.
        let pivot = Bounded(values[0])
        let rough =
            pivot + Bounded.sum(values.map { Bounded($0) - pivot }, additions: additions) / Bounded(count)
        let shift = (rough.value - mean).magnitude + rough.error
        // A deviation is rounded before it is added.
        let gap = Bounded(count * shift, error: Rounding.gamma(additions + 1) * (size + count * shift))
        let correction = gap / Bounded(count)
        self.mean = Bounded(
            mean, error: correction.error + Rounding.unit * (mean.magnitude + correction.error) + Rounding.least)
        // Each square is off by two of its deviation's roundings and its own.
        let second = squares + count * shift * shift
        let excess = gap * gap / Bounded(count)
        let error = Rounding.gamma(additions + 3) * second + excess.error
        self.squares = Bounded(squares, error: error + Rounding.unit * (squares + error) + Rounding.least)
    }
}
