/// The sum of float32 values that are not negative, such as squared distances: exact, so that it has the same bits in any order
/// of the values and for any number of ranks. The values need no known bound.
///
/// Each bin covers 16 powers of two and holds a whole number of its smallest unit; a value is split over one or two bins. The
/// sum as a Double is off by at most a few of its roundings.
///
/// Example:
///
///     var total = ExactTotal()
///     total.add(distances)
///     try total.combine(over: communicator)
///     print(total.value)
package struct ExactTotal: Equatable, Sendable {
    /// Bin b counts units of 2^(16 b - 149), 2^-149 being the smallest float32. Values reach to bin 17.
    private var bins = [UInt64](repeating: 0, count: 19)
    /// The number of values that are negative, infinite or NaN.
    private var strays: UInt64 = 0
    /// The number of values added since the bins were below 2^16.
    private var pending = 0

    /// A value adds less than 2^39 to a bin, so this many stay below 2^60.
    private static let mostPending = 1 << 20

    /// The sum of nothing.
    package init() {}

    /// Adds values.
    package mutating func add(_ values: UnsafeBufferPointer<Float>) {
        for first in stride(from: 0, to: values.count, by: Self.mostPending) {
            let part = first..<min(first + Self.mostPending, values.count)
            if pending + part.count > Self.mostPending { carry() }
            pending += part.count
            var strays: UInt64 = 0
            bins.withUnsafeMutableBufferPointer { bins in
                for index in part {
                    let bits = values[index].bitPattern
                    // Infinity and NaN have the largest exponent, and negative values a larger one, with the sign bit; -0 is 0.
                    guard bits < Float.infinity.bitPattern else {
                        strays += bits == 0x8000_0000 ? 0 : 1
                        continue
                    }
                    let exponent = Int(bits >> 23)
                    let fraction = UInt64(bits & 0x7F_FFFF) | (exponent > 0 ? 0x80_0000 : 0)
                    let shift = max(exponent, 1) - 1
                    bins[shift >> 4] &+= fraction << UInt64(shift & 15)
                }
            }
            self.strays += strays
        }
    }

    /// Adds values.
    package mutating func add(_ values: [Float]) { values.withUnsafeBufferPointer { add($0) } }

    /// Replaces the sum by that over all ranks. Collective.
    /// - Throws: what communication throws.
    package mutating func combine(over communicator: Communicator) throws(RanksError) {
        carry()
        // Every bin but the last is below 2^16, so no number of ranks overflows one.
        var all = bins + [strays]
        try communicator.sum(&all)
        strays = all.removeLast()
        bins = all
        carry()
    }

    /// The sum, rounded; NaN if a value was negative, infinite or NaN.
    package var value: Double {
        guard strays == 0 else { return .nan }
        var exact = self
        exact.carry()
        var sum = 0.0
        for (bin, count) in exact.bins.enumerated() {
            sum += Double(sign: .plus, exponent: 16 * bin - 149, significand: Double(count))
        }
        return sum
    }

    /// True if both have the same sum and as many strays.
    package static func == (one: ExactTotal, other: ExactTotal) -> Bool {
        var (a, b) = (one, other)
        a.carry()
        b.carry()
        return a.bins == b.bins && a.strays == b.strays
    }

    /// Carries, so that all bins but the last are below 2^16.
    private mutating func carry() {
        for bin in 0..<bins.count - 1 {
            bins[bin + 1] += bins[bin] >> 16
            bins[bin] &= 0xFFFF
        }
        pending = 0
    }
}
