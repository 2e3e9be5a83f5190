/// Turns the gradient of a ReLU's output into that of its input, in its place and, where a linear layer comes before,
/// transposed: 0 where the output is not positive.
package struct ReluBackward: Operation {
    package static let kernel = "relu_backward"
    package let batch: BatchShape
    /// Values per sample.
    package let features: Int
    /// [replica][tile][feature][sample]: the ReLU's output, or its input.
    package let output: DeviceBuffer<Float>
    /// The same shape, changed in its place.
    package let gradient: DeviceBuffer<Float>
    /// Result [replica][tile][sample][feature padded to 16], 0 in the padding; nil where no layer before wants it.
    package let transposedGradient: DeviceBuffer<Float>?

    /// A gradient over buffers of the shapes above.
    package init(
        batch: BatchShape, features: Int, output: DeviceBuffer<Float>, gradient: DeviceBuffer<Float>,
        transposedGradient: DeviceBuffer<Float>?
    ) {
        self.batch = batch
        self.features = features
        self.output = output
        self.gradient = gradient
        self.transposedGradient = transposedGradient
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: self, layout: layout)
        try require(positive: [features])
        let samples = batch.room
        try require(output, holds: samples * features)
        try require(gradient, holds: samples * features)
        if let transposedGradient { try require(transposedGradient, holds: samples * paddedColumns(features)) }
    }

    package var cost: OperationCost {
        let values = Double(batch.replicas * batch.samples * features)
        return OperationCost(operations: values, bytes: (transposedGradient == nil ? 12 : 16) * values)
    }
}
