/// Batch norm over the samples and positions of each channel (Ioffe & Szegedy 2015): the parameters and buffers of one such
/// layer. After a linear layer every value is a channel of one position.
package struct BatchNorm {
    package var batch: BatchShape
    package var channels: Int
    /// Values of a channel and sample: height x width of its plane, 1 after a linear layer.
    package var positions: Int
    /// [channel] scale.
    package var gamma: ReplicaTensor
    /// [channel] shift, in the same buffer.
    package var beta: ReplicaTensor
    /// [replica][2][channel]: running mean, running variance (unbiased), momentum 0.1.
    package var running: DeviceBuffer<Float>
    /// [replica][channel][2]: the batch's mean and 1 / sqrt(variance + epsilon), for the backward pass.
    package var saved: DeviceBuffer<Float>
    /// ``StepSchedule/current``.
    package var current: DeviceBuffer<Int32>
    /// Values of a sample.
    package var features: Int { channels * positions }

    /// A layer over buffers of the shapes above.
    package init(
        batch: BatchShape, channels: Int, positions: Int, gamma: ReplicaTensor, beta: ReplicaTensor,
        running: DeviceBuffer<Float>, saved: DeviceBuffer<Float>, current: DeviceBuffer<Int32>
    ) {
        self.batch = batch
        self.channels = channels
        self.positions = positions
        self.gamma = gamma
        self.beta = beta
        self.running = running
        self.saved = saved
        self.current = current
    }

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: operation, layout: layout)
        try operation.require(positive: [channels, positions])
        try operation.require(gamma.sharesBuffer(with: beta), "gamma and beta must be in one buffer, at one stride")
        try operation.require(gamma, holds: channels, replicas: batch.replicas)
        try operation.require(beta, holds: channels, replicas: batch.replicas)
        try operation.require(running, holds: batch.replicas * channels * 2)
        try operation.require(saved, holds: batch.replicas * channels * 2)
        try operation.require(current, holds: StepSchedule.currentCount(replicas: batch.replicas))
    }
}

extension BatchNorm {
    /// The layer's shape and parameters as arguments of a kernel.
    var arguments: [(String, KernelArgument)] {
        [
            ("channels", channels.argument), ("positions", positions.argument), ("tiles", batch.tiles.argument),
            ("parameters", gamma.argument), ("stride", gamma.stride.argument), ("gamma", gamma.offset.argument),
            ("beta", beta.offset.argument),
        ]
    }
}
