/// The gradients of a convolution's weights and, where it has a place for them, of its biases: sums over all samples of a
/// batch and all places of the output.
package struct Conv2dKernelGradients: Operation {
    package static let kernel = "conv2d_kernel_gradients"
    package let shape: Conv2DShape
    /// [replica][tile][in channel][y][x][sample].
    package let input: DeviceBuffer<Float>
    /// [replica][tile][out channel][y][x][sample], 0 where masked.
    package let outputGradient: DeviceBuffer<Float>
    /// The layer's weights, whose gradients have their place in ``gradients``.
    package let weights: ReplicaTensor
    /// Its biases, likewise; nil before batch norm, where their gradient is 0: what is there then stays.
    package let bias: ReplicaTensor?
    /// Result.
    package let gradients: StepGradients

    /// Gradients over buffers of the shapes above.
    package init(
        shape: Conv2DShape, input: DeviceBuffer<Float>, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        bias: ReplicaTensor?, gradients: StepGradients
    ) {
        self.shape = shape
        self.input = input
        self.outputGradient = outputGradient
        self.weights = weights
        self.bias = bias
        self.gradients = gradients
    }

    /// Rows of the output that are added up on their own first, so that few terms are in a chain of roundings.
    var rowsAtOnce: Int { max(1, 64 / shape.outWidth) }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout, weights: weights)
        let batch = shape.batch
        try require(
            Double(batch.tiles) * Double(shape.outHeight) <= Double(Int32.max),
            "a batch of \(batch.tiles) tiles is too large for \(shape.outHeight) rows")
        try gradients.validate(for: self, batch: batch)
        try gradients.validate(for: self, hold: weights, count: shape.weightCount)
        if let bias { try gradients.validate(for: self, hold: bias, count: shape.outChannels) }
        try require(input, holds: batch.room * shape.inputCount)
        try require(outputGradient, holds: batch.room * shape.outputCount)
    }

    package var cost: OperationCost {
        OperationCost(
            samples: shape.batch, multiplyAdds: shape.multiplyAdds, others: bias == nil ? 0 : shape.outputCount,
            floats: Double(shape.inputCount + shape.outputCount),
            weights: shape.weightCount + (bias == nil ? 0 : shape.outChannels))
    }
}
