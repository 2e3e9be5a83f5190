/// The gradient of a linear layer's input: that of its output times the weights, transposed; and once more transposed itself
/// where another linear layer comes before.
package struct LinearInputGradient: Operation {
    package static let kernel = "linear_input_gradient"
    package let shape: LinearShape
    /// [replica][tile][output][sample], 0 where masked.
    package let outputGradient: DeviceBuffer<Float>
    /// [inputs + 1][outputs padded to 16], the bias as last row.
    package let weights: ReplicaTensor
    /// Result [replica][tile][input][sample].
    package let inputGradient: DeviceBuffer<Float>
    /// Result [replica][tile][sample][input padded to 16], 0 in the padding; nil where no layer before wants it.
    package let transposedGradient: DeviceBuffer<Float>?

    /// A gradient over buffers of the shapes above.
    package init(
        _ shape: LinearShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        inputGradient: DeviceBuffer<Float>, transposedGradient: DeviceBuffer<Float>? = nil
    ) {
        self.shape = shape
        self.outputGradient = outputGradient
        self.weights = weights
        self.inputGradient = inputGradient
        self.transposedGradient = transposedGradient
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout, weights: weights)
        let room = shape.batch.room
        try require(outputGradient, holds: room * shape.outputs)
        try require(inputGradient, holds: room * shape.inputs)
        if let transposedGradient { try require(transposedGradient, holds: room * shape.inputStride) }
    }

    package var cost: OperationCost {
        guard transposedGradient != nil else { return shape.cost }
        let transposed = Double(shape.batch.replicas * shape.batch.samples * shape.inputs)
        return shape.cost + OperationCost(operations: 0, bytes: 4 * transposed)
    }
}
