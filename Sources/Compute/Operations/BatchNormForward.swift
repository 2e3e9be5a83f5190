/// Batch norm of a batch: (input - mean) / sqrt(variance + epsilon) * gamma + beta, with the statistics that ``Pass`` says. In
/// training it also saves the batch's for the backward pass and moves the running ones towards them; a batch of a single
/// value per channel, which has no unbiased variance, moves the mean alone.
package struct BatchNormForward: Operation {
    package static let kernel = "batch_norm_forward"
    package let layer: BatchNorm
    package let pass: Pass
    /// [replica][tile][channel][position][sample].
    package let input: DeviceBuffer<Float>
    /// Result, as the input.
    package let output: DeviceBuffer<Float>

    /// A batch norm over buffers of the shapes above.
    package init(_ layer: BatchNorm, _ pass: Pass, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>) {
        self.layer = layer
        self.pass = pass
        self.input = input
        self.output = output
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try layer.validate(for: self, layout: layout)
        try require(input, holds: layer.batch.room * layer.features)
        try require(output, holds: layer.batch.room * layer.features)
    }

    /// A difference, a product and a sum per value; in training the statistics are a difference and two sums more, of which
    /// one is of squares.
    package var cost: OperationCost {
        OperationCost(
            samples: layer.batch, multiplyAdds: (pass == .training ? 2 : 1) * layer.features,
            others: (pass == .training ? 3 : 1) * layer.features, floats: Double(2 * layer.features),
            weights: 4 * layer.channels)
    }
}
