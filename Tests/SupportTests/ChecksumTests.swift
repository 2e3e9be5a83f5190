import Support
import Testing

@Suite struct ChecksumTests {
    private func checksum(_ parts: [[UInt8]]) -> UInt64 {
        var checksum = Checksum()
        for part in parts { part.withUnsafeBytes { checksum.add($0) } }
        return checksum.value
    }

    @Test(arguments: [1, 7, 8, 31, 32, 33, 100]) func everyBitCounts(length: Int) {
        let bytes = (0..<length).map { UInt8($0 * 37 % 251) }
        var seen: Set<UInt64> = [checksum([bytes])]
        for bit in 0..<8 * length {
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            seen.insert(checksum([changed]))
        }
        // Without the last byte, and with a zero after it.
        seen.insert(checksum([bytes.dropLast()]))
        seen.insert(checksum([bytes + [0]]))
        #expect(seen.count == 8 * length + 3)
    }

    @Test func theOrderCounts() {
        let words = (0..<16).map { [UInt8](repeating: UInt8($0), count: 8) }
        let bytes = Array(words.joined())
        for (one, other) in [(0, 1), (0, 4), (3, 15)] {
            var swapped = words
            swapped.swapAt(one, other)
            #expect(checksum([Array(swapped.joined())]) != checksum([bytes]))
        }
        // Two changes of the highest bit do not cancel out.
        var changed = bytes
        changed[7] ^= 0x80
        changed[39] ^= 0x80
        #expect(checksum([changed]) != checksum([bytes]))
    }

    /// Bytes have the same checksum in parts of a multiple of 32, and on every machine.
    @Test func partsAreThoseOfTheWhole() {
        let bytes = (0..<300).map { UInt8($0 * 7 % 256) }
        let whole = checksum([bytes])
        #expect(checksum([Array(bytes[..<32]), Array(bytes[32..<256]), Array(bytes[256...])]) == whole)
        #expect(checksum([]) != whole)
    }
}
