/// What a backend runs on, for people and for result rows.
package struct DeviceDescription: Sendable, Hashable, Codable {
    /// "cpu" for the built-in path, "opencl" for everything else.
    package var backend: String
    /// The device's own name.
    package var name: String
    /// The OpenCL platform's name, empty for the built-in path.
    package var platform: String
    /// Driver version, empty for the built-in path.
    package var driver: String

    /// Describes a device.
    package init(backend: String, name: String, platform: String = "", driver: String = "") {
        self.backend = backend
        self.name = name
        self.platform = platform
        self.driver = driver
    }
}

/// Memory and order of execution: the part of a backend that every operation stands on.
///
/// Operations are queued and run in the order of the calls; only ``read(_:at:into:)`` and ``finish()`` wait.
/// A backend is used from one thread at a time.
package protocol BufferBackend: AnyObject {
    /// What this backend runs on.
    var device: DeviceDescription { get }
    /// TILE: the number of samples in the innermost dimension of an activation.
    var tile: Int { get }

    /// How many networks to train side by side unless the user says: enough to fill the device.
    var suggestedReplicas: Int { get }

    /// Whether buffers are in the host's memory.
    var isInHostMemory: Bool { get }

    /// Bytes of the largest buffer that can be asked for.
    var largestBuffer: Int { get }

    /// Bytes that buffers can still take together; nil if the device has no limit of its own.
    var freeMemory: Int? { get }

    /// Allocates room for `count` elements (at least one is allocated).
    /// - Throws: ``ComputeError/outOfMemory(label:byteCount:device:)``.
    func makeBuffer<Element: BufferElement>(of type: Element.Type, count: Int, label: String) throws(ComputeError)
        -> DeviceBuffer<Element>
    /// A buffer that is `source` itself, for operations to read, where the device computes in the host's memory; nil
    /// where it has memory of its own. `source` must stay as it is until ``finish()`` has returned.
    func hostBuffer<Element: BufferElement>(over source: UnsafeBufferPointer<Element>, label: String)
        throws(ComputeError) -> DeviceBuffer<Element>?
    /// Copies `source` into `buffer` from element `offset` on; `source` may be reused when the call returns.
    func write<Element: BufferElement>(
        _ source: UnsafeBufferPointer<Element>, to buffer: DeviceBuffer<Element>, at offset: Int) throws(ComputeError)
    /// Waits for all queued work, then copies elements of `buffer` from `offset` on into `destination`.
    func read<Element: BufferElement>(
        _ buffer: DeviceBuffer<Element>, at offset: Int, into destination: UnsafeMutableBufferPointer<Element>)
        throws(ComputeError)
    /// Sets every element to `value`.
    func fill<Element: BufferElement>(_ buffer: DeviceBuffer<Element>, with value: Element) throws(ComputeError)
    /// Waits until everything queued so far has run.
    func finish() throws(ComputeError)
    /// Calls `operations`, and compiles what they need instead of running it: a clock that is started afterwards shows
    /// the work alone. Nothing is written to any buffer by an operation. What needs no preparation does nothing.
    func preparing<Failure: Error>(_ operations: () throws(Failure) -> Void) throws(Failure)
}

extension BufferBackend {
    package var freeMemory: Int? { nil }

    /// A new buffer that holds `values`.
    package func makeBuffer<Element: BufferElement>(_ values: [Element], label: String) throws(ComputeError)
        -> DeviceBuffer<Element>
    {
        let buffer = try makeBuffer(of: Element.self, count: values.count, label: label)
        try write(values, to: buffer)
        return buffer
    }

    /// Copies `values` into `buffer` from element `offset` on.
    package func write<Element: BufferElement>(
        _ values: [Element], to buffer: DeviceBuffer<Element>, at offset: Int = 0
    ) throws(ComputeError) {
        guard !values.isEmpty else { return }
        try values.withUnsafeBufferPointer { source throws(ComputeError) in
            try write(source, to: buffer, at: offset)
        }
    }

    /// Waits for all queued work and returns the buffer's contents, or `count` elements from `offset` on.
    package func read<Element: BufferElement>(
        _ buffer: DeviceBuffer<Element>, at offset: Int = 0, count: Int? = nil
    ) throws(ComputeError) -> [Element] {
        let wanted = count ?? (buffer.count - offset)
        guard wanted > 0 else { return [] }
        let destination = UnsafeMutableBufferPointer<Element>.allocate(capacity: wanted)
        defer { destination.deallocate() }
        try read(buffer, at: offset, into: destination)
        return Array(destination)
    }
}

/// What runs operations: every heavy operation of the program, once in OpenCL and once on the CPU.
package protocol Backend: BufferBackend {
    /// How it lays numbers out.
    var layout: DataLayout { get }

    /// Checks an operation and queues it.
    /// - Throws: ``ComputeError/invalidShape(operation:reason:)`` where its operands do not fit together, and what the
    ///   device reports.
    func run<Value: Operation>(_ operation: Value) throws(ComputeError)
}
