import Compute

/// A ReLU or its gradient, with values of every kind among the first.
struct ReluCase: KernelCase {
    let isBackward: Bool
    let batch: (replicas: Int, samples: Int)
    let features: Int
    var isTransposed = true
    let seed: UInt64
    var kernel: String { isBackward ? ReluBackward.kernel : ReluForward.kernel }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(features) features\(isTransposed ? "" : ", alone"), seed \(seed)"
    }
    var form: String { isTransposed ? "any" : "alone" }
    var cost: Int { batch.replicas * AwkwardBatch.room(for: batch.samples) * features }

    static func cases(isBackward: Bool, seed: UInt64) -> [any KernelCase] {
        let widths = [1, 7, 15, 16, 17, 31, 33, 300]
        return zip(widths, AwkwardBatch.all).map {
            ReluCase(isBackward: isBackward, batch: $1, features: $0, seed: seed)
        }
            + (isBackward ? [(1, 7), (2, 33)] : []).map {
                ReluCase(isBackward: true, batch: $0, features: 19, isTransposed: false, seed: seed)
            }
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let layout = batch.layout(features)
        let count = self.batch.replicas * self.batch.samples * features
        var values = random.floats(count)
        let special: [Float] = [.nan, 0, -0.0, .infinity, -.infinity, .leastNormalMagnitude]
        // The last one stays as it is.
        for (place, value) in special.prefix(count - 1).enumerated() { values[place] = value }
        let input = try batch.activation(values, values: features, masked: 1, label: "values")
        guard isBackward else {
            let output = try batch.output(features, label: "output")
            try backend.run(
                ReluForward(batch: batch.shape, features: features, input: input, output: output.buffer))
            let actual = try output.contents()
            judge.checkGuards("output", actual)
            judge.check(
                "output", layout.unpack(actual.values), equals: values.map { $0 <= 0 ? 0 : $0 }, within: .exact)
            return judge.result
        }
        let gradients = random.floats(count)
        let gradient = try GuardedBuffer(on: backend, layout.pack(gradients, masked: 0), label: "gradient")
        let stride = paddedColumns(features)
        let transposed = try GuardedBuffer<Float>(
            on: backend, count: batch.layout(1).count * stride, label: "transposed gradient")
        try backend.run(
            ReluBackward(
                batch: batch.shape, features: features, output: input, gradient: gradient.buffer,
                transposedGradient: isTransposed ? transposed.buffer : nil))
        let due = zip(values, gradients).map { $0 <= 0 ? 0 : $1 }
        judge.check("gradient", try gradient.contents(), equals: layout.pack(due, masked: 0), within: .exact)
        guard isTransposed else { return judge.result }
        judge.check(
            "transposed gradient", try transposed.contents(), equals: batch.transposedValues(due, values: features),
            within: .exact)
        return judge.result
    }
}
