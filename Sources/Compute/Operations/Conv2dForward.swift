/// A convolution of stride 1 with its biases, for all samples of a batch; nothing is masked.
package struct Conv2dForward: Operation {
    package static let kernel = "conv2d_forward"
    package let shape: Conv2DShape
    /// [replica][tile][in channel][y][x][sample].
    package let input: DeviceBuffer<Float>
    /// [in channel][ky][kx][out channel].
    package let weights: ReplicaTensor
    /// [out channel], in the buffer of the weights.
    package let bias: ReplicaTensor
    /// Result [replica][tile][out channel][y][x][sample].
    package let output: DeviceBuffer<Float>

    /// A convolution over buffers of the shapes above.
    package init(
        shape: Conv2DShape, input: DeviceBuffer<Float>, weights: ReplicaTensor, bias: ReplicaTensor,
        output: DeviceBuffer<Float>
    ) {
        self.shape = shape
        self.input = input
        self.weights = weights
        self.bias = bias
        self.output = output
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        let batch = shape.batch
        try shape.validate(for: self, layout: layout, weights: weights)
        try require(bias, holds: shape.outChannels, replicas: batch.replicas)
        try require(
            bias.sharesBuffer(with: weights) && bias.stride == weights.stride, "weights and biases are in two buffers")
        try require(input, holds: batch.room * shape.inputCount)
        try require(output, holds: batch.room * shape.outputCount)
    }

    package var cost: OperationCost { shape.cost(biases: shape.outChannels) }
}
