/// The bytes of numbers, the lowest byte first, or last where they are big-endian.
package func bytes<Number: BitwiseCopyable>(_ numbers: [Number], bigEndian: Bool = false) -> [UInt8] {
    numbers.flatMap { number in
        withUnsafeBytes(of: number) { bigEndian ? Array($0.reversed()) : Array($0) }
    }
}

/// [row][column] as [column][row].
package func transposed<Number>(_ values: [Number], columns: Int) -> [Number] {
    (0..<columns).flatMap { column in stride(from: column, to: values.count, by: columns).map { values[$0] } }
}

/// A .npy file in memory; the header may lie about `payload`.
package func npyFile(_ descriptor: String, _ shape: [Int], _ payload: [UInt8], fortran: Bool = false) -> [UInt8] {
    let tuple = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let header = "{'descr': '\(descriptor)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': (\(tuple)), }\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + payload
}

/// A safetensors file of one tensor in memory, after one of bytes that nobody asks for.
package func safetensorsFile(_ name: String, _ type: String, _ shape: [Int], _ payload: [UInt8]) -> [UInt8] {
    let header = Array(
        ("{\"first\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},\"\(name)\":{\"dtype\":\"\(type)\","
            + "\"shape\":\(shape),\"data_offsets\":[3,\(3 + payload.count)]}}").utf8)
    return bytes([UInt64(header.count)]) + header + [1, 2, 3] + payload
}

/// How a member of an archive is kept.
package enum ZipMethod: CaseIterable, Sendable {
    case stored
    /// Deflated, in blocks that are not compressed.
    case deflated
    /// Stored, its numbers in the fields that zip64 adds.
    case zip64
}

/// A zip archive in memory.
package func zipFile(_ members: [(name: String, contents: [UInt8])], _ method: ZipMethod = .stored) -> [UInt8] {
    zipFile(
        members.map { name, contents in
            (name, contents, method == .deflated ? storedBlocks(contents) : contents)
        }, method: method == .deflated ? 8 : 0, isZip64: method == .zip64)
}

/// The same with the members' bytes as they are kept.
package func zipFile(
    _ members: [(name: String, contents: [UInt8], kept: [UInt8])], method: UInt16, isZip64: Bool = false
) -> [UInt8] {
    var archive: [UInt8] = []
    var directory: [UInt8] = []
    for (name, contents, kept) in members {
        let (most, offset) = (UInt32.max, archive.count)
        let sizes =
            isZip64 ? bytes([most, most]) : bytes([UInt32(kept.count), UInt32(contents.count)])
        let local = isZip64 ? bytes([UInt16(1), 16]) + bytes([UInt64(contents.count), UInt64(kept.count)]) : []
        let central =
            isZip64
            ? bytes([UInt16(1), 24]) + bytes([UInt64(contents.count), UInt64(kept.count), UInt64(offset)]) : []
        let start = bytes([UInt16(45), 0, method, 0, 0]) + bytes([checksum(contents)]) + sizes
        archive += bytes([UInt32(0x0403_4b50)]) + start
        archive += bytes([UInt16(name.utf8.count), UInt16(local.count)]) + Array(name.utf8) + local + kept
        directory += bytes([UInt32(0x0201_4b50)]) + bytes([UInt16(45)]) + start
        directory += bytes([UInt16(name.utf8.count), UInt16(central.count), 0, 0, 0])
        directory += bytes([UInt32(0), isZip64 ? most : UInt32(offset)]) + Array(name.utf8) + central
    }
    let count = UInt16(members.count)
    let start = archive.count
    archive += directory
    guard isZip64 else {
        return archive + bytes([UInt32(0x0605_4b50)]) + bytes([UInt16(0), 0, count, count])
            + bytes([UInt32(directory.count), UInt32(start)]) + [0, 0]
    }
    let place = archive.count
    archive += bytes([UInt32(0x0606_4b50)]) + bytes([UInt64(44)]) + bytes([UInt16(45), 45]) + bytes([UInt32(0), 0])
    archive += bytes([UInt64(count), UInt64(count), UInt64(directory.count), UInt64(start)])
    archive += bytes([UInt32(0x0706_4b50), 0]) + bytes([UInt64(place)]) + bytes([UInt32(1)])
    return archive + bytes([UInt32(0x0605_4b50)]) + bytes([UInt16(0), 0, .max, .max]) + bytes([UInt32.max, .max])
        + [0, 0]
}

/// A deflated stream of blocks that are not compressed.
private func storedBlocks(_ contents: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = []
    let most = 60_000
    for start in stride(from: 0, to: max(1, contents.count), by: most) {
        let piece = contents[start..<min(start + most, contents.count)]
        let length = UInt16(piece.count)
        stream += [start + most >= contents.count ? 1 : 0] + bytes([length, ~length]) + piece
    }
    return stream
}

/// The checksum of zip archives (CRC-32).
private func checksum(_ contents: [UInt8]) -> UInt32 {
    ~contents.reduce(UInt32.max) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0xedb8_8320 : rest >> 1 }
    }
}
