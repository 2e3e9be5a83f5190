/// Turns the gradient of a tanh's output into that of its input, in its place and, where a linear layer comes before,
/// transposed: times 1 - output².
package struct TanhBackward: Operation {
    package static let kernel = "tanh_backward"
    package let batch: BatchShape
    /// Values per sample.
    package let features: Int
    /// [replica][tile][feature][sample]: the tanh's output.
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

    /// Two differences and two products per value, of which the output and the gradient are read and the gradient is
    /// written once or twice.
    package var cost: OperationCost {
        OperationCost(
            samples: batch, multiplyAdds: 0, others: 4 * features,
            floats: Double((transposedGradient == nil ? 3 : 4) * features), weights: 0)
    }
}
