/// Turns the gradient of a batch norm's output into that of its input, in its place and, where a linear layer comes before,
/// transposed; and takes the gradients of gamma and beta.
package struct BatchNormBackward: Operation {
    package static let kernel = "batch_norm_backward"
    /// The layer after its forward pass in training.
    package let layer: BatchNorm
    /// [replica][tile][channel][position][sample]: what was normalised.
    package let input: DeviceBuffer<Float>
    /// The same shape, changed in its place; 0 where masked.
    package let gradient: DeviceBuffer<Float>
    /// Result [replica][tile][sample][channels x positions padded to 16], 0 in the padding; nil where no layer before wants
    /// it.
    package let transposedGradient: DeviceBuffer<Float>?
    /// Result, in the places of gamma and beta.
    package let gradients: StepGradients

    /// A gradient over buffers of the shapes above.
    package init(
        _ layer: BatchNorm, input: DeviceBuffer<Float>, gradient: DeviceBuffer<Float>,
        transposedGradient: DeviceBuffer<Float>?, gradients: StepGradients
    ) {
        self.layer = layer
        self.input = input
        self.gradient = gradient
        self.transposedGradient = transposedGradient
        self.gradients = gradients
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try layer.validate(for: self, layout: layout)
        try gradients.validate(for: self, batch: layer.batch)
        try gradients.validate(for: self, hold: layer.gamma, count: layer.channels)
        try gradients.validate(for: self, hold: layer.beta, count: layer.channels)
        let samples = layer.batch.room
        try require(input, holds: samples * layer.features)
        try require(gradient, holds: samples * layer.features)
        if let transposedGradient { try require(transposedGradient, holds: samples * paddedColumns(layer.features)) }
    }

    /// Per value the normalised one, its part in two sums, and the gradient, of which two differences and two products.
    package var cost: OperationCost {
        OperationCost(
            samples: layer.batch, multiplyAdds: layer.features, others: 7 * layer.features,
            floats: Double((transposedGradient == nil ? 3 : 4) * layer.features), weights: 5 * layer.channels)
    }
}
