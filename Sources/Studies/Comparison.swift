import Foundation

/// An interval of accuracies or of differences, in percent or percentage points.
package struct Interval: Equatable, Sendable {
    /// The lower end.
    package var low: Double
    /// The upper end.
    package var high: Double

    /// From `low` to `high`.
    package init(low: Double, high: Double) {
        self.low = low
        self.high = high
    }
}

/// What a case is compared with.
package enum Baseline: String, CaseIterable, Sendable {
    /// The whole training set.
    case full
    /// As many samples, drawn at random from the whole set.
    case random
}

/// What a comparison comes to.
package enum Verdict: String, CaseIterable, Sendable {
    /// The case is better: its corrected p-value is below 0.05.
    case better
    /// The case is worse, likewise.
    case worse
    /// The 90% interval of the difference lies within ±`equal_within` points: both one-sided tests of equivalence
    /// succeed at 0.05 (Schuirmann, "A comparison of the two one-sided tests procedure", 1987).
    case equal
    /// Neither.
    case notDecided = "not decided"
    /// A run of the case diverged: what its other runs come to is no verdict on the case.
    case diverged
}

/// A case against a baseline over the runs that both have: run i of both starts from the same weights and sees its
/// samples in the same order of random numbers, so that runs compare in pairs.
///
/// Differences are in percentage points, and positive where the case is better.
package struct Comparison: Sendable {
    /// What the case is compared with.
    package let baseline: Baseline
    /// The baseline's experiment.
    package let baselineID: Int
    /// Paired runs; runs that diverged pair with none.
    package let pairs: Int
    /// The mean paired difference; nil without pairs, which happens only where runs diverged.
    package let difference: Double?
    /// Student's 95% interval of the mean difference; nil below two pairs.
    package let interval95: Interval?
    /// Student's 90% interval, by which equality is judged; nil below two pairs.
    package let interval90: Interval?
    /// The two-sided p-value of Wilcoxon's signed-rank test on the counts of right answers; nil without pairs.
    package let p: Double?
    /// `p` under Holm's correction over all cases that are compared with this baseline.
    package let pHolm: Double?
    /// The verdict on `pHolm` and `interval90`, where no run of the case or of the baseline diverged.
    package let verdict: Verdict
    /// Where not decided: about how many runs would decide it, if mean and spread of the differences stay as they are.
    /// Nil where that needs more than ``mostRuns``.
    package let runsToDecide: Int?
    /// Whether a run of the baseline diverged, so that nothing is decided against it.
    package var isBaselineDiverged = false

    /// Whether more runs, or other figures, could decide it.
    package var isDecidable: Bool { verdict != .diverged && !isBaselineDiverged }

    /// The level that a corrected p-value must be below.
    package static let significance = 0.05
    /// The largest number of runs that ``runsToDecide`` looks at.
    package static let mostRuns = 10_000
}

extension Comparison {
    /// The figures of `other`, or none, under the verdict that diverged runs leave.
    init(_ other: Comparison?, baseline: Baseline, baselineID: Int, verdict: Verdict, isBaselineDiverged: Bool) {
        self.init(
            baseline: baseline, baselineID: baselineID, pairs: other?.pairs ?? 0, difference: other?.difference,
            interval95: other?.interval95, interval90: other?.interval90, p: other?.p, pHolm: other?.pHolm,
            verdict: verdict, runsToDecide: nil, isBaselineDiverged: isBaselineDiverged)
    }
}

/// Holm's step-down correction ("A simple sequentially rejective multiple test procedure", 1979): p-values that may be
/// held against one level whatever their number.
func holm(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    var corrected = values
    var largest = 0.0
    for (place, index) in order.enumerated() {
        largest = max(largest, min(1, Double(values.count - place) * values[index]))
        corrected[index] = largest
    }
    return corrected
}

/// The paired differences of a case from its baseline, before the table's other p-values are known.
struct PairedDifferences {
    let baseline: Baseline
    let baselineID: Int
    /// Percentage points.
    let points: [Double]
    let test: WilcoxonSignedRank

