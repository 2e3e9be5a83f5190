import Foundation

/// A file that is written beside its place, and takes it once it is complete: until then an older file there stays as it
/// is. Several that are complete can so appear together.
///
/// A link is followed and stays a link, even one to a file that is not there yet. What is there and is no regular file (a
/// device, a pipe) is written to directly, since a rename would replace it. A file that never takes its place goes away
/// with its last reference.
package final class StagedFile {
    /// The place that it takes, as errors name it.
    package let path: String
    /// Where it is written, and where a link leads; nil for what is written to directly.
    private let places: (temporary: String, target: String)?
    /// Below zero once it is closed.
    private var descriptor: Int32
    private var isInPlace = false
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 20

    /// Opens a temporary file beside `path`.
    /// - Throws: ``FileError/cannotCreate(file:reason:)``, ``FileError/writeFailed(file:reason:)`` where there is no room.
    package init(_ path: String) throws(FileError) {
        self.path = path
        if try AtomicFile.isSpecial(path) {
            places = nil
            descriptor = open(path, O_WRONLY | O_CLOEXEC)
        } else {
            let target = try AtomicFile.destination(of: path)
            let temporary = AtomicFile.temporaryName(for: target)
            places = (temporary, target)
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        }
        guard descriptor >= 0 else {
            isInPlace = true
            throw .creating(path)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isInPlace, let places { unlink(places.temporary) }
    }

    /// Adds `bytes` to the end.
    /// - Throws: ``FileError/writeFailed(file:reason:)``.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        if buffer.count + bytes.count > Self.bufferSize { try flush() }
        if bytes.count < Self.bufferSize {
            buffer.append(contentsOf: bytes)
        } else {
            try AtomicFile.writeAll(bytes, to: descriptor, path: path)
        }
    }

    /// Adds `bytes` to the end.
    /// - Throws: ``FileError/writeFailed(file:reason:)``.
    package func write(_ bytes: [UInt8]) throws(FileError) {
        let outcome = bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try write(bytes) } }
        try outcome.get()
    }

    private func flush() throws(FileError) {
        let outcome = buffer.withUnsafeBytes { bytes in
            Result { () throws(FileError) in try AtomicFile.writeAll(bytes, to: descriptor, path: path) }
        }
        try outcome.get()
        buffer.removeAll(keepingCapacity: true)
    }

    /// Ends the file: what was written is on the disk after it. Does nothing the second time.
    /// - Throws: ``FileError/writeFailed(file:reason:)``.
    package func seal() throws(FileError) {
        guard descriptor >= 0 else { return }
        try flush()
        // Devices and pipes cannot be synced.
        guard places == nil || fsync(descriptor) == 0 else { throw .writeFailed(file: path, reason: systemMessage()) }
        let status = close(descriptor)
        descriptor = -1
        guard places == nil || status == 0 else { throw .writeFailed(file: path, reason: systemMessage()) }
    }

    /// Puts the file in its place, sealed.
    /// - Throws: ``FileError/writeFailed(file:reason:)``, after which an older file is unchanged.
    package func commit() throws(FileError) {
        try seal()
        guard let places, !isInPlace else { return }
        guard rename(places.temporary, places.target) == 0 else {
            throw .writeFailed(file: path, reason: systemMessage())
        }
        isInPlace = true
    }
}
