import Compute

/// Softmax cross-entropy: loss, right answers, gradient in both layouts.
public enum SoftmaxCrossEntropyCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] {
        let sizes = AwkwardBatch.all.flatMap { batch in [1, 2, 10, 17].map { (batch, $0) } }
        return sizes.map { SoftmaxCrossEntropyCase(batch: $0.0, classes: $0.1, range: 4, seed: seed) }
            // Logits whose exponentials overflow unless the largest is taken off first.
            + [SoftmaxCrossEntropyCase(batch: (2, 17), classes: 10, range: 300, seed: seed)]
            + [SoftmaxCrossEntropyCase(batch: (2, 17), classes: 10, range: 4, seed: seed, poisonsASample: true)]
    }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [SoftmaxCrossEntropyCase(batch: (replicas, 64), classes: 10, range: 4, seed: seed)]
    }
}

private struct SoftmaxCrossEntropyCase: KernelCase {
    let batch: (replicas: Int, samples: Int)
    let classes: Int
    /// Logits are within plus and minus this.
    let range: Float
    let seed: UInt64
    /// Puts a NaN among the logits of sample 0 of the last replica.
    var poisonsASample = false
    var kernel: String { "softmax_cross_entropy" }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(classes) classes, logits to \(range), seed \(seed)"
            + (poisonsASample ? ", a NaN" : "")
    }

    private struct Outcome {
        var sized: CaseBatch
        var losses: GuardedContents<Float>
        var correct: GuardedContents<Int32>
        var delta: GuardedContents<Float>
        var transposed: GuardedContents<Float>
    }
    var form: String { "\(classes) classes" }
    var cost: Int { 10 * batch.replicas * batch.samples * classes }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let samples = batch.replicas * batch.samples
        // Multiples of 1/16 tie now and then: the lowest class wins.
        var logits = inputs.floats(samples * classes, in: -range...range).map { ($0 * 16).rounded() / 16 }
        let labels = inputs.integers(samples, in: 0..<classes)
        if poisonsASample { logits[(samples - batch.samples) * classes + 1] = .nan }
        let actual = try outcome(logits, labels, on: backend)
        let expected = try outcome(logits, labels, on: reference)

        // Exponentials and logarithms are right to 3 and 3 epsilons by OpenCL's rules, and sums of `classes` terms.
        let epsilon = Double(Float.ulpOfOne)
        judge.check(
            "losses", actual.losses, equals: expected.losses.values,
            within: Tolerance(absolute: epsilon * Double(8 + classes), relative: epsilon * Double(8 + batch.samples)))
        judge.check("correct", actual.correct, equals: expected.correct.values)
        let gradient = Tolerance(absolute: epsilon * Double(16 + classes) / Double(batch.samples))
        judge.check(
            "delta", actual.delta, of: actual.sized, equals: expected.delta, of: expected.sized, values: classes,
            within: gradient, maskedZero: true)
        judge.checkGuards("transposed delta", actual.transposed)
        let stride = paddedColumns(classes)
        let rows = actual.sized.untransposed(actual.transposed.values, stride: stride)
        let plain = actual.sized.layout(classes).unpack(actual.delta.values)
        let padded = (0..<samples).flatMap { row in
            plain[row * classes..<(row + 1) * classes] + [Float](repeating: 0, count: stride - classes)
        }
        judge.check("transposed delta", rows.valid, equals: padded, within: .exact)
        if rows.masked.contains(where: { $0 != 0 }) {
            judge.complain("the transposed delta of a masked sample is not 0")
        }
        return judge.result
    }

    private func outcome(_ logits: [Float], _ labels: [Int32], on backend: any Backend) throws -> Outcome {
        let sized = CaseBatch(backend, batch)
        let step = 2
        // Earlier steps' losses must stay.
        let losses = try GuardedBuffer<Float>(
            on: backend, [Float](repeating: 7, count: (step + 1) * batch.replicas), label: "losses")
        let correct = try GuardedBuffer<Int32>(
            on: backend, [Int32](repeating: 7, count: (step + 1) * batch.replicas), label: "correct")
        let delta = try sized.output(classes, label: "delta")
        let transposed = try GuardedBuffer<Float>(
            on: backend, count: sized.layout(1).count * paddedColumns(classes), label: "transposed delta")
        try backend.softmaxCrossEntropy(
            SoftmaxCrossEntropy(
                batch: sized.shape, classes: classes,
                logits: try sized.activation(logits, values: classes, label: "logits"),
                batchLabels: try backend.makeBuffer(sized.layout(1).pack(labels, masked: -1), label: "labels"),
                current: try sized.current(step: step), losses: losses.buffer, correct: correct.buffer,
                delta: delta.buffer, transposedDelta: transposed.buffer))
        return Outcome(
            sized: sized, losses: try losses.contents(), correct: try correct.contents(), delta: try delta.contents(),
            transposed: try transposed.contents())
    }
}
