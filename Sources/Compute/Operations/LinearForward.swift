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

extension LinearShape {
    /// Throws unless `weights` are this layer's, as its kernels read them: rows of whole vectors.
    func validate(for operation: some Operation, layout: DataLayout, weights: ReplicaTensor) throws(ComputeError) {
        try validate(for: operation, layout: layout)
        try operation.require(
            weightCount <= Int(Int32.max), "\(inputs) inputs and \(outputs) outputs have too many weights")
        try operation.require(weights, holds: weightCount, replicas: batch.replicas)
        try operation.require(
            weights.offset == paddedColumns(weights.offset) && weights.stride == paddedColumns(weights.stride),
            "weights at \(weights.offset) of \(weights.stride) parameters; multiples of 16 are needed")
    }

    /// What one pass over the layer costs, forwards or to either gradient: inputs, outputs and weights move once.
    var cost: OperationCost {
        let samples = batch.replicas * batch.samples
        return OperationCost(
            operations: 2 * Double(samples * inputs * outputs),
            bytes: 4 * Double(samples * (inputs + outputs) + batch.replicas * (inputs + 1) * outputs))
    }
}
