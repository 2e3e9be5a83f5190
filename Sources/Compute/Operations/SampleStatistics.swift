/// A statistic of a sample's logits, in the order in which ``SampleStatistics`` writes them. p is their softmax, y the
/// sample's class.
package enum SampleStatistic: Int, CaseIterable, Sendable {
    /// p of y.
    case probability
    /// The logit of y less the largest other one; 0 where there is one class alone. Of a network's training: AUM (Pleiss
    /// et al. 2020).
    case margin
    /// 1 where the largest logit, the lowest class on ties, is that of y, else 0.
    case isRight
    /// -sum p log p, in nats.
    case entropy
    /// The largest p.
    case largest
    /// The largest p less the second largest.
    case lead
    /// EL2N: ||p - onehot(y)|| (Paul et al. 2021).
    case el2n
    /// EL2N times sqrt(1 + ||h||^2): the norm of the gradient of the loss with respect to the weights and biases of the last
    /// layer, which takes h (GraNd of that layer, Paul et al. 2021).
    case grand

    /// What is written where the last layer's input is not given.
    package static let recorded: [SampleStatistic] = [.probability, .margin, .isRight]
}

/// The statistics of every valid sample of a batch. It reads what a forward pass has left and changes nothing of it, so that
/// it may follow a training step or predictions. Of finite logits none is NaN, and a margin that overflows is infinite. A NaN
/// among a sample's logits, or an infinite one that is the largest, makes all its statistics NaN but
/// ``SampleStatistic/isRight``.
package struct SampleStatistics: Operation {
    /// What the last layer of a network takes.
    package struct LastInput {
        /// [replica][tile][value][sample].
        package let values: DeviceBuffer<Float>
        /// Values per sample.
        package let width: Int

        /// `width` values per sample.
        package init(_ values: DeviceBuffer<Float>, width: Int) {
            self.values = values
            self.width = width
        }
    }

    package static let kernel = "sample_statistics"
    package let batch: BatchShape
    package let classes: Int
    /// [replica][tile][class][sample].
    package let logits: DeviceBuffer<Float>
    /// [replica][tile][sample], each below ``classes``, or -1 where masked.
    package let batchLabels: DeviceBuffer<Int32>
    /// ``StepSchedule/current``.
    package let current: DeviceBuffer<Int32>
    /// Nil for only the ``SampleStatistic/recorded`` statistics.
    package let hidden: LastInput?
    /// Result [replica][statistic][stride], each at its sample's position in the order; what belongs to no sample of the
    /// batch stays.
    package let statistics: DeviceBuffer<Float>
    package let stride: Int

    /// Statistics over buffers of the shapes above: all of them where `hidden` is given, else the first three.
    package init(
        batch: BatchShape, classes: Int, logits: DeviceBuffer<Float>, batchLabels: DeviceBuffer<Int32>,
        current: DeviceBuffer<Int32>, hidden: LastInput? = nil, statistics: DeviceBuffer<Float>, stride: Int
    ) {
        self.batch = batch
        self.classes = classes
        self.logits = logits
        self.batchLabels = batchLabels
        self.current = current
        self.hidden = hidden
        self.statistics = statistics
        self.stride = stride
    }

    /// How many statistics a sample has.
    package var count: Int { hidden == nil ? SampleStatistic.recorded.count : SampleStatistic.allCases.count }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: self, layout: layout)
        try require(positive: [classes, stride])
        try require(logits, holds: batch.room * classes)
        try require(batchLabels, holds: batch.room)
        try require(current, holds: StepSchedule.currentCount(replicas: batch.replicas))
        if let hidden {
            try require(positive: [hidden.width])
            try require(hidden.values, holds: batch.room * hidden.width)
        }
        try require(statistics, holds: batch.replicas * count * stride)
    }

    /// Per logit a comparison, the largest one's subtraction, an exponential and a sum; with the last layer's input also
    /// three sums and two products.
    package var cost: OperationCost {
        let width = hidden?.width ?? 0
        return OperationCost(
            samples: batch, multiplyAdds: width, others: (hidden == nil ? 4 : 9) * classes,
            floats: Double(classes + width + count), weights: 0)
    }
}
