/// Softmax cross-entropy of a batch of logits: losses and right answers of each tile, and the gradient of the mean loss
/// over the batch's valid samples, that of each sample times its weight where there are any.
package struct SoftmaxCrossEntropy: Operation {
    package static let kernel = "softmax_cross_entropy"
    package let batch: BatchShape
    package let classes: Int
    /// [replica][tile][class][sample].
    package let logits: DeviceBuffer<Float>
    /// [replica][tile][sample], each below ``classes``, or -1 where masked.
    package let batchLabels: DeviceBuffer<Int32>
    /// ``StepSchedule/current``.
    package let current: DeviceBuffer<Int32>
    /// The samples' weights; nil if all are equal.
    package let weights: SampleWeights?
    /// Result, of the shape of the logits, 0 where masked.
    package let delta: DeviceBuffer<Float>
    /// Result [replica][tile][sample][class padded to 16]: the same, 0 in the padding.
    package let transposedDelta: DeviceBuffer<Float>
    /// Result [replica][tile][2]: sum of the losses of a tile's valid samples, right answers among them.
    package let lossAndCorrect: DeviceBuffer<Float>

    /// A loss over buffers of the shapes above.
    package init(
        batch: BatchShape, classes: Int, logits: DeviceBuffer<Float>, batchLabels: DeviceBuffer<Int32>,
        current: DeviceBuffer<Int32>, weights: SampleWeights? = nil, delta: DeviceBuffer<Float>,
        transposedDelta: DeviceBuffer<Float>,
        lossAndCorrect: DeviceBuffer<Float>
    ) {
        self.batch = batch
        self.classes = classes
        self.logits = logits
        self.batchLabels = batchLabels
        self.current = current
        self.weights = weights
        self.delta = delta
        self.transposedDelta = transposedDelta
        self.lossAndCorrect = lossAndCorrect
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: self, layout: layout)
        try require(positive: [classes])
        let samples = batch.room
        try require(logits, holds: samples * classes)
        try require(batchLabels, holds: samples)
        try require(current, holds: StepSchedule.currentCount(replicas: batch.replicas))
        try weights?.validate(for: self, batch)
        try require(delta, holds: samples * classes)
        try require(transposedDelta, holds: samples * paddedColumns(classes))
        try require(lossAndCorrect, holds: batch.replicas * batch.tiles * 2)
    }

    /// Per logit an exponential, a division, the label's subtraction and another division, and their comparison and sum; a
    /// weight is one operation more, and two floats per sample.
    static let operationsPerLogit = 6
    /// A logit is read, and its gradient written twice.
    static let floatsPerLogit = 3

    package var cost: OperationCost {
        OperationCost(
            samples: batch, multiplyAdds: 0, others: (Self.operationsPerLogit + (weights == nil ? 0 : 1)) * classes,
            floats: Double(Self.floatsPerLogit * classes + (weights == nil ? 0 : 2)), weights: 0)
    }
}
