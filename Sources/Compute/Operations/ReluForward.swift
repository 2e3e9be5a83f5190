/// output = max(input, 0); a NaN passes.
package struct ReluForward: Operation {
    package static let kernel = "relu_forward"
    package let batch: BatchShape
    /// Values per sample.
    package let features: Int
    /// [replica][tile][feature][sample].
    package let input: DeviceBuffer<Float>
    /// Result, as the input.
    package let output: DeviceBuffer<Float>

    /// A ReLU over buffers of the shapes above.
    package init(batch: BatchShape, features: Int, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>) {
        self.batch = batch
        self.features = features
        self.input = input
        self.output = output
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: self, layout: layout)
        try require(positive: [features])
        let count = batch.room * features
        try require(input, holds: count)
        try require(output, holds: count)
    }

    package var cost: OperationCost {
        let values = Double(batch.replicas * batch.samples * features)
        return OperationCost(operations: values, bytes: 8 * values)
    }
}
