import CZlib
import Foundation
import Support

/// Bytes that are read front to back.
protocol ByteStream {
    /// The file, as errors name it.
    var path: String { get }
    /// How many bytes there are in all, as they are stored.
    var fileSize: Int { get }
    /// The next `count` bytes, or fewer at the end.
    /// - Throws: ``DatasetError``.
    func read(upTo count: Int) throws(DatasetError) -> [UInt8]
    /// The next `count` elements as they lie in memory, or as many whole ones as are left.
    /// - Throws: ``DatasetError``.
    func readElements<Element: BitwiseCopyable>(of type: Element.Type, count: Int) throws(DatasetError) -> [Element]
}

/// Reads a file front to back, through gzip where its first two bytes say so, whatever its name is.
///
/// Nothing is allocated beyond a fixed window: how much a caller takes is up to the caller.
final class ByteReader: ByteStream {
    /// The file, as errors name it.
    let path: String
    /// Bytes on disk.
    let fileSize: Int
    /// True when the contents come through gzip.
    let isCompressed: Bool

    private let descriptor: Int32
    private var stream: UnsafeMutablePointer<z_stream>?
    private let window: UnsafeMutableRawBufferPointer
    /// True between two gzip members, where the file may end.
    private var atMemberBoundary = false
    private var reachedEnd = false

