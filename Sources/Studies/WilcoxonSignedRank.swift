/// Wilcoxon's signed-rank test of paired differences (Wilcoxon, "Individual comparisons by ranking methods", 1945):
/// zeros are dropped, ties get the mean of their ranks, and the p-value is two-sided.
package struct WilcoxonSignedRank: Sendable {
    /// Differences that are not zero.
    package let count: Int
    /// The ranks of positive differences minus those of negative ones; its sign is the direction.
    package let signedRanks: Double
    /// How likely a sum of ranks at least this one-sided is if every sign is as likely as its opposite.
    package let p: Double

    /// Above this many differences the sum of ranks is taken to be normal, with the variance corrected for ties; up to it
    /// every assignment of signs is counted.
    static let mostEnumerated = 400

    /// The test of whole-number differences, of counts of right answers for one.
    package init(_ differences: [Int]) {
        let nonzero = differences.filter { $0 != 0 }.sorted { $0.magnitude < $1.magnitude }
        count = nonzero.count
        // Doubled, so that midranks are whole: a run of ties from place first to last has (first + last) each.
        var ranks: [Int] = []
        while ranks.count < nonzero.count {
            let first = ranks.count
            let end = nonzero[first...].firstIndex { $0.magnitude != nonzero[first].magnitude } ?? nonzero.count
            ranks += [Int](repeating: first + 1 + end, count: end - first)
        }
        let total = ranks.reduce(0, +)
        let positive = zip(nonzero, ranks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
        signedRanks = Double(2 * positive - total) / 2
        let tail =
            count <= Self.mostEnumerated
            ? Self.enumerated(ranks, least: min(positive, total - positive))
            : Self.normal(ranks, signedRanks: signedRanks)
        p = min(1, 2 * tail)
    }

    /// The least p-value that so many differences can give, when all have one sign: 2 / 2^count.
    package static func leastP(count: Int) -> Double {
        count < 1 ? 1 : Double(sign: .plus, exponent: 1 - count, significand: 1)
    }

    /// The share of all 2^n assignments of signs whose positive ranks sum to at most `least`.
    ///
    /// Counts assignments by their sum, a rank at a time. Each rank halves all counts, so that they are shares of 1 and
    /// never overflow; sums above `least` are not needed.
    private static func enumerated(_ ranks: [Int], least: Int) -> Double {
        var shares = [Double](repeating: 0, count: least + 1)
        shares[0] = 1
        for rank in ranks {
            for sum in stride(from: least, through: 0, by: -1) {
                shares[sum] = (shares[sum] + (sum >= rank ? shares[sum - rank] : 0)) / 2
            }
        }
        return shares.reduce(0, +)
    }

    /// The lower tail of a normal distribution with the sum's own variance, half a rank nearer to the middle.
    private static func normal(_ ranks: [Int], signedRanks: Double) -> Double {
        // Each rank, doubled here, is added or taken away: the variance of the sum is that of its parts.
        let variance = ranks.reduce(0.0) { $0 + Double($1) * Double($1) / 4 }
        let distance = max(0, signedRanks.magnitude - 1)
        return Normal.upperTail(distance / variance.squareRoot())
    }
}
