/// A checksum of bytes in their order, about as fast as memory: the rounds of XXH64 (Collet, 2012) in four lanes. Every step is
/// a bijection, so one changed word always changes the checksum. It does not protect against deliberate changes.
package struct Checksum: Sendable {
    private var lanes: (UInt64, UInt64, UInt64, UInt64) = (1, 2, 3, 4)
    private var count: UInt64 = 0

    /// The checksum of nothing.
    package init() {}

    @inline(__always)
    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        let sum = lane &+ UInt64(littleEndian: word) &* 0xC2B2_AE3D_27D4_EB4F
        return (sum << 31 | sum >> 33) &* 0x9E37_79B1_85EB_CA87
    }

    /// Adds bytes. The bytes of one call are padded with zeros to a multiple of 32, so parts of other lengths give another
    /// checksum.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var (a, b, c, d) = lanes
        func word(_ place: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) }
        let whole = bytes.count & ~31
        for place in stride(from: 0, to: whole, by: 32) {
            a = Self.round(a, word(place))
            b = Self.round(b, word(place + 8))
            c = Self.round(c, word(place + 16))
            d = Self.round(d, word(place + 24))
        }
        lanes = (a, b, c, d)
        count &+= UInt64(bytes.count)
        guard whole < bytes.count else { return }
        let rest = Array(bytes[whole...]) + [UInt8](repeating: 0, count: 32 - (bytes.count - whole))
        rest.withUnsafeBytes { add($0) }
        count &-= 32
    }

    /// The checksum of everything added so far.
    package var value: UInt64 {
        var value = count
        for lane in [lanes.0, lanes.1, lanes.2, lanes.3] { value = Self.round(value, lane) }
        return value
    }
}