    /// - Returns: nil where no run is finished in both without having diverged.
    init?(_ records: [RunRecord], against other: [RunRecord], baseline: Baseline) {
        let partners = Dictionary(
            other.filter { $0.diverged == nil }.map { ($0.runID, $0) }, uniquingKeysWith: { first, _ in first })
        let pairs = records.filter { $0.diverged == nil }
            .compactMap { record in partners[record.runID].map { (record, $0) } }
        guard let first = other.first, !pairs.isEmpty else { return nil }
        self.baseline = baseline
        baselineID = first.experimentID
        // From the counts: a difference of accuracies would carry their rounding past a margin that it meets exactly.
        points = pairs.map { 100 * Double($0.correct - $1.correct) / Double($0.count) }
        test = WilcoxonSignedRank(pairs.map { $0.correct - $1.correct })
    }

    /// The comparison, given its corrected p-value among `tests` of the same baseline.
    func comparison(pHolm: Double, tests: Int, equalWithin: Double, quantiles: inout QuantileCache) -> Comparison {
        let mean = Statistics.mean(points) ?? 0
        let deviation = Statistics.standardDeviation(points)
        func interval(_ tail: Double) -> Interval? {
            guard let deviation else { return nil }
            let reach =
                quantiles.t(upperTail: tail, degrees: points.count - 1) * deviation / Double(points.count).squareRoot()
            return Interval(low: mean - reach, high: mean + reach)
        }
        let interval90 = interval(0.05)
        let verdict: Verdict
        // Mean and ranks may point apart where few large differences stand against many small ones: nothing is decided then.
        if pHolm < Comparison.significance, mean * test.signedRanks > 0 {
            verdict = mean > 0 ? .better : .worse
        } else if let interval90, interval90.low >= -equalWithin, interval90.high <= equalWithin {
            verdict = .equal
        } else {
            verdict = .notDecided
        }
        var runs: Int?
        if verdict == .notDecided, let deviation {
            runs = runsToDecide(mean, deviation, tests: tests, equalWithin: equalWithin, quantiles: &quantiles)
        }
        return Comparison(
            baseline: baseline, baselineID: baselineID, pairs: points.count, difference: mean,
            interval95: interval(0.025), interval90: interval90, p: test.p, pHolm: pHolm, verdict: verdict,
            runsToDecide: runs)
    }

    /// The least number of runs, above those there are, at which the mean and spread seen would decide: the equivalence
    /// tests, or a paired t test corrected for all tests, which needs about as many pairs as Wilcoxon's.
    private func runsToDecide(
        _ mean: Double, _ deviation: Double, tests: Int, equalWithin: Double, quantiles: inout QuantileCache
    ) -> Int? {
        let level = Comparison.significance / Double(tests)
        func decides(_ runs: Int) -> Bool {
            let error = deviation / Double(runs).squareRoot()
            if mean.magnitude + quantiles.t(upperTail: 0.05, degrees: runs - 1) * error <= equalWithin { return true }
            return WilcoxonSignedRank.leastP(count: runs) < level
                && mean.magnitude > quantiles.t(upperTail: level / 2, degrees: runs - 1) * error
        }
        // More runs only ever help either test, so that halving finds the least.
        var low = points.count
        var high = Comparison.mostRuns
        guard low < high, decides(high) else { return nil }
        while high - low > 1 {
            let middle = (low + high) / 2
            if decides(middle) { high = middle } else { low = middle }
        }
        return high
    }
}

/// Quantiles of Student's t that were asked for before; tables of thousands of cases ask for the same few.
struct QuantileCache {
    private struct Key: Hashable {
        let tail: Double
        let degrees: Int
    }
    private var known: [Key: Double] = [:]

    mutating func t(upperTail tail: Double, degrees: Int) -> Double {
        let key = Key(tail: tail, degrees: degrees)
        if let value = known[key] { return value }
        let value = StudentT(degrees: degrees).quantile(upperTail: tail)
        known[key] = value
        return value
    }
}
