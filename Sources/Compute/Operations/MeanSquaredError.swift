/// The mean squared error of a batch of reconstructions: each tile's losses, and the gradient of the mean over the batch's
/// valid samples and all values.
package struct MeanSquaredError: Operation {
    package static let kernel = "mean_squared_error"
    package let batch: BatchShape
    /// Values per sample.
    package let values: Int
    /// [replica][tile][value][sample]: the reconstructions.
    package let output: DeviceBuffer<Float>
    /// The same shape: what they should be.
    package let target: DeviceBuffer<Float>
    /// ``StepSchedule/current``.
    package let current: DeviceBuffer<Int32>
    /// Result, of the shape of the output, 0 where masked.
    package let delta: DeviceBuffer<Float>
    /// Result [replica][tile][sample][value padded to 16]: the same, 0 in the padding.
    package let transposedDelta: DeviceBuffer<Float>
    /// Result [replica][tile][2]: sum over a tile's valid samples of each one's mean squared error, and 0, as there are no
    /// right answers.
    package let lossAndCorrect: DeviceBuffer<Float>

    /// A loss over buffers of the shapes above.
    package init(
        batch: BatchShape, values: Int, output: DeviceBuffer<Float>, target: DeviceBuffer<Float>,
        current: DeviceBuffer<Int32>, delta: DeviceBuffer<Float>, transposedDelta: DeviceBuffer<Float>,
        lossAndCorrect: DeviceBuffer<Float>
    ) {
        self.batch = batch
        self.values = values
        self.output = output
        self.target = target
        self.current = current
        self.delta = delta
        self.transposedDelta = transposedDelta
        self.lossAndCorrect = lossAndCorrect
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: self, layout: layout)
        try require(positive: [values])
        let samples = batch.room
        try require(output, holds: samples * values)
        try require(target, holds: samples * values)
        try require(current, holds: StepSchedule.currentCount(replicas: batch.replicas))
        try require(delta, holds: samples * values)
        try require(transposedDelta, holds: samples * paddedColumns(values))
        try require(lossAndCorrect, holds: batch.replicas * batch.tiles * 2)
    }

    /// Per value a difference, its part in the sum of squares and a product; two values are read, and the gradient is
    /// written twice.
    package var cost: OperationCost {
        OperationCost(
            samples: batch, multiplyAdds: values, others: 2 * values, floats: Double(4 * values), weights: 0)
    }
}
