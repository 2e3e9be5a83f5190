import Crypto
import Foundation

/// An array of unsigned bytes in the IDX format of the MNIST database: a magic number (0, 0, 8 for unsigned bytes, the
/// number of dimensions), each dimension as a big-endian 32-bit number, then the bytes, last dimension fastest.
package struct IDX: Sendable, Equatable {
    /// The dimensions, slowest first: [count] for labels, [count, height, width] for images.
    package let dimensions: [Int]
    /// The elements; as many as the dimensions' product.
    package let bytes: [UInt8]

    /// Reads a file with `rank` dimensions, through gzip (of one member or several) where the contents are gzip,
    /// whatever the name says.
    ///
    /// Memory follows what the file holds; a header that promises more is an error before anything is allocated for it.
    /// - Throws: ``DatasetError`` `.unreadable`, `.wrongMagic`, `.truncated`, `.oversized`, `.corruptGzip`, `.empty`.
    package static func read(_ path: String, rank: Int) throws(DatasetError) -> IDX {
        let reader = try ByteReader(path: path)
        let headerSize = 4 + 4 * rank
        let header = try reader.read(upTo: headerSize)
        guard !header.isEmpty else { throw .empty(file: path) }
        let words = stride(from: 0, to: header.count - 3, by: 4).map { index in
            header[index..<index + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        let magic = magicNumber(rank: rank)
        if let found = words.first, found != magic {
            throw .wrongMagic(file: path, expected: magic, found: found)
        }
        guard header.count == headerSize else {
            throw .truncated(file: path, expected: headerSize, found: header.count)
        }
        let dimensions = words[1...].map(Int.init)
        guard !dimensions.contains(0) else { throw .empty(file: path) }
        var payload = 1
        for dimension in dimensions {
            let (product, overflow) = payload.multipliedReportingOverflow(by: dimension)
            guard !overflow, product < Int.max - headerSize else {
                throw .malformed(file: path, reason: "its header's dimensions \(dimensions) are beyond any file")
            }
            payload = product
        }
        let expected = headerSize + payload
        if !reader.isCompressed {
            guard reader.fileSize >= expected else {
                throw .truncated(file: path, expected: expected, found: reader.fileSize)
            }
            guard reader.fileSize == expected else { throw .oversized(file: path, expected: expected) }
        }
        let bytes = try reader.read(upTo: payload)
        guard bytes.count == payload else {
            throw .truncated(file: path, expected: expected, found: headerSize + bytes.count)
        }
        guard try reader.isAtEnd() else { throw .oversized(file: path, expected: expected) }
        return IDX(dimensions: dimensions, bytes: bytes)
    }

    /// Writes `bytes` with these dimensions, uncompressed, whole or not at all.
    /// - Throws: ``DatasetError`` `.malformed` when the shape does not fit, `.cannotCreate`, `.writeFailed`.
    package static func write(_ bytes: [UInt8], dimensions: [Int], to path: String) throws(DatasetError) {
        guard !dimensions.isEmpty, dimensions.allSatisfy({ (1...Int(UInt32.max)).contains($0) }),
            dimensions.count < 256, product(dimensions) == bytes.count
        else {
            throw .malformed(file: path, reason: "\(bytes.count) bytes do not have the dimensions \(dimensions)")
        }
        let header = header(dimensions: dimensions)
        var failure: DatasetError?
        header.withUnsafeBytes { head in
            bytes.withUnsafeBytes { body in
                do throws(DatasetError) {
                    try AtomicFile.write([head, body], to: path)
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }

    /// Bytes of the uncompressed file.
    var uncompressedSize: Int { 4 + 4 * dimensions.count + bytes.count }

    /// SHA-256 of the uncompressed file, in lower-case hexadecimal.
    var sha256: String {
        var hash = SHA256()
        Self.header(dimensions: dimensions).withUnsafeBytes { hash.update(bufferPointer: $0) }
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hexadecimal(hash.finalize())
    }

    /// SHA-256 of the uncompressed file's beginning, as ``KnownFile/startSHA256`` has it.
    var startSHA256: String {
        var hash = SHA256()
        let header = Self.header(dimensions: dimensions)
        header.withUnsafeBytes { hash.update(bufferPointer: $0) }
        bytes.prefix(KnownFile.startByteCount - header.count).withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hexadecimal(hash.finalize())
    }

    private static func magicNumber(rank: Int) -> UInt32 { 0x0800 | UInt32(rank) }

    private static func header(dimensions: [Int]) -> [UInt8] {
        ([magicNumber(rank: dimensions.count)] + dimensions.map { UInt32($0) }).flatMap { word in
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
        }
    }
}

/// The product, or nil when it is beyond an `Int` or a factor is negative.
func product(_ factors: [Int]) -> Int? {
    var result = 1
    for factor in factors {
        let (value, overflow) = result.multipliedReportingOverflow(by: factor)
        guard !overflow, factor >= 0 else { return nil }
        result = value
    }
    return result
}

/// SHA-256 in lower-case hexadecimal.
func sha256(_ bytes: [UInt8]) -> String { hexadecimal(SHA256.hash(data: bytes)) }

/// A digest in lower-case hexadecimal.
package func hexadecimal(_ digest: SHA256Digest) -> String {
    digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
