/// Intervals of mean differences that hold for several comparisons at once, so that the comparison of interest may be chosen
/// after looking at all of them: Student's at 1 - 0.05 / n for n comparisons (Bonferroni).
package struct SimultaneousIntervals {
    /// How many comparisons the intervals hold for together, with a probability of 95%.
    package let tests: Int
    private var quantiles = QuantileCache()

    /// - Parameter tests: how many comparisons; below 1 counts as 1.
    package init(tests: Int) { self.tests = max(1, tests) }

    /// The interval of a comparison's mean difference, in percentage points; nil below two pairs.
    package mutating func interval(of comparison: Comparison) -> Interval? {
        guard let mean = comparison.difference, let single = comparison.interval95, comparison.pairs > 1 else {
            return nil
        }
        let degrees = comparison.pairs - 1
        let tail = 0.025
        let widening =
            quantiles.t(upperTail: tail / Double(tests), degrees: degrees)
            / quantiles.t(upperTail: tail, degrees: degrees)
        let reach = (single.high - single.low) / 2 * widening
        return Interval(low: mean - reach, high: mean + reach)
    }
}

extension Comparison {
    /// The fewest pairs that can call a case better or worse where so many comparisons are corrected together: those whose
    /// least p-value times `tests` is below ``significance``.
    package static func fewestPairs(tests: Int) -> Int {
        (1...).first { WilcoxonSignedRank.leastP(count: $0) * Double(max(1, tests)) < significance } ?? 0
    }
}
