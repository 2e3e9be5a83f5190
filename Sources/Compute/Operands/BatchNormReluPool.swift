/// Batch norm over the samples and positions of each channel (Ioffe & Szegedy 2015) with ReLU and a 2x2 max-pool: the
/// parameters and buffers of one such layer. The pool comes first, since normalising keeps or turns the order of values:
/// what wins is the largest value where gamma is positive, the smallest where it is negative.
package struct BatchNormReluPool {
    package var shape: PlaneShape
    /// [channel] scale and shift.
    package var gamma: ReplicaTensor
    package var beta: ReplicaTensor
    /// [replica][2][channel]: running mean, running variance (unbiased), momentum 0.1.
    package var running: DeviceBuffer<Float>
    /// [replica][tile][channel][y / 2][x / 2][sample]: what wins each pool, not yet normalised.
    package var pooled: DeviceBuffer<Float>
    /// The same shape: 2 * dy + dx of the winner, the first one on ties and where gamma is 0.
    package var winners: DeviceBuffer<UInt8>
    /// [replica][tile][channel][2]: mean and sum of squared deviations of a tile's valid samples.
    package var partials: DeviceBuffer<Float>
    /// [replica][channel][2]: the batch's mean and 1 / sqrt(variance + epsilon), for the backward pass.
    package var saved: DeviceBuffer<Float>
    /// The shape of `pooled`: the gradient of the layer's output, 0 where ReLU let nothing pass and where masked.
    package var pooledGradient: DeviceBuffer<Float>
    /// [replica][tile][channel][2]: sums over a tile of the pooled gradient, and of it times the normalised input.
    package var sums: DeviceBuffer<Float>
    /// ``StepSchedule/current``.
    package var current: DeviceBuffer<Int32>

    package init(
        shape: PlaneShape, gamma: ReplicaTensor, beta: ReplicaTensor, running: DeviceBuffer<Float>,
        pooled: DeviceBuffer<Float>, winners: DeviceBuffer<UInt8>, partials: DeviceBuffer<Float>,
        saved: DeviceBuffer<Float>, pooledGradient: DeviceBuffer<Float>, sums: DeviceBuffer<Float>,
        current: DeviceBuffer<Int32>
    ) {
        self.shape = shape
        self.gamma = gamma
        self.beta = beta
        self.running = running
        self.pooled = pooled
        self.winners = winners
        self.partials = partials
        self.saved = saved
        self.pooledGradient = pooledGradient
        self.sums = sums
        self.current = current
    }

    /// Added to the variance, PyTorch's default.
    package static let epsilon: Float = 1e-5
    /// Weight of the newest batch in the running statistics, PyTorch's default.
    package static let momentum: Float = 0.1

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        let batch = shape.batch
        try shape.validate(for: operation, layout: layout)
        let values = batch.room * shape.pooledCount
        try operation.require(pooled, holds: values)
        try operation.require(winners, holds: values)
        try operation.require(pooledGradient, holds: values)
        try operation.require(partials, holds: batch.replicas * batch.tiles * shape.channels * 2)
        try operation.require(sums, holds: batch.replicas * batch.tiles * shape.channels * 2)
        try operation.require(saved, holds: batch.replicas * shape.channels * 2)
        try operation.require(running, holds: batch.replicas * shape.channels * 2)
        try operation.require(current, holds: StepSchedule.currentCount(replicas: batch.replicas))
        try operation.require(gamma, holds: shape.channels, replicas: batch.replicas)
        try operation.require(beta, holds: shape.channels, replicas: batch.replicas)
    }
}
