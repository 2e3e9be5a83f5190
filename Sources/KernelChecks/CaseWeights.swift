import Compute

/// The weights of a case's samples, and the losses that an operation writes, for a batch in the middle of an order
/// whose other samples must not be changed.
struct CaseWeights {
    /// [replica][sample]: 0, 1, or what InfoBatch gives for shares of 0.5 and 0.3.
    let plain: [Float]
    /// The batch's first position in the order.
    let first: Int
    let operand: SampleWeights
    private let batch: CaseBatch
    let losses: GuardedBuffer<Float>
    private var stride: Int { operand.stride }

    /// Weights for a batch whose first sample is at position `first`; those of other positions are NaN.
    init(_ batch: CaseBatch, first: Int, _ random: inout CaseInputs) throws(ComputeError) {
        let (replicas, samples, stride) = (batch.replicas, batch.samples, first + batch.samples + 3)
        plain = random.integers(replicas * samples, in: 0..<Self.choices.count).map { Self.choices[Int($0)] }
        var weights = [Float](repeating: .nan, count: replicas * stride)
        for (place, weight) in plain.enumerated() {
            weights[place / samples * stride + first + place % samples] = weight
        }
        losses = try GuardedBuffer(
            on: batch.backend, [Float](repeating: Self.untouched, count: weights.count), label: "losses of samples")
        operand = SampleWeights(
            weights: try batch.backend.makeBuffer(weights, label: "weights of samples"), losses: losses.buffer,
            stride: stride)
        self.first = first
        self.batch = batch
    }

    private static let untouched: Float = -7
    private static let choices: [Float] = [0, 1, 2, 1 / (1 - 0.3)]

    /// Draws `count` weights that belong to others.
    static func skip(_ count: Int, _ random: inout CaseInputs) { _ = random.integers(count, in: 0..<choices.count) }

    /// Checks the losses, [replica][sample], and that no others were written.
    func check(_ truths: [Bounded], _ judge: inout CaseJudge) throws(ComputeError) {
        var due = [Bounded](repeating: Bounded(Self.untouched), count: batch.replicas * stride)
        for (place, truth) in truths.enumerated() {
            due[place / batch.samples * stride + first + place % batch.samples] = truth
        }
        judge.check("losses of samples", try losses.contents(), equals: due)
    }
}
