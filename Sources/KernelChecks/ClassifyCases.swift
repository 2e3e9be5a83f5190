import Compute

/// The predicted class of each sample, at its place in the order.
public enum ClassifyCases: KernelCases {
    public static func cases(seed: UInt64) -> [any KernelCase] {
        AwkwardBatch.all.flatMap { batch in [1, 2, 10, 17].map { ClassifyCase(batch: batch, classes: $0, seed: seed) } }
    }

    public static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [ClassifyCase(batch: (replicas, 64), classes: 10, seed: seed)]
    }
}

private struct ClassifyCase: KernelCase {
    let batch: (replicas: Int, samples: Int)
    let classes: Int
    let seed: UInt64
    var kernel: String { "classify" }
    var name: String { "R \(batch.replicas), batch \(batch.samples), \(classes) classes, seed \(seed)" }
    var form: String { "\(classes) classes" }
    var cost: Int { batch.replicas * batch.samples * classes }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        // Few different values: ties in most samples.
        let logits = inputs.floats(batch.replicas * batch.samples * classes, in: -3...3).map { $0.rounded() }
        let (first, stride) = (4, batch.samples + 9)
        func classify(_ backend: any Backend) throws -> GuardedContents<Int32> {
            let sized = CaseBatch(backend, batch)
            // Predictions of other batches must stay.
            let predictions = try GuardedBuffer<Int32>(
                on: backend, [Int32](repeating: -9, count: batch.replicas * stride), label: "predictions")
            try backend.classify(
                sized.shape, classes: classes,
                logits: try sized.activation(logits, values: classes, masked: 9, label: "logits"),
                current: try sized.current(first: first), predictions: predictions.buffer, predictionStride: stride)
            return try predictions.contents()
        }
        judge.check("predictions", try classify(backend), equals: try classify(reference).values)
        return judge.result
    }
}
