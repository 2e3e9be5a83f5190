/// A type whose bits a device understands as they are: what buffers may hold.
public protocol BufferElement: BitwiseCopyable, Sendable {}
extension Float: BufferElement {}
extension Int32: BufferElement {}
extension Int64: BufferElement {}
extension UInt8: BufferElement {}

/// The memory behind a buffer: one class a backend, freed with its last reference.
public protocol DeviceStorage: AnyObject {
    /// Size in bytes.
    var byteCount: Int { get }
}

/// A typed array in a backend's memory. It is created by ``Backend/makeBuffer(of:count:label:)`` and means something
/// to that backend only; its contents are undefined until written.
public struct DeviceBuffer<Element: BufferElement> {
    /// Number of elements.
    public let count: Int
    /// What the buffer is for, as error messages name it.
    public let label: String
    /// The memory itself.
    public let storage: any DeviceStorage

    /// Wraps memory that a backend has allocated.
    public init(count: Int, label: String, storage: any DeviceStorage) {
        self.count = count
        self.label = label
        self.storage = storage
    }
}

/// One tensor of a model inside a buffer that holds such a tensor for every replica:
/// replica r's copy starts at element `offset + r * stride`.
public struct ReplicaTensor {
    /// The buffer, shared by all tensors of the model.
    public let buffer: DeviceBuffer<Float>
    /// First element of replica 0's copy.
    public let offset: Int
    /// Elements between the copies of neighbouring replicas.
    public let stride: Int

    /// Names a tensor inside `buffer`.
    public init(_ buffer: DeviceBuffer<Float>, offset: Int, stride: Int) {
        self.buffer = buffer
        self.offset = offset
        self.stride = stride
    }
}
