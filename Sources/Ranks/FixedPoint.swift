/// Real numbers as whole multiples of a power of two, which are added without rounding: such a sum has the same bits in
/// any order.
package struct FixedPoint: Equatable, Sendable {
    /// Rows whose sum in float32 is bounded well enough: (1 + 2^-24)^(2^22) is 1.284.
    package static let mostChunkRows = 1 << 22

    /// The largest size of a value in a row.
    package let bound: Double
    /// The most rows that are added.
    package let rows: Int
    /// The unit is 2^-exponent.
    package let exponent: Int
    /// 2^exponent.
    let unitsPerOne: Double

    /// The finest scale in which no sum of up to `rows` values, none larger in size than `bound`, leaves 64 bits.
    ///
    /// The unit is 2^(ceil(log2(rows x bound)) - 62), and more than 2^-1000. With it, sums of chunks in float32 add up to at
    /// most 1.284 x 2^62 units and half a unit per chunk for the rounding, which is less than 2^63.
    /// - Parameter bound: the same on all ranks, such as the largest size of a value over all of them.
    /// - Parameter rows: over all ranks, at least 1.
    /// - Throws: ``ExactSumError/noScale(bound:rows:)`` where the bound is negative or not a number, or either is too large.
    package init(bound: Double, rows: Int) throws(ExactSumError) {
        // A product that rounds down to a power of two is still at most 1 + 2^-52 times that power.
        let largest = bound * Double(rows)
        guard bound >= 0, rows > 0, rows <= 1 << 60, largest <= 0x1p900 else {
            throw .noScale(bound: bound, rows: rows)
        }
        self.bound = bound
        self.rows = rows
        exponent = largest == 0 ? 0 : min(62 - largest.ceilingLog2, 1000)
        unitsPerOne = Double(sign: .plus, exponent: exponent, significand: 1)
    }

    /// The unit, a power of two. Every number is off by at most half of it.
    package var unit: Double { Double(sign: .plus, exponent: -exponent, significand: 1) }

    /// The largest size of a chunk's sum in float32.
    func limit(rows: Int) -> Double { bound * Double(rows) * 1.285 }

    /// The number of units, rounded to the nearest, ties to even. The caller has checked the value against
    /// ``limit(rows:)``, so the number is below 2^63 in size.
    @inline(__always)
    func integer(_ value: Double) -> Int64 {
        // A number below 2^51 is rounded to a whole one by adding 1.5 x 2^52, whose last bits then are that number. This is
        // done for the upper and the lower 32 bits; what is left for the lower ones is exact. Unlike `Int64(value.rounded())`
        // it needs no call and no branch, so that loops are vectorised.
        let magic = 0x1.8p52
        let scaled = value * unitsPerOne
        let upper = scaled * 0x1p-32 + magic
        let lower = (scaled - (upper - magic) * 0x1p32) + magic
        let offset = Int64(bitPattern: magic.bitPattern)
        return (Int64(bitPattern: upper.bitPattern) &- offset) << 32 &+ (Int64(bitPattern: lower.bitPattern) &- offset)
    }

    /// The value of a number of units, rounded once, to Double.
    package func value(_ units: Int64) -> Double { Double(units) * unit }
}

extension Double {
    /// The least n with 2^n at least this positive number.
    fileprivate var ceilingLog2: Int { Int(exponent) + (significand == 1 ? 0 : 1) }
}
