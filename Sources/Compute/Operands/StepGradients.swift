/// The gradients of all parameters, [replica][parameter], and what becomes of it only when a step ends: a sum per tile of
/// the first convolution's weights, whose gradient each tile's work-group finishes by itself.
package struct StepGradients {
    /// [replica][parameter]; what no operation writes (biases before batch norm, padding) stays as it is.
    package let values: DeviceBuffer<Float>
    /// Parameters of one replica, padding included: a multiple of 16.
    package let parameterCount: Int
    /// [replica][tile][tileCount]; padding stays as it is.
    package let tiles: DeviceBuffer<Float>
    /// The parameter that the first value of a tile belongs to: a multiple of 16.
    package let tileOffset: Int
    /// Values per tile: the convolution's weights, padded to 16.
    package let tileCount: Int

    /// Gradients over buffers of the shapes above.
    package init(
        _ values: DeviceBuffer<Float>, parameterCount: Int, tiles: DeviceBuffer<Float>, tileOffset: Int, tileCount: Int
    ) {
        self.values = values
        self.parameterCount = parameterCount
        self.tiles = tiles
        self.tileOffset = tileOffset
        self.tileCount = tileCount
    }

    /// Gradients of which all are whole as they are written.
    package init(_ values: DeviceBuffer<Float>, parameterCount: Int) {
        self.init(values, parameterCount: parameterCount, tiles: values, tileOffset: 0, tileCount: 0)
    }

    func validate(for operation: some Operation, batch: BatchShape) throws(ComputeError) {
        try operation.require(positive: [parameterCount])
        try operation.require(
            [parameterCount, tileOffset, tileCount].allSatisfy { $0 == paddedColumns($0) } && tileOffset >= 0
                && tileCount >= 0 && tileOffset + tileCount <= parameterCount,
            "\(tileCount) gradients from \(tileOffset) on do not fit into \(parameterCount), in sixteens")
        try operation.require(values, holds: batch.replicas * parameterCount)
        try operation.require(tiles, holds: batch.replicas * batch.tiles * tileCount)
    }

    /// Throws unless the `count` parameters of `tensor` are those that have a gradient per tile.
    func validate(for operation: some Operation, tiled tensor: ReplicaTensor, count: Int) throws(ComputeError) {
        try operation.require(
            tensor.stride == parameterCount && tensor.offset == tileOffset && paddedColumns(count) == tileCount,
            "\(count) parameters from \(tensor.offset) on are not the \(tileCount) from \(tileOffset) on that have a "
                + "gradient per tile")
    }

    /// Throws unless the gradient of the `count` parameters of `tensor` has a place.
    func validate(for operation: some Operation, hold tensor: ReplicaTensor, count: Int) throws(ComputeError) {
        try operation.require(
            tensor.stride == parameterCount && tensor.offset >= 0 && tensor.offset + count <= parameterCount,
            "parameters \(tensor.offset)..<\(tensor.offset + count) of \(tensor.stride) have no place among "
                + "\(parameterCount) gradients")
    }

    /// Throws unless the gradients of gamma and beta have a place.
    func validate(for operation: some Operation, hold norm: BatchNormReluPool) throws(ComputeError) {
        try validate(for: operation, hold: norm.gamma, count: norm.shape.channels)
        try validate(for: operation, hold: norm.beta, count: norm.shape.channels)
    }
}
