/// A heavy operation of the program as a value: its operands and its shape. It is written once for devices and once for
/// the CPU, and ``Backend/run(_:)`` is how it is run; what lacks either form does not compile.
///
/// An operation named X has its value, its checks and its cost in X.swift, its launch in X+OpenCL.swift and its reference in
/// X+CPU.swift; its kernel is Kernels/x.cl, its cases are in KernelChecks/XCases.swift. Every operation overwrites its
/// results unless it says otherwise, and none allocates memory.
package protocol Operation {
    /// The name of its file in Kernels without ".cl", which is the kernel's function too.
    static var kernel: String { get }
    /// Checks that shapes fit together and that buffers hold what they say, for both forms alike. The numbers inside
    /// buffers of indices and labels are the caller's to get right.
    /// - Parameter layout: how the backend that will run it lays numbers out.
    /// - Throws: ``ComputeError/invalidShape(operation:reason:)``.
    func validate(for layout: DataLayout) throws(ComputeError)
    /// Its arithmetic and memory traffic.
    var cost: OperationCost { get }
    /// Queues it on a device. ``validate(for:)`` has passed.
    func launch(on backend: OpenCLBackend) throws(ComputeError)
    /// Computes it on the processor, at once. ``validate(for:)`` has passed.
    func compute(on backend: CPUBackend) throws(ComputeError)
}

/// The layout of numbers in a backend's memory.
package struct DataLayout: Hashable, Sendable {
    /// TILE: the number of samples in the innermost dimension of an activation.
    package let tile: Int
    /// P: the number of points in a tile of ``Points``. It divides ``ClusteringShape/blockUnit``.
    package let pointLanes: Int
    /// R: the number of centroids in a panel of ``Centroids`` or ``Projection``.
    package let panelWidth: Int
}

/// The arithmetic and memory traffic of an operation. Only what the result needs is counted, not what an implementation adds to it.
package struct OperationCost: Hashable, Sendable {
    /// Floating-point operations; a multiply-add counts as two.
    package var operations: Double
    /// Bytes when every input is read and every output written once.
    package var bytes: Double

    /// So much arithmetic and so much memory traffic.
    package init(operations: Double, bytes: Double) {
        self.operations = operations
        self.bytes = bytes
    }

    /// The cost of two operations in sequence.
    package static func + (left: OperationCost, right: OperationCost) -> OperationCost {
        OperationCost(operations: left.operations + right.operations, bytes: left.bytes + right.bytes)
    }

    /// The cost of an operation that runs `times` times.
    package static func * (times: Int, cost: OperationCost) -> OperationCost {
        OperationCost(operations: Double(times) * cost.operations, bytes: Double(times) * cost.bytes)
    }

    /// That of a full batch: multiply-adds, other operations and floats per sample, and weights per replica.
    init(samples batch: BatchShape, multiplyAdds: Int, others: Int, floats: Double, weights: Int) {
        let samples = Double(batch.replicas * batch.samples)
        operations = samples * Double(2 * multiplyAdds + others)
        bytes = 4 * (samples * floats + Double(batch.replicas * weights))
    }
}

extension Operation {
    /// Throws ``ComputeError/invalidShape(operation:reason:)`` with `reason` unless `condition` holds.
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(ComputeError) {
        guard condition else { throw .invalidShape(operation: Self.kernel, reason: reason()) }
    }

    /// Throws unless `buffer` holds at least `count` elements.
    func require<Element: BufferElement>(_ buffer: DeviceBuffer<Element>, holds count: Int) throws(ComputeError) {
        guard buffer.count >= count else {
            throw .invalidShape(
                operation: Self.kernel,
                reason: "\(buffer.label) holds \(buffer.count) elements where \(count) are needed")
        }
    }

    /// Throws unless `tensor` has room for `count` elements of each of `replicas` replicas.
    func require(_ tensor: ReplicaTensor, holds count: Int, replicas: Int) throws(ComputeError) {
        try require(
            tensor.offset >= 0 && tensor.stride >= 0,
            "a tensor of offset \(tensor.offset) and stride \(tensor.stride); both must be at least 0")
        try require(tensor.buffer, holds: tensor.offset + (replicas - 1) * tensor.stride + count)
    }

    /// Throws unless every number is at least 1.
    func require(positive numbers: [Int]) throws(ComputeError) {
        guard numbers.allSatisfy({ $0 > 0 }) else {
            throw .invalidShape(operation: Self.kernel, reason: "every extent must be at least 1, got \(numbers)")
        }
    }
}
