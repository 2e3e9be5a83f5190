import Studies

/// A section's answer to "how little is enough?": the smallest part whose loss against the whole set is bounded, and the loss
/// of each size, by intervals that hold for all cases together. Where runs are too few for any test, how many are needed.
struct Answer: Equatable, Sendable {
    /// A part that loses no more than ``tolerance``.
    struct Part: Equatable, Sendable {
        let size: String
        let name: String
    }

    /// The smallest part that is shown to lose no more than ``tolerance``; nil where there is none.
    let enough: Part?
    /// What runs are too few for, as a phrase without a full stop; nil where at least one case has enough runs.
    let shortage: String?
    /// What to do about ``shortage``, as a phrase without a full stop; nil where all planned runs are not finished, or none are
    /// missing.
    let remedy: String?
    /// The answer in a sentence, and the loss of each size in another; none where nothing can be compared with the whole set.
    let sentences: [String]
    /// The largest loss that counts as little, in percentage points: 1, or the margin of equality if that is wider. Of several
    /// margins the narrowest counts, so that one case's cannot loosen the claim for the others.
    let tolerance: Double

    /// Sizes whose loss is told.
    private static let sizes = 8

    init(_ section: ReportSection) {
        tolerance = max(1, section.experiments.filter { !$0.selection.isWhole }.map(\.equalWithin).min() ?? 1)
        let tests = section.tests[.full] ?? 1
        let cases = section.smallerCases.filter { $0.summary.comparisons[.full]?.isDecidable == true }
        let sound = cases.filter { section.hasEnoughRuns($0, .full) }
        guard let whole = section.whole, !cases.isEmpty else {
            (enough, shortage, remedy, sentences) = (nil, nil, nil, [])
            return
        }
        guard !sound.isEmpty else {
            let needed = Comparison.fewestPairs(tests: tests)
            let text = Self.shortage(cases, tests: tests, needed: needed)
            (enough, shortage) = (nil, text)
            remedy =
                section.isFinished
                ? "add them with \(StudyResults.command(section.command, runs: needed)); a decision may need more" : nil
            sentences = ["Too few runs for an answer: \(text)\(remedy.map { " (\($0))" } ?? "")."]
            return
        }
        (shortage, remedy) = (nil, nil)
        var intervals = SimultaneousIntervals(tests: tests)
        let losses = sound.compactMap { entry -> Loss? in
            guard let comparison = entry.summary.comparisons[.full], let difference = comparison.difference,
                let interval = intervals.interval(of: comparison)
            else { return nil }
            return Loss(
                entry: entry, whole: whole, difference: difference, interval: interval, pairs: comparison.pairs)
        }
        let least = -tolerance
        let enoughLosses = losses.filter { $0.interval.low >= least }
        let fewest = enoughLosses.map(\.entry.kept).min()
        let smallest = Self.chosen(enoughLosses.filter { $0.entry.kept == fewest })
        enough = smallest.map { Part(size: Wording.size($0.entry.kept), name: $0.entry.name) }
        let together = tests > 1 ? " over all \(Number.grouped(Double(tests))) comparisons" : ""
        let limit =
            "lose at most \(Self.points(tolerance)) against the whole set, at 95% confidence\(together)"
            + " (over repeated training, on this test set)"
        let answer: String
        if let smallest {
            answer =
                "The smallest part that is shown to \(limit), is \(smallest.size): \(smallest.text) on average, over"
                + " \(Wording.counted(smallest.pairs, "paired run"))."
        } else {
            answer = "No part that was tried is shown to \(limit)."
        }
        sentences = [answer] + Self.bySize(losses, whole.units)
    }

    /// A case's mean difference from the whole set and its interval among all cases.
    private struct Loss {
        let entry: ReportCase
        let whole: ReportCase
        let difference: Double
        let interval: Interval
        let pairs: Int

        /// "5,000 of 10,000 samples (50%, random)".
        var size: String {
            let total = Wording.size(whole.kept)
            return "\(Wording.size(entry.kept)) of \(total) \(whole.units) (\(share), \(entry.name))"
        }

        var id: Int { entry.summary.experiment.id }

        /// The kept part of the whole set.
        var share: String { "\(Number.significant(100 * entry.kept / max(1, whole.kept)))%" }

