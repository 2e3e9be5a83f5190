import Scoring

/// One case against another, over the runs that both have: what ``Comparison`` is against a baseline. Differences are in
/// percentage points, and positive where the first case is better.
package struct Contrast: Sendable {
    /// Paired runs; runs that diverged pair with none.
    package let pairs: Int
    /// The mean paired difference.
    package let difference: Double
    /// Student's 95% interval of the mean difference; nil below two pairs.
    package let interval95: Interval?
    /// The two-sided p-value of Wilcoxon's signed-rank test.
    package let p: Double
    /// ``p`` under Holm's correction over the contrasts of one table.
    package let pHolm: Double
    /// The verdict on ``pHolm`` and the 90% interval; ``Verdict/diverged`` where a run of either case diverged.
    package let verdict: Verdict

    /// The contrasts of pairs of cases, whose p-values are corrected together; nil for cases without a run in common.
    package static func all(_ pairs: [(one: CaseSummary, other: CaseSummary)]) -> [Contrast?] {
        let differences = pairs.map { pair in
            // Which baseline is named makes no difference to the figures.
            PairedDifferences(pair.one.records, against: pair.other.records, baseline: .full)
        }
        let tests = differences.compactMap { $0 }
        var corrected = holm(tests.map(\.test.p))[...]
        var quantiles = QuantileCache()
        return zip(pairs, differences).map { pair, paired in
            guard let paired, let pHolm = corrected.popFirst() else { return nil }
            let found = paired.comparison(
                pHolm: pHolm, tests: tests.count, equalWithin: pair.one.experiment.equalWithin, quantiles: &quantiles)
            return found.difference.map { difference in
                Contrast(
                    pairs: found.pairs, difference: difference, interval95: found.interval95, p: paired.test.p,
                    pHolm: pHolm,
                    verdict: pair.one.divergedCount + pair.other.divergedCount > 0 ? .diverged : found.verdict)
            }
        }
    }
}

extension ScoringRecipe {
    /// The score and its numbers apart from k and the dimensions that PCA leaves: equal for recipes that differ in nothing
    /// else.
    package var settingsBesideK: AnyHashable {
        var parameters = parameters
        parameters.k = nil
        return [AnyHashable(score), AnyHashable(parameters)]
    }
}
