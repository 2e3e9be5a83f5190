/// A type whose bits a device understands as they are: what buffers may hold.
package protocol BufferElement: BitwiseCopyable, Sendable {}
extension Float: BufferElement {}
extension Int32: BufferElement {}
extension Int64: BufferElement {}
extension UInt8: BufferElement {}

/// The memory behind a buffer: one class a backend, freed with its last reference.
package protocol DeviceStorage: AnyObject {
    /// Size in bytes.
    var byteCount: Int { get }
}

/// A typed array in a backend's memory. It is created by ``Backend/makeBuffer(of:count:label:)`` and means something
/// to that backend only; its contents are undefined until written.
package struct DeviceBuffer<Element: BufferElement> {
    /// Number of elements.
    package let count: Int
    /// What the buffer is for, as error messages name it.
    package let label: String
    /// The memory itself.
    package let storage: any DeviceStorage

    /// Wraps memory that a backend has allocated.
    package init(count: Int, label: String, storage: any DeviceStorage) {
        self.count = count
        self.label = label
        self.storage = storage
    }
}

/// One tensor of a model inside a buffer that holds such a tensor for every replica:
/// replica r's copy starts at element `offset + r * stride`.
package struct ReplicaTensor {
    /// The buffer, shared by all tensors of the model.
    package let buffer: DeviceBuffer<Float>
    /// First element of replica 0's copy.
    package let offset: Int
    /// Elements between the copies of neighbouring replicas.
    package let stride: Int

    /// Names a tensor inside `buffer`.
    package init(_ buffer: DeviceBuffer<Float>, offset: Int, stride: Int) {
        self.buffer = buffer
        self.offset = offset
        self.stride = stride
    }

    /// Whether a kernel that is given the buffer of one finds the other by its offset.
    func sharesBuffer(with other: ReplicaTensor) -> Bool {
        buffer.storage === other.buffer.storage && stride == other.stride
    }
}
