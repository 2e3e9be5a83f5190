/// A linear layer: output = input · weights + bias, for all samples of a batch; nothing is masked.
package struct LinearForward: Operation {
    package static let kernel = "linear_forward"
    package let shape: LinearShape
    /// [replica][tile][input][sample].
    package let input: DeviceBuffer<Float>
    /// [inputs + 1][outputs padded to 16], the bias as last row.
    package let weights: ReplicaTensor
    /// Result [replica][tile][output][sample].
    package let output: DeviceBuffer<Float>

    /// A layer over buffers of the shapes above.
    package init(
        _ shape: LinearShape, input: DeviceBuffer<Float>, weights: ReplicaTensor, output: DeviceBuffer<Float>
    ) {
        self.shape = shape
        self.input = input
        self.weights = weights
        self.output = output
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout, weights: weights)
        let room = shape.batch.room
        try require(input, holds: room * shape.inputs)
        try require(output, holds: room * shape.outputs)
    }

    package var cost: OperationCost { shape.cost }
}
