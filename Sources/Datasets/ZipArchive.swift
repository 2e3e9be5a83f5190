import CZlib
import Foundation
import Support

/// A zip archive, as NumPy's .npz files are: what it holds, by its directory at the end (PKWARE's APPNOTE.TXT, 4.3 to 4.5).
/// zlib inflates and computes checksums; encrypted members and other methods than storing and deflating are refused.
struct ZipArchive {
    /// A file in the archive.
    struct Member {
        let name: String
        /// Whether its bytes are deflated; else they are as they were.
        let isDeflated: Bool
        /// Its bytes in the archive.
        let range: Range<Int>
        /// Bytes of its contents.
        let size: Int
        let checksum: UInt32
    }

    let file: OpenFile
    /// What the directory lists, in its order.
    private let entries: [Entry]

    /// What the directory says of a member.
    private struct Entry {
        let name: String
        let flags: Int
        let method: Int
        let checksum: UInt32
        var stored: Int
        var size: Int
        var offset: Int
    }

    /// The names of the members, in the directory's order.
    var names: [String] { entries.map(\.name) }

    /// Whether these first bytes are those of an archive.
    static func isStart(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x50, 0x4b, 3, 4]) || bytes.starts(with: [0x50, 0x4b, 5, 6])
    }

    /// Reads the directory.
    /// - Throws: ``DatasetError`` `.file`, `.malformed`.
    init(_ file: OpenFile) throws(DatasetError) {
        self.file = file
        func malformed(_ reason: String) -> DatasetError { .malformed(file: file.path, reason: reason) }
        // The end record has 22 bytes and then a comment of at most 65,535.
        let tailStart = max(0, file.size - 22 - 0xffff)
        let tail = LittleEndian(try file.bytes(at: tailStart, count: 22 + 0xffff))
        guard
            let end = stride(from: tail.count - 22, through: 0, by: -1).first(where: {
                tail.number($0, 4) == 0x0605_4b50 && $0 + 22 + (tail.number($0 + 20, 2) ?? 0) == tail.count
            }), let count16 = tail.number(end + 10, 2), let size32 = tail.number(end + 12, 4),
            let offset32 = tail.number(end + 16, 4)
        else { throw malformed("it is not a zip archive, or truncated: the directory at its end is missing") }
        var (count, size, offset) = (count16, size32, offset32)
        if count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff {
            // zip64 puts a record with the true numbers before, and says where that is.
            guard tailStart + end >= 20 else { throw malformed("its directory is damaged") }
            let locator = LittleEndian(try file.bytes(at: tailStart + end - 20, count: 20))
            guard locator.number(0, 4) == 0x0706_4b50, let place = locator.number(8, 8), place <= file.size - 56 else {
                throw malformed("its zip64 directory is missing")
            }
            let record = LittleEndian(try file.bytes(at: place, count: 56))
            guard record.number(0, 4) == 0x0606_4b50, let count64 = record.number(32, 8),
                let size64 = record.number(40, 8), let offset64 = record.number(48, 8)
            else { throw malformed("its zip64 directory is damaged") }
            (count, size, offset) = (count64, size64, offset64)
        }
        // An entry has 46 bytes at least.
        guard offset <= file.size, size <= file.size - offset, count <= size / 46 else {
            throw malformed("its directory is damaged, or the file is truncated")
        }
        let directory = LittleEndian(try file.bytes(at: offset, count: size))
        var entries: [Entry] = []
        var place = 0
        for _ in 0..<count {
            guard let (entry, next) = Self.entry(directory, at: place) else {
                throw malformed("its directory is damaged")
            }
            entries.append(entry)
            place = next
        }
        self.entries = entries
    }

    /// The entry at `place` of the directory, and where the next one begins; nil where it is damaged.
    private static func entry(_ directory: LittleEndian, at place: Int) -> (Entry, next: Int)? {
        guard directory.number(place, 4) == 0x0201_4b50, let flags = directory.number(place + 8, 2),
            let method = directory.number(place + 10, 2), let checksum = directory.number(place + 16, 4),
            let stored = directory.number(place + 20, 4), let size = directory.number(place + 24, 4),
            let nameLength = directory.number(place + 28, 2), let extraLength = directory.number(place + 30, 2),
            let commentLength = directory.number(place + 32, 2), let offset = directory.number(place + 42, 4),
            let name = directory.bytes(place + 46, nameLength)
        else { return nil }
        let extraEnd = place + 46 + nameLength + extraLength
        guard extraEnd + commentLength <= directory.count else { return nil }
        var entry = Entry(
            name: String(decoding: name, as: UTF8.self), flags: flags, method: method,
            checksum: UInt32(truncatingIfNeeded: checksum), stored: stored, size: size, offset: offset)
        // Numbers that do not fit into 32 bits follow in the field with the number 1, in this order.
        var field = place + 46 + nameLength
        while field + 4 <= extraEnd, let kind = directory.number(field, 2), let length = directory.number(field + 2, 2)
        {
            guard field + 4 + length <= extraEnd else { return nil }
            if kind == 1 {
                var at = field + 4
                for key in [\Entry.size, \Entry.stored, \Entry.offset] where entry[keyPath: key] == 0xffff_ffff {
                    guard at + 8 <= field + 4 + length, let number = directory.number(at, 8) else { return nil }
                    entry[keyPath: key] = number
                    at += 8
                }
            }
            field += 4 + length
        }
        return (entry, extraEnd + commentLength)
    }

    /// The member of this name; nil where there is none.
    /// - Throws: ``DatasetError`` `.file`; `.malformed` where it is damaged, or twice there; `.unsupported` where it is
    ///   encrypted or compressed in another way.
    func member(_ name: String) throws(DatasetError) -> Member? {
        let found = entries.filter { $0.name == name }
        guard let entry = found.first else { return nil }
        func malformed(_ reason: String) -> DatasetError {
            .malformed(file: file.path, reason: "its member \(excerpt(name)) \(reason)")
        }
        guard found.count == 1 else { throw malformed("is \(found.count) times in it; one is needed") }
        guard entry.flags & 1 == 0 else {
            throw .unsupported(file: file.path, reason: "its member \(excerpt(name)) is encrypted, which is not read")
        }
        guard entry.method == 0 || entry.method == 8 else {
            throw .unsupported(
                file: file.path,
                reason:
                    "its member \(excerpt(name)) is compressed by method \(entry.method); stored and deflated ones are "
                    + "read, as numpy.savez and numpy.savez_compressed write them")
        }
        let header = LittleEndian(try file.bytes(at: entry.offset, count: 30))
        guard header.number(0, 4) == 0x0403_4b50, let nameLength = header.number(26, 2),
            let extraLength = header.number(28, 2)
        else { throw malformed("is not where the directory says") }
        let start = entry.offset + 30 + nameLength + extraLength
        guard start <= file.size, entry.stored <= file.size - start, entry.method == 8 || entry.stored == entry.size
        else { throw malformed("is truncated") }
        return Member(
            name: name, isDeflated: entry.method == 8, range: start..<start + entry.stored, size: entry.size,
            checksum: entry.checksum)
    }

    /// The contents of a member as a file: for a deflated one a temporary file without a name, which goes away when it is
    /// closed; else the archive itself. Its checksum is verified.
    /// - Returns: the file, and where in it the contents begin.
    /// - Throws: ``DatasetError`` `.file`, and `.malformed` where the contents are damaged.
    func contents(of member: Member, named name: String) throws(DatasetError) -> (file: OpenFile, start: Int) {
        var contents = Contents(member: member, name: name)
        if member.isDeflated {
            let temporary = try TemporaryFile()
            try contents.inflate(file) { bytes throws(DatasetError) in try temporary.append(bytes) }
            return (try OpenFile(temporary.release(), path: name), 0)
        }
        try contents.pass(file)
        return (file, member.range.lowerBound)
    }
}

