/// Replaces each of the first `count` values `steps` times by value · 0.75 + 0.25: arithmetic with next to no memory, the
/// limit of a device's arithmetic, for benchmarks.
package struct FmaPeak: Operation {
    package static let kernel = "fma_peak"
    /// Independent chains of a work-item.
    static let chains = 8
    /// What ``count`` is a multiple of: the chains of the widest vectors.
    package static let unit = chains * 16
    package let values: DeviceBuffer<Float>
    package let count: Int
    package let steps: Int

    /// - Parameter count: a multiple of ``unit``.
    package init(_ values: DeviceBuffer<Float>, count: Int, steps: Int) {
        self.values = values
        self.count = count
        self.steps = steps
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(
            count > 0 && count % Self.unit == 0, "\(count) values; a multiple of \(Self.unit), above 0, is needed")
        try require(steps >= 0, "\(steps) steps; at least 0 are needed")
        try require(values, holds: count)
    }

    package var cost: OperationCost {
        OperationCost(operations: 2 * Double(count) * Double(steps), bytes: Double(8 * count))
    }
}
