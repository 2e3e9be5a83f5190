/// Copies the first `count` values of one buffer to another: the limit of a device's memory, for benchmarks.
package struct Copy: Operation {
    package static let kernel = "copy"
    /// What ``count`` is a multiple of: the widest vectors.
    package static let unit = FmaPeak.unit
    package let source: DeviceBuffer<Float>
    package let target: DeviceBuffer<Float>
    package let count: Int

    /// - Parameter count: a multiple of ``unit``.
    package init(_ source: DeviceBuffer<Float>, to target: DeviceBuffer<Float>, count: Int) {
        self.source = source
        self.target = target
        self.count = count
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(
            count > 0 && count % Self.unit == 0, "\(count) values; a multiple of \(Self.unit), above 0, is needed")
        try require(source, holds: count)
        try require(target, holds: count)
    }

    package var cost: OperationCost { OperationCost(operations: 0, bytes: Double(8 * count)) }
}