/// The contents of a member on their way.
private struct Contents {
    let member: ZipArchive.Member
    let name: String
    private var checksum = crc32_z(0, nil, 0)
    private var count = 0

    init(member: ZipArchive.Member, name: String) {
        self.member = member
        self.name = name
    }

    private func malformed(_ reason: String) -> DatasetError { .malformed(file: name, reason: reason) }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) throws(DatasetError) {
        count += bytes.count
        guard count <= member.size else {
            throw malformed("it is longer than the \(member.size) bytes of the directory")
        }
        checksum = crc32_z(checksum, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
    }

    private func check() throws(DatasetError) {
        guard count == member.size else {
            throw malformed("it has \(count) bytes, and \(member.size) by the directory: it is damaged")
        }
        guard UInt32(truncatingIfNeeded: checksum) == member.checksum else {
            throw malformed("its checksum is not that of the directory: it is damaged")
        }
    }

    /// Reads a stored member once.
    mutating func pass(_ file: OpenFile) throws(DatasetError) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { room.deallocate() }
        for start in stride(from: member.range.lowerBound, to: member.range.upperBound, by: room.count) {
            let piece = UnsafeMutableRawBufferPointer(
                rebasing: room[..<min(room.count, member.range.upperBound - start)])
            try file.read(at: start, into: piece)
            try add(UnsafeRawBufferPointer(piece))
        }
        try check()
    }

    /// Inflates a deflated member; `write` gets its contents in pieces.
    mutating func inflate(
        _ file: OpenFile, _ write: (UnsafeRawBufferPointer) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer {
            input.deallocate()
            output.deallocate()
        }
        var stream = z_stream()
        // A negative number of bits is for a stream without a wrapper.
        guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .file(.unreadable(file: name, reason: "zlib could not start"))
        }
        defer { inflateEnd(&stream) }
        var position = member.range.lowerBound
        var status = Z_OK
        while status != Z_STREAM_END {
            if stream.avail_in == 0 {
                let piece = min(input.count, member.range.upperBound - position)
                guard piece > 0 else { throw malformed("it ends in the middle") }
                try file.read(at: position, into: UnsafeMutableRawBufferPointer(rebasing: input[..<piece]))
                position += piece
                stream.next_in = input.bindMemory(to: UInt8.self).baseAddress
                stream.avail_in = UInt32(piece)
            }
            stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
            stream.avail_out = UInt32(output.count)
            status = CZlib.inflate(&stream, Z_NO_FLUSH)
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                throw malformed(
                    stream.msg.map { "corrupt: " + String(cString: $0) } ?? "corrupt: zlib's status \(status)")
            }
            let made = UnsafeRawBufferPointer(rebasing: output[..<(output.count - Int(stream.avail_out))])
            try add(made)
            try write(made)
        }
        try check()
    }
}

/// Numbers in bytes, the lowest first.
private struct LittleEndian {
    private let contents: [UInt8]

    init(_ contents: [UInt8]) { self.contents = contents }

    var count: Int { contents.count }

    /// The number of `width` bytes at `place`; nil where it is not there, or beyond an `Int`.
    func number(_ place: Int, _ width: Int) -> Int? {
        guard place >= 0, place <= contents.count - width else { return nil }
        return Int(exactly: (0..<width).reduce(UInt64(0)) { $0 | UInt64(contents[place + $1]) << UInt64(8 * $1) })
    }

    func bytes(_ place: Int, _ length: Int) -> ArraySlice<UInt8>? {
        place <= contents.count - length ? contents[place..<place + length] : nil
    }
}
