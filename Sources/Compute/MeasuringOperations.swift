/// The operations that measure a device's limits, for benchmarks.
package protocol MeasuringOperations: BufferBackend {
    /// Replaces each of the first `count` values `steps` times by value · 0.75 + 0.25: arithmetic with next to no memory.
    /// - Parameter count: a multiple of ``MeasuringShape/unit``.
    func multiplyAddChain(_ values: DeviceBuffer<Float>, count: Int, steps: Int) throws(ComputeError)
    /// Copies the first `count` values.
    /// - Parameter count: a multiple of ``MeasuringShape/unit``.
    func copy(_ source: DeviceBuffer<Float>, to target: DeviceBuffer<Float>, count: Int) throws(ComputeError)
}

/// Sizes that both implementations share.
package enum MeasuringShape {
    /// Independent chains of a work-item.
    static let chains = 8
    /// What sizes are a multiple of: the chains of the widest vectors.
    package static let unit = chains * 16
    /// Floating-point operations of a chain's step.
    package static let operations = 2
}

extension MeasuringShape {
    static func check(_ operation: String, _ buffers: [DeviceBuffer<Float>], count: Int) throws(ComputeError) {
        guard count > 0, count % unit == 0 else {
            throw .invalidShape(
                operation: operation, reason: "\(count) values; a multiple of \(unit), above 0, is needed")
        }
        for buffer in buffers { try require(operation, buffer, holds: count) }
    }
}
