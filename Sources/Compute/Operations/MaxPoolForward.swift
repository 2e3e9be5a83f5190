/// The largest value of each window of a batch's planes and its place: the first of equals, and the first NaN.
package struct MaxPoolForward: Operation {
    package static let kernel = "max_pool_forward"
    package let shape: PoolShape
    /// [replica][tile][channel][y][x][sample].
    package let input: DeviceBuffer<Float>
    /// Result [replica][tile][channel][y / side][x / side][sample].
    package let output: DeviceBuffer<Float>
    /// Result of the output's shape: side * dy + dx of the value that won its window, for the backward pass.
    package let winners: DeviceBuffer<Int32>

    /// A pool over buffers of the shapes above.
    package init(
        _ shape: PoolShape, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>, winners: DeviceBuffer<Int32>
    ) {
        self.shape = shape
        self.input = input
        self.output = output
        self.winners = winners
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout)
        try require(input, holds: shape.batch.room * shape.count)
        try require(output, holds: shape.batch.room * shape.pooledCount)
        try require(winners, holds: shape.batch.room * shape.pooledCount)
    }

    package var cost: OperationCost { shape.cost(floats: 2) }
}
