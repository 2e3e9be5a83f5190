import Foundation
import Support

/// A regular file that is open for reading, and what it was like when it was opened.
final class OpenFile: Sendable {
    /// The file, as errors name it.
    let path: String
    /// Bytes on disk.
    let size: Int
    private let modified: timespec
    private let descriptor: Int32

    /// Opens `path`.
    /// - Throws: ``DatasetError/file(_:)`` when it is no readable regular file.
    convenience init(_ path: String) throws(DatasetError) {
        // Without O_NONBLOCK a pipe would be waited for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .file(.unreadable(file: path, reason: systemMessage())) }
        try self.init(descriptor, path: path)
    }

    /// Takes over an open descriptor; `path` is what errors call it.
    /// - Throws: ``DatasetError/file(_:)`` when it is no regular file.
    init(_ descriptor: Int32, path: String) throws(DatasetError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .file(.unreadable(file: path, reason: "it is not a regular file"))
        }
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
        modified = status.st_mtim
    }

    deinit { close(descriptor) }

    /// Fills `destination` with the bytes from `offset` on, all of which were there when the file was opened. It reads, and
    /// does not map: a file that is cut while it is mapped ends the process.
    /// - Throws: ``DatasetError/file(_:)``; ``DatasetError/changed(file:)`` where they are gone.
    func read(at offset: Int, into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        var filled = 0
        while filled < destination.count {
            let count = pread(
                descriptor, destination.baseAddress?.advanced(by: filled), destination.count - filled,
                off_t(offset + filled))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(.unreadable(file: path, reason: systemMessage())) }
            guard count > 0 else { throw .changed(file: path) }
            filled += count
        }
    }

    /// The `count` bytes from `offset` on; fewer where the file ends before.
    /// - Throws: ``DatasetError/file(_:)``, ``DatasetError/changed(file:)``.
    func bytes(at offset: Int, count: Int) throws(DatasetError) -> [UInt8] {
        guard (0...size).contains(offset), count > 0 else { return [] }
        var failure: DatasetError?
        var bytes = [UInt8](repeating: 0, count: min(count, size - offset))
        bytes.withUnsafeMutableBytes { bytes in
            do throws(DatasetError) { try read(at: offset, into: bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// - Throws: ``DatasetError/changed(file:)`` where something has written to the file since it was opened.
    func checkUnchanged() throws(DatasetError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, Int(status.st_size) == size,
            status.st_mtim.tv_sec == modified.tv_sec, status.st_mtim.tv_nsec == modified.tv_nsec
        else { throw .changed(file: path) }
    }
}

/// A part of an open file, read front to back.
final class FilePart: ByteStream {
    let path: String
    /// Bytes of the part.
    let fileSize: Int
    private let file: OpenFile
    private let start: Int
    private var position = 0

    /// The bytes `range` of `file`, which errors call `path`.
    init(_ file: OpenFile, _ range: Range<Int>, path: String) {
        self.file = file
        self.path = path
        start = range.lowerBound
        fileSize = range.count
    }

    /// A whole file.
    convenience init(_ file: OpenFile) { self.init(file, 0..<file.size, path: file.path) }

    func read(upTo count: Int) throws(DatasetError) -> [UInt8] {
        let bytes = try file.bytes(at: start + position, count: min(count, fileSize - position))
        position += bytes.count
        return bytes
    }

    func readElements<Element: BitwiseCopyable>(of type: Element.Type, count: Int) throws(DatasetError) -> [Element] {
        let size = MemoryLayout<Element>.stride
        let whole = max(0, min(count, (fileSize - position) / size))
        if let least = AvailableMemory.shortage(of: whole * size) {
            throw .outOfMemory(file: path, needed: whole * size, available: least.bytes, source: least.source)
        }
        var failure: DatasetError?
        let elements = [Element](unsafeUninitializedCapacity: whole) { buffer, initialized in
            do throws(DatasetError) {
                try file.read(at: start + position, into: UnsafeMutableRawBufferPointer(buffer))
                initialized = whole
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        position += whole * size
        return elements
    }
}
