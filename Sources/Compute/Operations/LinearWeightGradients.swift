/// The gradients of a linear layer's weights and biases: sums over all samples of a batch, in order. Those of biases just
/// before a batch norm, which takes them off again, are 0 without any rounding.
package struct LinearWeightGradients: Operation {
    package static let kernel = "linear_weight_gradients"
    package let shape: LinearShape
    /// [replica][tile][input][sample].
    package let input: DeviceBuffer<Float>
    /// [replica][tile][sample][output padded to 16]: the gradient of the output, 0 in the padding and where masked.
    package let transposedDelta: DeviceBuffer<Float>
    /// The layer's weights, whose gradients have their place in ``gradients``.
    package let weights: ReplicaTensor
    /// Whether the biases have a gradient.
    package let trainsBiases: Bool
    /// Result, 0 in the padding of the weights.
    package let gradients: StepGradients

    /// Gradients over buffers of the shapes above.
    package init(
        _ shape: LinearShape, input: DeviceBuffer<Float>, transposedDelta: DeviceBuffer<Float>, weights: ReplicaTensor,
        gradients: StepGradients, trainsBiases: Bool = true
    ) {
        self.shape = shape
        self.input = input
        self.transposedDelta = transposedDelta
        self.weights = weights
        self.gradients = gradients
        self.trainsBiases = trainsBiases
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout, weights: weights)
        try gradients.validate(for: self, batch: shape.batch)
        try gradients.validate(for: self, hold: weights, count: shape.weightCount)
        let samples = shape.batch.tiles * layout.tile
        try require(
            samples * max(shape.inputs, shape.outputStride) <= Int(Int32.max),
            "a batch of \(samples) samples is too large for \(shape.inputs) inputs and \(shape.outputs) outputs")
        try require(input, holds: shape.batch.replicas * samples * shape.inputs)
        try require(transposedDelta, holds: shape.batch.replicas * samples * shape.outputStride)
    }

    package var cost: OperationCost { shape.cost }
}