    /// Opens `path`; without `decompresses` its bytes come as they are.
    /// - Throws: ``DatasetError/file(_:)`` when it is no readable regular file.
    init(path: String, decompresses: Bool = true) throws(DatasetError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .file(.unreadable(file: path, reason: systemMessage())) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .file(.unreadable(file: path, reason: "it is not a regular file"))
        }
        var start: [UInt8] = [0, 0]
        let isCompressed = decompresses && pread(descriptor, &start, 2, 0) == 2 && start == [0x1f, 0x8b]
        self.path = path
        self.descriptor = descriptor
        self.fileSize = Int(status.st_size)
        self.isCompressed = isCompressed
        window = .allocate(byteCount: isCompressed ? 1 << 16 : 1, alignment: 16)
        guard isCompressed else { return }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        self.stream = stream
        // 15 bits of window and 16 for a gzip wrapper, whose checksum zlib then verifies.
        guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .file(.unreadable(file: path, reason: "zlib could not start"))
        }
    }

    deinit {
        if let stream {
            inflateEnd(stream)
            stream.deallocate()
        }
        window.deallocate()
        close(descriptor)
    }

    /// Fills `destination` from where the last read ended; returns how many bytes that gave, fewer only at the end.
    /// - Throws: ``DatasetError/file(_:)``, ``DatasetError/corruptGzip(file:reason:)``.
    func read(into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
        var filled = 0
        while filled < destination.count, !reachedEnd {
            let rest = UnsafeMutableRawBufferPointer(rebasing: destination[filled...])
            if let stream {
                filled += try inflateSome(stream, into: rest)
            } else {
                let count = try readSome(into: rest)
                reachedEnd = count == 0
                filled += count
            }
        }
        return filled
    }

    /// The next `count` bytes, or fewer at the end of the file. Memory follows what is there, not what is asked for.
    func read(upTo count: Int) throws(DatasetError) -> [UInt8] {
        if !isCompressed {
            // The length on disk bounds what there can be, so one exact read does it.
            let capacity = min(count, fileSize)
            return try readElements(of: UInt8.self, count: capacity)
        }
        var bytes: [UInt8] = []
        var capacity = min(count, max(fileSize, 1 << 12) * 8)
        try checkMemory(capacity)
        bytes.reserveCapacity(capacity)
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { chunk.deallocate() }
        while bytes.count < count {
            let wanted = min(chunk.count, count - bytes.count)
            let received = try read(into: UnsafeMutableRawBufferPointer(rebasing: chunk[..<wanted]))
            if bytes.count + received > capacity {
                // The old ones stay until the new ones are there.
                capacity = min(count, 2 * capacity)
                try checkMemory(capacity)
                bytes.reserveCapacity(capacity)
            }
            bytes.append(contentsOf: chunk[..<received])
            if received < wanted { break }
        }
        return bytes
    }

    /// - Throws: ``DatasetError/outOfMemory(file:needed:available:source:)`` where the system has fewer bytes.
    private func checkMemory(_ byteCount: Int) throws(DatasetError) {
        guard let least = AvailableMemory.shortage(of: byteCount) else { return }
        throw .outOfMemory(file: path, needed: byteCount, available: least.bytes, source: least.source)
    }

    /// The next `count` elements as they lie in memory, or as many whole ones as are left. Allocates for `count`:
    /// check it against the file's size first.
    func readElements<Element: BitwiseCopyable>(of type: Element.Type, count: Int) throws(DatasetError) -> [Element] {
        try checkMemory(count * MemoryLayout<Element>.stride)
        var failure: DatasetError?
        let elements = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(DatasetError) {
                initialized = try read(into: UnsafeMutableRawBufferPointer(buffer)) / MemoryLayout<Element>.stride
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return elements
    }

    /// True when nothing follows. For gzip this also checks the last member's checksum.
    func isAtEnd() throws(DatasetError) -> Bool {
        var byte: UInt8 = 0
        var failure: DatasetError?
        let count = withUnsafeMutableBytes(of: &byte) { buffer in
            do throws(DatasetError) {
                return try read(into: buffer)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return count == 0
    }

    private func readSome(into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
        while true {
            let count = Foundation.read(descriptor, destination.baseAddress, destination.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw .file(.unreadable(file: path, reason: systemMessage())) }
        }
    }

    /// One step of zlib: may give no bytes although there are more to come.
    private func inflateSome(
        _ stream: UnsafeMutablePointer<z_stream>, into destination: UnsafeMutableRawBufferPointer
    ) throws(DatasetError) -> Int {
        if stream.pointee.avail_in == 0 {
            let count = try readSome(into: window)
            guard count > 0 else {
                guard atMemberBoundary else { throw .corruptGzip(file: path, reason: "it ends in the middle") }
                reachedEnd = true
                return 0
            }
            stream.pointee.next_in = window.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(count)
        }
        if atMemberBoundary {
            if try skipPadding(stream) { return 0 }
            guard inflateReset(stream) == Z_OK else { throw .corruptGzip(file: path, reason: "zlib lost its state") }
            atMemberBoundary = false
        }
        let room = min(destination.count, Int(UInt32.max))
        stream.pointee.next_out = destination.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room)
        let status = inflate(stream, Z_NO_FLUSH)
        switch status {
        case Z_STREAM_END: atMemberBoundary = true
        case Z_OK, Z_BUF_ERROR: break
        default:
            let message = stream.pointee.msg.map { String(cString: $0) } ?? "zlib reports status \(status)"
            throw .corruptGzip(file: path, reason: message)
        }
        return room - Int(stream.pointee.avail_out)
    }

    /// Passes zeros after a member, with which tapes and some file systems fill up blocks; like gzip(1) it is no fault
    /// where nothing else follows. Returns whether there were any, which is at the end of the file then.
    private func skipPadding(_ stream: UnsafeMutablePointer<z_stream>) throws(DatasetError) -> Bool {
        guard stream.pointee.next_in.pointee == 0 else { return false }
        var rest = UnsafeMutableRawBufferPointer(start: stream.pointee.next_in, count: Int(stream.pointee.avail_in))
        while !rest.isEmpty {
            guard rest.allSatisfy({ $0 == 0 }) else {
                throw .corruptGzip(file: path, reason: "after its end there are zeros and then other bytes")
            }
            rest = UnsafeMutableRawBufferPointer(rebasing: window[..<(try readSome(into: window))])
        }
        stream.pointee.avail_in = 0
        reachedEnd = true
        return true
    }
}
