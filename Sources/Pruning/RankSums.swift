/// The place of a process among the ranks that samples are spread over, and sums over these, which are all that a selection
/// needs of the others.
package struct RankSums<Fault: Error> {
    /// This process's number, from 0.
    package let rank: Int
    /// The number of processes.
    package let size: Int
    /// Replaces the numbers by their sums over all ranks. Collective: every rank has as many.
    package let sum: (inout [Int64]) throws(Fault) -> Void

    /// These ranks.
    package init(rank: Int, size: Int, sum: @escaping (inout [Int64]) throws(Fault) -> Void) {
        (self.rank, self.size, self.sum) = (rank, size, sum)
    }
}

/// Whole numbers in the order of scores; equal scores have equal keys.
package struct OrderedKeys: Sendable {
    /// [sample].
    package let values: [UInt64]
    /// The number of the lowest bits of a key that may be set.
    package let bits: Int

    /// The same key for all samples.
    package init(count: Int) {
        values = [UInt64](repeating: 0, count: count)
        bits = 0
    }

    /// Keys of scores that are no NaN.
    package init(_ scores: [Float]) {
        values = scores.map { score in
            // Zeros of both signs are equal.
            let bits = (score == 0 ? 0 : score).bitPattern
            return UInt64(bits >> 31 == 1 ? ~bits : bits | 1 << 31)
        }
        bits = 32
    }

    /// Keys of scores that are no NaN.
    package init(_ scores: [Double]) {
        values = scores.map { score in
            let bits = (score == 0 ? 0 : score).bitPattern
            return bits >> 63 == 1 ? ~bits : bits | 1 << 63
        }
        bits = 64
    }

    /// Keys of scores that are whole numbers.
    package init(_ scores: [Int64]) {
        values = scores.map { UInt64(bitPattern: $0) ^ 1 << 63 }
        bits = 64
    }

    private init(values: [UInt64], bits: Int) { (self.values, self.bits) = (values, bits) }

    /// Keys of the opposite order.
    package var inverted: OrderedKeys {
        let mask: UInt64 = bits == 64 ? .max : 1 << bits - 1
        return OrderedKeys(values: values.map { $0 ^ mask }, bits: bits)
    }
}
