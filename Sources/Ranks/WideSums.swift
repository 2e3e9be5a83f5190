/// Sums over rows like ``ExactSums``, with 48 more bits below the unit: for elements of very different magnitudes under one
/// bound, such as products of columns.
///
/// A float32 is split into whole units and a rest in units of 2^-48 of these. Both are added as integers, which is exact in
/// any order. A value is off by at most half of the smaller unit: 2^-110 of rows x bound.
package struct WideSums: Sendable {
    package let scale: FixedPoint
    /// Whole units, and units of 2^-48 of these, [elements] each.
    private var upper: [Int64]
    private var lower: [Int64]
    /// The number of sums that were NaN, infinite, or larger than their rows allow.
    private var strays: UInt64 = 0
    /// The number of values added to each element since the lower words were below 2^48.
    private var pending = 0

    private static let lowerBits: Int64 = 48
    /// A value adds at most 2^47 to a lower word.
    private static let mostPending = 1 << 14

    /// Sums of nothing.
    package init(elements: Int, _ scale: FixedPoint) {
        self.scale = scale
        upper = [Int64](repeating: 0, count: elements)
        lower = upper
    }

    /// Adds the float32 sums of one chunk.
    /// - Parameters:
    ///   - chunk: [elements].
    ///   - rows: rows in the chunk, at most ``FixedPoint/mostChunkRows``.
    ///   - ranges: the elements to add; the others may have any value. Nil for all elements.
    package mutating func add(_ chunk: UnsafeBufferPointer<Float>, rows: Int, in ranges: [Range<Int>]? = nil) {
        if pending == Self.mostPending { carry() }
        pending += 1
        let scale = scale
        let limit = scale.limit(rows: rows)
        let magic = 0x1.8p52
        let offset = Int64(bitPattern: magic.bitPattern)
        let ranges = ranges ?? [0..<min(chunk.count, upper.count)]
        var strays: UInt64 = 0
        upper.withUnsafeMutableBufferPointer { upper in
            lower.withUnsafeMutableBufferPointer { lower in
                for range in ranges {
                    for element in range {
                        let value = Double(chunk[element])
                        // NaN is in no range.
                        guard abs(value) <= limit else {
                            strays += 1
                            continue
                        }
                        let units = scale.integer(value)
                        // Exact: if the number of units is not whole, it has no more bits than a float.
                        let rest = value * scale.unitsPerOne - Double(units)
                        let small = rest * 0x1p48 + magic
                        upper[element] &+= units
                        lower[element] &+= Int64(bitPattern: small.bitPattern) &- offset
                    }
                }
            }
        }
        self.strays += strays
    }

    /// Replaces the sums by those over the rows of all ranks, whose sums have the same elements and scales. Collective.
    /// - Throws: what communication throws.
    package mutating func combine(over communicator: Communicator) throws(RanksError) {
        carry()
        try communicator.sum(&upper)
        try communicator.sum(&lower)
        var all = [strays]
        try communicator.sum(&all)
        strays = all[0]
        carry()
    }

    /// The sums, [elements]; all are NaN if something was added that cannot be a sum of rows.
    package var values: [Double] {
        guard strays == 0 else { return [Double](repeating: .nan, count: upper.count) }
        var exact = self
        exact.carry()
        let unit = scale.unit
        return exact.upper.indices.map { element in
            (Double(exact.upper[element]) + Double(exact.lower[element]) * 0x1p-48) * unit
        }
    }

    /// Carries, so that the lower words are in 0..<2^48.
    private mutating func carry() {
        for element in upper.indices {
            upper[element] &+= lower[element] >> Self.lowerBits
            lower[element] &= 1 << Self.lowerBits - 1
        }
        pending = 0
    }
}
