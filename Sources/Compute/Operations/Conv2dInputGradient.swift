/// The gradient of a convolution's input: that of its output times the kernels, turned around.
package struct Conv2dInputGradient: Operation {
    package static let kernel = "conv2d_input_gradient"
    package let shape: Conv2DShape
    /// [replica][tile][out channel][y][x][sample], 0 where masked.
    package let outputGradient: DeviceBuffer<Float>
    /// [in channel][ky][kx][out channel].
    package let weights: ReplicaTensor
    /// Result [replica][tile][in channel][y][x][sample].
    package let inputGradient: DeviceBuffer<Float>

    /// A gradient over buffers of the shapes above.
    package init(
        shape: Conv2DShape, outputGradient: DeviceBuffer<Float>, weights: ReplicaTensor,
        inputGradient: DeviceBuffer<Float>
    ) {
        self.shape = shape
        self.outputGradient = outputGradient
        self.weights = weights
        self.inputGradient = inputGradient
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout, weights: weights)
        try require(outputGradient, holds: shape.batch.room * shape.outputCount)
        try require(inputGradient, holds: shape.batch.room * shape.inputCount)
    }

    package var cost: OperationCost { shape.cost(biases: 0) }
}
