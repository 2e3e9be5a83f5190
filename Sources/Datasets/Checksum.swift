import Foundation
import Support

/// SHA-256 in lower-case hexadecimal.
func sha256(_ bytes: [UInt8]) -> String {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.digest
}

/// SHA-256 of a file's contents, in lower-case hexadecimal.
/// - Throws: ``DatasetError/file(_:)``, ``DatasetError/corruptGzip(file:reason:)``.
package func checksum(ofFile path: String) throws(DatasetError) -> String { try FileContents(of: path).sha256 }

/// What the uncompressed contents of a file are, whatever its format.
struct FileContents: Equatable {
    /// Bytes on disk.
    let fileSize: Int
    /// Bytes of the uncompressed contents.
    let byteCount: Int
    /// SHA-256 of the uncompressed contents, in lower-case hexadecimal.
    let sha256: String

    /// Reads a file piece by piece, through gzip where it is gzip, unless its bytes are taken as they are.
    /// - Parameter limit: bytes after which no more are read; a file that has more has a higher ``byteCount`` here, and
    ///   the checksum of what was read.
    /// - Throws: ``DatasetError/file(_:)``, ``DatasetError/corruptGzip(file:reason:)``.
    init(of path: String, decompresses: Bool = true, limit: Int = .max) throws(DatasetError) {
        let reader = try ByteReader(path: path, decompresses: decompresses)
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { piece.deallocate() }
        var hash = SHA256()
        var byteCount = 0
        while true {
            let received = try reader.read(into: piece)
            hash.update(UnsafeRawBufferPointer(rebasing: piece[..<received]))
            byteCount += received
            if received < piece.count || byteCount > limit { break }
        }
        fileSize = reader.fileSize
        self.byteCount = byteCount
        sha256 = hash.digest
    }
}
