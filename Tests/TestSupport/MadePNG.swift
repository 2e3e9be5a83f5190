/// PNG files of 8-bit pixels, uncompressed: for tests that need some without a library.
package enum MadePNG {
    /// A file.
    /// - Parameters:
    ///   - channels: 1 for grey, 2 for grey with transparency, 3 for RGB, 4 for RGB with transparency.
    ///   - pixels: [y][x][channel].
    ///   - chunks: what stands before the pixels, each a name of four letters and its contents.
    package static func file(
        width: Int, height: Int, channels: Int = 1, pixels: [UInt8], chunks: [(name: String, contents: [UInt8])] = []
    ) -> [UInt8] {
        let colour: UInt8 = [0, 0, 4, 2, 6][channels]
        var rows: [UInt8] = []
        for y in 0..<height { rows += [0] + pixels[y * width * channels..<(y + 1) * width * channels] }
        // Stored blocks of zlib's format.
        var stream: [UInt8] = [0x78, 0x01]
        var first = 0
        repeat {
            let count = min(rows.count - first, 65535)
            stream.append(first + count == rows.count ? 1 : 0)
            for word in [count, ~count & 0xFFFF] { stream += [UInt8(word & 0xFF), UInt8(word >> 8)] }
            stream += rows[first..<first + count]
            first += count
        } while first < rows.count
        stream += bigEndian(adler32(rows))
        let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, colour, 0, 0, 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header)
            + chunks.flatMap { chunk($0.name, $0.contents) } + chunk("IDAT", stream) + chunk("IEND", [])
    }

    /// A chunk with its length and checksum.
    package static func chunk(_ name: String, _ contents: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + contents
        return bigEndian(UInt32(contents.count)) + body + bigEndian(crc32(body))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        return high << 16 | low
    }
}
