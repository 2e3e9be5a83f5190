/// The gradient of a max pool's input: the window's where a value won it, 0 elsewhere.
package struct MaxPoolBackward: Operation {
    package static let kernel = "max_pool_backward"
    package let shape: PoolShape
    /// [replica][tile][channel][y / side][x / side][sample], 0 where masked.
    package let outputGradient: DeviceBuffer<Float>
    /// The same shape: ``MaxPoolForward/winners``.
    package let winners: DeviceBuffer<Int32>
    /// Result [replica][tile][channel][y][x][sample].
    package let inputGradient: DeviceBuffer<Float>

    /// A gradient over buffers of the shapes above.
    package init(
        _ shape: PoolShape, outputGradient: DeviceBuffer<Float>, winners: DeviceBuffer<Int32>,
        inputGradient: DeviceBuffer<Float>
    ) {
        self.shape = shape
        self.outputGradient = outputGradient
        self.winners = winners
        self.inputGradient = inputGradient
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try shape.validate(for: self, layout: layout)
        try require(outputGradient, holds: shape.batch.room * shape.pooledCount)
        try require(winners, holds: shape.batch.room * shape.pooledCount)
        try require(inputGradient, holds: shape.batch.room * shape.count)
    }

    package var cost: OperationCost { shape.cost(floats: 2) }
}