        /// "1.88 points lower (1.49 to 2.27)".
        var text: String {
            let mean = "\(Number.fixed(difference.magnitude, 2)) points \(difference < 0 ? "lower" : "higher")"
            // Equal differences have no spread, but for the rounding of their mean.
            if interval.high - interval.low < 1e-9 { return "\(mean) (the same in every run)" }
            let (near, far) = difference < 0 ? (interval.high, interval.low) : (interval.low, interval.high)
            let range =
                interval.low < 0 && interval.high > 0
                ? "\(Self.told(near)) to \(Self.told(far))"
                : "\(Number.fixed(near.magnitude, 2)) to \(Number.fixed(far.magnitude, 2))"
            return "\(mean) (\(range))"
        }

        private static func told(_ end: Double) -> String {
            "\(Number.fixed(end.magnitude, 2)) \(end < 0 ? "lower" : "higher")"
        }
    }

    /// The case that speaks for those of its size: random samples, unless the tests say that another selection is better
    /// than they are, since the best of many means would be a matter of luck. Without random samples the best mean.
    private static func chosen(_ group: [Loss]) -> Loss? {
        let random = group.first { $0.entry.summary.experiment.selection.isRandom }
        let better = group.filter { $0.entry.summary.comparisons[.random]?.verdict == .better }
        let rivals = better.isEmpty && random == nil ? group : better
        return rivals.max { ($0.difference, $1.id) < ($1.difference, $0.id) } ?? random
    }

    /// The loss of each size, the largest first. A size whose random samples cannot be compared has its best mean, which says
    /// so.
    private static func bySize(_ losses: [Loss], _ units: String) -> [String] {
        let groups = Dictionary(grouping: losses) { $0.entry.summary.experiment.size }
        let shown = groups.values.compactMap { group -> (loss: Loss, hasRandom: Bool, mark: String)? in
            let hasRandom = group.contains { $0.entry.summary.experiment.selection.isRandom }
            let mark = !hasRandom && group.count > 1 ? "; highest mean of \(group.count)" : ""
            return chosen(group).map { ($0, hasRandom, mark) }
        }.sorted { (-$0.loss.entry.kept, $0.loss.id) < (-$1.loss.entry.kept, $1.loss.id) }
        guard !shown.isEmpty else { return [] }
        let hasRandom = shown.contains(where: \.hasRandom)
        let items = shown.prefix(sizes).map { loss, _, mark in
            "\(Wording.size(loss.entry.kept)) \(units) (\(loss.share), \(loss.entry.name)\(mark)) \(loss.text)"
        }
        let rest = shown.count - items.count
        return [
            "By size, with \(hasRandom ? "random samples unless another selection is shown to be better" : "the selection of the highest mean"): "
                + items.joined(separator: "; ")
                + (rest > 0 ? "; \(Wording.counted(rest, "smaller size")) in the table" : "")
                + "."
        ]
    }

    private static func shortage(_ cases: [ReportCase], tests: Int, needed: Int) -> String {
        let pairs = cases.compactMap { $0.summary.comparisons[.full]?.pairs }
        let (least, most) = (pairs.min() ?? 0, pairs.max() ?? 0)
        return "\(least < most ? "at most " : "")\(Wording.counted(most, "run")) per case, and"
            + " \(Wording.counted(tests, "comparison")) \(tests == 1 ? "needs" : "need") at least \(needed)"
    }

    private static func points(_ value: Double) -> String { "\(Number.exact(value)) point\(value == 1 ? "" : "s")" }
}

extension ReportSection {
    /// Cases with a comparison that need less than the whole set. Those that take other samples every epoch need all of it.
    var smallerCases: [ReportCase] {
        guard let whole else { return [] }
        return cases.filter {
            !$0.isWhole && !$0.summary.experiment.selection.resamples && $0.kept < whole.kept
                && $0.summary.comparisons[.full] != nil
        }
    }

    /// The fewest paired runs that could call a case of the study better or worse than the baseline by themselves: those
    /// that Holm's first step takes. Its later steps, for cases whose p-values are not the smallest, take fewer.
    func fewestPairs(_ baseline: Baseline) -> Int { Comparison.fewestPairs(tests: tests[baseline] ?? 1) }

    /// Whether a comparison has as many runs as ``fewestPairs(_:)``, or is called better or worse with fewer. Any other
    /// comparison with fewer could hardly have another verdict than "equal", which is no finding then.
    func hasEnoughRuns(_ entry: ReportCase, _ baseline: Baseline) -> Bool {
        guard let comparison = entry.summary.comparisons[baseline] else { return false }
        return [.better, .worse].contains(comparison.verdict) || comparison.pairs >= fewestPairs(baseline)
    }
}
