/// A row-major matrix [count][dimensions] in a backend's memory.
package struct Rows {
    /// The elements.
    package enum Storage {
        /// 8-bit values, as images have them.
        case bytes(DeviceBuffer<UInt8>)
        /// float32 values.
        case floats(DeviceBuffer<Float>)
    }
    /// The elements, row after row.
    package let storage: Storage
    /// Number of rows.
    package let count: Int
    /// Number of columns.
    package let dimensions: Int

    /// The first `count` rows of `storage`.
    package init(_ storage: Storage, count: Int, dimensions: Int) {
        self.storage = storage
        self.count = count
        self.dimensions = dimensions
    }

    /// Number of elements that there are.
    var elementCount: Int {
        switch storage {
        case .bytes(let buffer): buffer.count
        case .floats(let buffer): buffer.count
        }
    }
    /// Bytes of an element.
    var elementSize: Int {
        switch storage {
        case .bytes: MemoryLayout<UInt8>.stride
        case .floats: MemoryLayout<Float>.stride
        }
    }
}
