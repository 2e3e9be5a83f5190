import Compute

/// Loss and gradient of reconstructions.
package enum MeanSquaredErrorCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        zip([1, 7, 15, 16, 17, 31, 100, 784], AwkwardBatch.all).map {
            MeanSquaredErrorCase(batch: $1, values: $0, seed: seed)
        } + [MeanSquaredErrorCase(batch: (2, 17), values: 33, seed: seed, isPoisoned: true)]
            + RaggedCase.cases(.squaredError, seed: seed)
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] { [] }
}

/// The mean squared error of a batch, held against double precision.
struct MeanSquaredErrorCase: KernelCase {
    let batch: (replicas: Int, samples: Int)
    let values: Int
    let seed: UInt64
    /// Whether the first sample of the last network has a NaN.
    var isPoisoned = false
    var kernel: String { MeanSquaredError.kernel }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(values) values, seed \(seed)" + (isPoisoned ? ", a NaN" : "")
    }
    var form: String { "any" }
    var cost: Int { 4 * batch.replicas * AwkwardBatch.room(for: batch.samples) * values }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let (replicas, samples) = self.batch
        var outputs = random.floats(replicas * samples * values)
        let targets = random.floats(replicas * samples * values, in: -2...2)
        if isPoisoned { outputs[(replicas - 1) * samples * values] = .nan }
        let (room, stride) = (batch.layout(1), paddedColumns(values))
        let delta = try batch.output(values, label: "gradient")
        let transposed = try GuardedBuffer<Float>(
            on: backend, count: room.count * stride, label: "transposed gradient")
        let losses = try GuardedBuffer<Float>(on: backend, count: replicas * room.tiles * 2, label: "losses")
        try backend.run(
            MeanSquaredError(
                batch: batch.shape, values: values,
                output: try batch.activation(outputs, values: values, masked: .nan, label: "output"),
                target: try batch.activation(targets, values: values, masked: 2, label: "target"),
                current: try batch.current(), delta: delta.buffer, transposedDelta: transposed.buffer,
                lossAndCorrect: losses.buffer))
        let gaps = zip(outputs, targets).map { Bounded($0) - Bounded($1) }
        let factor = Bounded(2.0) / Bounded(Double(samples * values))
        let actual = try delta.contents()
        let layout = batch.layout(values)
        judge.checkGuards("gradient", actual)
        let plain = layout.unpack(actual.values)
        judge.check("gradient", plain, equals: gaps.map { $0 * factor })
        if layout.maskedValues(actual.values).contains(where: { $0 != 0 }) {
            judge.complain("a masked sample has a gradient")
        }
        judge.check(
            "transposed gradient", try transposed.contents(), equals: batch.transposedValues(plain, values: values),
            within: .exact)
        let due = (0..<replicas * room.tiles).flatMap { tile -> [Bounded] in
            let first = tile % room.tiles * room.tile
            let places = (first..<first + room.tile).filter { $0 < samples }
            let squares = places.flatMap { sample -> [Bounded] in
                let own = ((tile / room.tiles) * samples + sample) * values
                return gaps[own..<own + values].map { $0 * $0 }
            }
            // A lane's values, then the lanes, of work-items too.
            return [Bounded.sum(squares, additions: values + 8) / Bounded(Double(values)), Bounded(0.0)]
        }
        judge.check("losses", try losses.contents(), equals: due)
        return judge.result
    }
}
