import Support

/// Reads the regular files of a tar archive front to back: POSIX's ustar format, and as much of what came before and after
/// it as archives of plain files need. The archive may be compressed by gzip.
///
/// Anything that could reach out of the folder it is unpacked into is refused: absolute paths, `..`, links and devices.
package final class TarReader {
    /// A regular file in an archive.
    package struct Entry: Equatable, Sendable {
        /// Its path, with slashes, relative.
        package let path: String
        /// Bytes of its contents.
        package let byteCount: Int
    }

    private let reader: ByteReader
    /// Bytes of the present entry that were not read yet.
    private var left = 0
    /// Zeros that fill up its last block.
    private var padding = 0
    private var isAtEnd = false

    private static let blockSize = 512

    /// Opens an archive.
    /// - Throws: ``DatasetError/file(_:)``.
    package init(_ path: String) throws(DatasetError) { reader = try ByteReader(path: path) }

    /// The next regular file, nil after the last one. Passes over folders, and over what is left of the file before.
    /// - Throws: ``DatasetError`` `.file`, `.corruptGzip`, and `.malformed` for an archive that is damaged, ends too early,
    ///   or holds anything but folders and regular files with relative paths.
    package func next() throws(DatasetError) -> Entry? {
        while !isAtEnd {
            try skip()
            guard let header = try header() else {
                isAtEnd = true
                // What follows is of no interest, but gzip's checksum comes after it.
                while try !reader.read(upTo: 1 << 16).isEmpty {}
                return nil
            }
            (left, padding) = (header.byteCount, (Self.blockSize - header.byteCount % Self.blockSize) % Self.blockSize)
            switch header.kind {
            case .file:
                try check(header.path)
                return Entry(path: header.path, byteCount: header.byteCount)
            case .folder: (left, padding) = (0, 0)
            case .attributes: try checkAttributes()
            case .other(let what):
                throw malformed("'\(excerpt(header.path))' is \(what); only files and folders are unpacked")
            }
        }
        return nil
    }

    /// Fills `destination` from the present entry's contents; returns how many bytes that gave, fewer only at their end.
    /// - Throws: ``DatasetError`` `.file`, `.corruptGzip`, `.malformed`.
    package func read(into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
        let wanted = min(left, destination.count)
        let count = try reader.read(into: UnsafeMutableRawBufferPointer(rebasing: destination[..<wanted]))
        left -= count
        guard count == wanted else { throw ended }
        return count
    }

    private enum Kind {
        case file, folder
        /// Attributes of what follows: POSIX's extended headers.
        case attributes
        /// What it is, with its article.
        case other(String)
    }

    private func header() throws(DatasetError) -> (path: String, byteCount: Int, kind: Kind)? {
        let block = try reader.read(upTo: Self.blockSize)
        guard block.count == Self.blockSize else { throw ended }
        if block.allSatisfy({ $0 == 0 }) { return nil }
        // The sum of all bytes, with spaces in the place of the sum itself.
        let sum = block.reduce(0) { $0 + Int($1) } - block[148..<156].reduce(0) { $0 + Int($1) } + 8 * 32
        guard Self.octal(block[148..<156]) == sum else { throw malformed("it is no tar archive, or a damaged one") }
        var path = Self.text(block[0..<100])
        // GNU's variant has other things where POSIX has the beginning of a long path.
        if block[257..<263].elementsEqual(Array("ustar\0".utf8)) {
            let start = Self.text(block[345..<500])
            if !start.isEmpty { path = "\(start)/\(path)" }
        }
        while path.hasPrefix("./") { path.removeFirst(2) }
        guard let byteCount = Self.octal(block[124..<136]) else {
            throw malformed("the size of '\(excerpt(path))' is no octal number")
        }
        let kind: Kind =
            switch block[156] {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): path.hasSuffix("/") ? .folder : .file
            case UInt8(ascii: "5"): .folder
            case UInt8(ascii: "x"), UInt8(ascii: "g"): .attributes
            case UInt8(ascii: "1"), UInt8(ascii: "2"): .other("a link")
            case UInt8(ascii: "3"), UInt8(ascii: "4"): .other("a device")
            case UInt8(ascii: "6"): .other("a pipe")
            default: .other("of an unknown type")
            }
        return (path, byteCount, kind)
    }

    /// - Throws: ``DatasetError/malformed(file:reason:)`` for a path that may lead out of the folder it starts in.
    private func check(_ path: String) throws(DatasetError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw malformed("'\(excerpt(path))' is not a path inside a folder, so that it is not unpacked")
        }
    }

    /// - Throws: ``DatasetError/malformed(file:reason:)`` where extended attributes give the file that follows another path
    ///   or size. Times and owners are of no interest.
    private func checkAttributes() throws(DatasetError) {
        guard left <= 1 << 16 else {
            throw malformed("it has \(left) bytes of extended attributes; 65536 are accepted")
        }
        let text = try reader.read(upTo: left)
        guard text.count == left else { throw ended }
        left = 0
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 1)
            guard let key = words.last?.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).first
            else {
                continue
            }
            if key == "path" || key == "linkpath" || key == "size" || key.hasPrefix("GNU.sparse") {
                throw malformed("a path or size is in extended attributes, which are not read")
            }
        }
    }

    private func skip() throws(DatasetError) {
        var rest = left + padding
        while rest > 0 {
            let count = try reader.read(upTo: min(rest, 1 << 16)).count
            guard count > 0 else { throw ended }
            rest -= count
        }
        (left, padding) = (0, 0)
    }

    private var ended: DatasetError { malformed("truncated: the archive ends too early") }

    private func malformed(_ reason: String) -> DatasetError { .malformed(file: reader.path, reason: reason) }

    /// The text before the first zero.
    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// A number in octal digits, with spaces before and spaces or zeros after them; nil for anything else.
    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != UInt8(ascii: " ") && $0 != 0 }
        return Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }
}
