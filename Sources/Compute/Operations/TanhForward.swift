/// output = tanh(input), within 8 units of 2^-24; a NaN passes.
package struct TanhForward: Operation {
    package static let kernel = "tanh_forward"
    package let batch: BatchShape
    /// Values per sample.
    package let features: Int
    /// [replica][tile][feature][sample].
    package let input: DeviceBuffer<Float>
    /// Result, as the input.
    package let output: DeviceBuffer<Float>

    /// A tanh over buffers of the shapes above.
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

    /// Per value the square, nine multiply-adds, a division and a product.
    package var cost: OperationCost {
        OperationCost(
            samples: batch, multiplyAdds: 9 * features, others: 3 * features, floats: Double(2 * features), weights: 0)
    }
}
