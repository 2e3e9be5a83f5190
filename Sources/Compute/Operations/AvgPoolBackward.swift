/// The gradient of an average pool's input: each value of a window has an equal share of the window's, and what is in no
/// window 0.
package struct AvgPoolBackward: Operation {
    package static let kernel = "avg_pool_backward"
    package let shape: PoolShape
    /// [replica][tile][channel][y / side][x / side][sample], 0 where masked.
    package let outputGradient: DeviceBuffer<Float>
    /// Result [replica][tile][channel][y][x][sample].
    package let inputGradient: DeviceBuffer<Float>

    /// A gradient over buffers of the shapes above.
    package init(_ shape: PoolShape, outputGradient: DeviceBuffer<Float>, inputGradient: DeviceBuffer<Float>) {
        self.shape = shape
        self.outputGradient = outputGradient
        self.inputGradient = inputGradient
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout)
        try require(outputGradient, holds: shape.batch.room * shape.pooledCount)
        try require(inputGradient, holds: shape.batch.room * shape.count)
    }

    package var cost: OperationCost { shape.cost(floats: 1) }
}
