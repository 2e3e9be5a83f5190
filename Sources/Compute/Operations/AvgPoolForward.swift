/// The mean of each window of a batch's planes.
package struct AvgPoolForward: Operation {
    package static let kernel = "avg_pool_forward"
    package let shape: PoolShape
    /// [replica][tile][channel][y][x][sample].
    package let input: DeviceBuffer<Float>
    /// Result [replica][tile][channel][y / side][x / side][sample].
    package let output: DeviceBuffer<Float>

    /// A pool over buffers of the shapes above.
    package init(_ shape: PoolShape, input: DeviceBuffer<Float>, output: DeviceBuffer<Float>) {
        self.shape = shape
        self.input = input
        self.output = output
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout)
        try require(input, holds: shape.batch.room * shape.count)
        try require(output, holds: shape.batch.room * shape.pooledCount)
    }

    package var cost: OperationCost { shape.cost(floats: 1) }
}
