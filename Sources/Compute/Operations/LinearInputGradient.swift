/// The gradient of a linear layer's input: that of its output times the weights, transposed.
package struct LinearInputGradient: Operation {
    package static let kernel = "linear_input_gradient"
    package let shape: LinearShape
    /// [replica][tile][output][sample], 0 where masked.
    package let outputGradient: DeviceBuffer<Float>
    /// [inputs + 1][outputs padded to 16], the bias as last row.
    package let weights: ReplicaTensor
    /// Result [replica][tile][input][sample].
    package let inputGradient: DeviceBuffer<Float>

    /// A gradient over buffers of the shapes above.
    package init(
        _ shape: LinearShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        inputGradient: DeviceBuffer<Float>
    ) {
        self.shape = shape
        self.outputGradient = outputGradient
        self.weights = weights
        self.inputGradient = inputGradient
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout, weights: weights)
        let room = shape.batch.room
        try require(outputGradient, holds: room * shape.outputs)
        try require(inputGradient, holds: room * shape.inputs)
    }

    package var cost: OperationCost { shape.cost }
}
