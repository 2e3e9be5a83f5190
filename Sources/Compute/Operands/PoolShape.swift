/// C planes of HxW values a sample, pooled by windows of `side` x `side` values side by side. Rows and columns after the
/// last whole window are left out, as PyTorch does.
package struct PoolShape: Hashable, Sendable {
    package var batch: BatchShape
    package var channels: Int
    package var height: Int
    package var width: Int
    /// The side of the square windows, and how far one is from the next.
    package var side: Int
    /// Rows after the pool.
    package var pooledHeight: Int { height / side }
    /// Columns after the pool.
    package var pooledWidth: Int { width / side }
    /// Bands of `side` rows before the pool, the last of which may have fewer.
    var bands: Int { (height + side - 1) / side }
    /// Values of a sample.
    package var count: Int { channels * height * width }
    /// Values of a sample after the pool.
    package var pooledCount: Int { channels * pooledHeight * pooledWidth }

    /// `channels` planes of `height` x `width` pooled by windows of `side` x `side`.
    package init(batch: BatchShape, channels: Int, height: Int, width: Int, side: Int) {
        self.batch = batch
        self.channels = channels
        self.height = height
        self.width = width
        self.side = side
    }

    func validate(for operation: some Operation, layout: DataLayout) throws(ComputeError) {
        try batch.validate(for: operation, layout: layout)
        try operation.require(positive: [channels, height, width, side])
        try operation.require(
            side <= height && side <= width, "a \(side)x\(side) window does not fit into \(height)x\(width)")
    }

    /// An operation per value of a window; each value of a sample is moved once.
    /// - Parameter floats: numbers that are moved per window.
    func cost(floats: Int) -> OperationCost {
        let whole = pooledCount * side * side
        return OperationCost(
            samples: batch, multiplyAdds: 0, others: whole, floats: Double(count + floats * pooledCount), weights: 0)
    }

    /// The windows of a plane.
    var windows: LaneWindows { LaneWindows(rows: height, columns: width, side: side) }
}

extension CPUBackend {
    /// Runs `body` for every plane, on all cores, with where it begins before and after the pool.
    func eachPlane(of shape: PoolShape, _ body: (_ before: Int, _ after: Int) -> Void) {
        let before = shape.height * shape.width * tile
        let after = shape.pooledHeight * shape.pooledWidth * tile
        parallel(shape.batch.replicas * shape.batch.tiles * shape.channels) { body($0 * before, $0 * after) }
    }
}

extension PoolShape {
    /// The shape as arguments of a kernel.
    var arguments: [(String, KernelArgument)] {
        [
            ("channels", channels.argument), ("height", height.argument), ("width", width.argument),
            ("side", side.argument),
        ]
    }
}
