import Foundation
import Support

/// A .npy file whose elements are read when they are wanted, any range of them: for arrays that need not fit into memory.
package final class NumPyFile: StoredValues {
    /// The dimensions, slowest first; none for a single value.
    package let shape: [Int]
    /// The type of the elements.
    package let type: NumPyType
    /// The file, as errors name it.
    package let path: String
    private let headerBytes: Int
    private let descriptor: Int32

    /// Opens `path` and reads its header.
    /// - Throws: what ``NumPyArray/read(_:)`` throws; `.unsupported` for float16 and big-endian numbers too.
    package init(_ path: String) throws(DatasetError) {
        let reader = try ByteReader(path: path, decompresses: false)
        let header = try NumPyHeader(reader)
        guard !header.isHalf, !header.isBigEndian else {
            throw NumPyHeader.unread(
                (header.isBigEndian ? ">" : "<") + (header.isHalf ? "f2" : String(header.type.rawValue.dropFirst())),
                path, read: "float32, float64, uint8, int32 and int64, little-endian, are")
        }
        try header.check(reader)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(.unreadable(file: path, reason: systemMessage())) }
        shape = header.shape
        type = header.type
        self.path = path
        headerBytes = header.byteCount
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Fills `destination`, whose size says how many, with elements from element `first` on.
    /// - Throws: ``DatasetError/file(_:)``, ``DatasetError/truncated(file:expected:found:)`` when the file
    ///   has become shorter.
    package func read(from first: Int, into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        let start = headerBytes + first * type.byteCount
        var filled = 0
        while filled < destination.count {
            let count = pread(
                descriptor, destination.baseAddress?.advanced(by: filled), destination.count - filled,
                off_t(start + filled))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(.unreadable(file: path, reason: systemMessage())) }
            guard count > 0 else {
                throw .truncated(file: path, expected: start + destination.count, found: start + filled)
            }
            filled += count
        }
    }
}
