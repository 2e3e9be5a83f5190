/// The weights of a training's samples, and the buffer for their losses.
package struct SampleWeights {
    /// [replica][stride]: the weight of the sample at each position of the order, by which the gradient of its loss is
    /// multiplied.
    package let weights: DeviceBuffer<Float>
    /// Result [replica][stride]: the unweighted losses, at their samples' positions; values at other positions are not
    /// changed.
    package let losses: DeviceBuffer<Float>
    /// Positions of a replica's order.
    package let stride: Int

    /// Weights and losses over buffers of the shapes above.
    package init(weights: DeviceBuffer<Float>, losses: DeviceBuffer<Float>, stride: Int) {
        self.weights = weights
        self.losses = losses
        self.stride = stride
    }

    func validate(for operation: some Operation, _ batch: BatchShape) throws(ComputeError) {
        try operation.require(positive: [stride])
        try operation.require(weights, holds: batch.replicas * stride)
        try operation.require(losses, holds: batch.replicas * stride)
    }
}
