import Studies

/// What a section's comparisons come to, in words: never more than the verdicts say.
struct Headline: Equatable, Sendable {
    /// One line, without a full stop.
    let title: String
    /// The sentences below it.
    let sentences: [String]

    /// The headline of `section`.
    init(_ section: ReportSection) {
        let answer = Answer(section)
        let tally = Tally(section, tolerance: answer.tolerance)
        let sofar = section.isFinished ? "" : "So far: "
        var sentences: [String] = []
        if !section.isFinished {
            sentences.append(
                "\(Number.grouped(Double(section.finishedRuns))) of \(Wording.counted(section.plannedRuns, "run")) are"
                    + " finished; what follows may change with the rest.")
        }
        let line = Self.title(section, tally, answer)
        title = sofar + line
        sentences += Self.diverged(section)
        if let shortage = answer.shortage, line.hasSuffix(shortage) {
            // The title has said it.
            if let remedy = answer.remedy { sentences.append("\(Wording.sentence(remedy)).") }
        } else {
            sentences += answer.sentences
        }
        sentences += Self.smallest(section, tally)
        sentences += Self.againstWhole(section, tally)
        sentences += Self.againstRandom(section)
        self.sentences = sentences
    }

    /// Cases by their verdict against a baseline. Those that are equal by fewer runs than a verdict of better or worse takes
    /// are set apart: they are not decided.
    private struct Tally {
        var byVerdict: [Verdict: [ReportCase]] = [:]
        var count = 0
        /// Cases that the table calls equal, of too few runs.
        var hasty: [ReportCase] = []
        /// Cases that are equal among all comparisons, with their simultaneous intervals, by experiment: these lie within
        /// the margin, as those of the tables need not.
        var confirmed: [Int: Interval] = [:]
        /// How many comparisons the intervals hold for together.
        var tests = 1

        /// Cases that need less than the whole set, against it.
        /// - Parameter tolerance: the largest margin that confirms an equality, in percentage points.
        init(_ section: ReportSection, tolerance: Double) {
            self.init(section, section.smallerCases, .full)
            tests = section.tests[.full] ?? 1
            var intervals = SimultaneousIntervals(tests: tests)
            for entry in cases(.equal) {
                let experiment = entry.summary.experiment
                let margin = min(experiment.equalWithin, tolerance)
                if let comparison = entry.summary.comparisons[.full],
                    let interval = intervals.interval(of: comparison), interval.low >= -margin,
                    interval.high <= margin
                {
                    confirmed[experiment.id] = interval
                }
            }
        }

        init(_ section: ReportSection, _ cases: [ReportCase], _ baseline: Baseline) {
            for entry in cases {
                guard let comparison = entry.summary.comparisons[baseline] else { continue }
                count += 1
                if comparison.verdict == .equal, !section.hasEnoughRuns(entry, baseline) {
                    hasty.append(entry)
                } else {
                    byVerdict[comparison.verdict, default: []].append(entry)
                }
            }
        }

        /// How many cases have each verdict, those with none left out.
        var counts: String {
            let order: [Verdict] = [.better, .equal, .worse, .notDecided, .diverged]
            return Wording.list(
                order.compactMap { verdict in
                    let count = cases(verdict).count + (verdict == .notDecided ? hasty.count : 0)
                    return count > 0 ? "\(Number.grouped(Double(count))) \(verdict.rawValue)" : nil
                })
                + (hasty.isEmpty
                    ? ""
                    : " (the tables call \(Number.grouped(Double(hasty.count))) equal, but from too few runs)")
        }

        func cases(_ verdict: Verdict) -> [ReportCase] { byVerdict[verdict] ?? [] }

        /// Cases that are equal by their own intervals, and not by those for all comparisons together.
        var unconfirmed: Int { cases(.equal).count - confirmed.count }

        /// Of the cases that are better, or equal among all comparisons, the one that keeps least; of several, the most accurate.
        var smallest: ReportCase? {
            (cases(.equal).filter { confirmed[$0.summary.experiment.id] != nil } + cases(.better)).min {
                ($0.kept, -$0.accuracy, $0.summary.experiment.id) < ($1.kept, -$1.accuracy, $1.summary.experiment.id)
            }
        }
    }

    // MARK: - The line

    private static func title(_ section: ReportSection, _ tally: Tally, _ answer: Answer) -> String {
        if section.cases.isEmpty { return "No run is finished yet" }
        guard let whole = section.whole else {
            return section.experiments.contains { $0.selection.isWhole }
                ? "No run on the whole set is finished, so nothing can be compared with it yet"
                : "Without a run on the whole set, the study cannot say what pruning costs"
        }
        guard tally.count > 0 else {
            return section.cases.contains { !$0.isWhole }
                ? "No case shares its runs with the whole set, so nothing can be compared with it"
                : "Only the whole set has been run"
        }
        if let smallest = tally.smallest {
            let verdict = smallest.summary.comparisons[.full]?.verdict == .better ? "better than" : "equal to"
            return "\(Wording.size(smallest.kept)) of \(Wording.size(whole.kept)) \(whole.units) (\(smallest.name)) are"
                + " \(verdict) the whole set"
        }
        if let part = answer.enough {
            return "\(part.size) of \(Wording.size(whole.kept)) \(whole.units) (\(part.name)) lose at most"
                + " \(Number.exact(answer.tolerance)) point\(answer.tolerance == 1 ? "" : "s") against the whole set"
        }
        if whole.summary.divergedCount > 0 {
            return "Runs on the whole set diverged, so nothing can be compared with it"
        }
        let diverged = tally.cases(.diverged).count
        if diverged == tally.count { return "Every smaller set that was tried had a run that diverged" }
        if let shortage = answer.shortage { return "Too few runs for an answer: \(shortage)" }
        let undecided = tally.cases(.notDecided).count + tally.hasty.count + tally.unconfirmed
        if diverged > 0 {
            return "No smaller set is shown to be as good as the whole;"
                + " \(Number.grouped(Double(diverged))) of \(Wording.counted(tally.count, "case")) had a run that diverged"
        }
        if undecided == 0 { return "Every smaller set that was tried is worse than the whole" }
        if undecided == tally.count { return "Not decided: these runs do not tell any smaller set from the whole" }
        return "No smaller set is shown to be as good as the whole;"
            + " \(Number.grouped(Double(undecided))) of \(Wording.counted(tally.count, "case")) \(undecided == 1 ? "is" : "are") not decided"
    }

    // MARK: - The sentences

    private static func diverged(_ section: ReportSection) -> [String] {
        let cases = section.cases.filter { $0.summary.divergedCount > 0 }
        guard !cases.isEmpty else { return [] }
        let runs = cases.reduce(0) { $0 + $1.summary.divergedCount }
        return [
            "\(Wording.counted(runs, "run")) of \(Wording.counted(cases.count, "case")) diverged"
                + " (\(Wording.list(cases.map(\.label).map { "\u{201C}\($0)\u{201D}" }, atMost: 4))): what follows is of the other runs."
        ]
    }

    private static func smallest(_ section: ReportSection, _ tally: Tally) -> [String] {
        guard let smallest = tally.smallest, let comparison = smallest.summary.comparisons[.full] else { return [] }
        var sentences = [
            "\(Wording.sentence(smallest.name)) with \(Wording.size(smallest.kept)) \(smallest.units) differs from the whole set by"
                + " \(Wording.signed(comparison.difference ?? 0)) points on average, \(evidence(smallest, comparison, tally))."
        ]
        if tally.count > 1 {
            sentences.append(
                "It is the smallest such set of the \(tally.count) that were tried, no proof that a smaller one would"
                    + " not do.")
        }
        if comparison.verdict == .equal, let better = tally.cases(.better).min(by: { $0.kept < $1.kept }),
            let proof = better.summary.comparisons[.full]
        {
            sentences.append(
                "The smallest set that is better than the whole has \(Wording.size(better.kept)) \(better.units)"
                    + " (\(better.name)): \(Wording.signed(proof.difference ?? 0)) points, \(evidence(better, proof, tally))."
            )
        }
        return sentences
    }

    /// What a verdict rests on.
    private static func evidence(_ entry: ReportCase, _ comparison: Comparison, _ tally: Tally) -> String {
        let runs = "over \(Wording.counted(comparison.pairs, "paired run"))"
        switch comparison.verdict {
        case .equal:
            let experiment = entry.summary.experiment
            let margin = Number.exact(experiment.equalWithin)
            let all = tally.tests > 1 ? " for all \(Number.grouped(Double(tally.tests))) comparisons together" : ""
            let interval = tally.confirmed[experiment.id].map { "95% interval \(Wording.signed($0))\(all), " } ?? ""
            return "\(interval)inside \u{B1}\(margin), \(runs)"
        case .better, .worse, .notDecided, .diverged:
            let interval = comparison.interval95.map { "95% interval \(Wording.signed($0)), " } ?? ""
            return "\(interval)p \(equals(comparison.pHolm ?? 1)) after Holm's correction, \(runs)"
        }
    }

    private static func equals(_ p: Double) -> String {
        let text = Wording.probability(p)
        return text.hasPrefix("<") ? text : "= \(text)"
    }

    private static func againstWhole(_ section: ReportSection, _ tally: Tally) -> [String] {
        guard tally.count > 0 else { return [] }
        let alone =
            tally.unconfirmed > 0
            ? " (\(Number.grouped(Double(tally.unconfirmed))) equal only where each is judged on its own)" : ""
        var sentences = [
            "Against the whole set, of \(Wording.counted(tally.count, "smaller case")): \(tally.counts)\(alone)."
        ]
        sentences += runsToDecide(tally.cases(.notDecided), .full)
        return sentences
    }

    /// How many runs would decide what is not decided.
    private static func runsToDecide(_ cases: [ReportCase], _ baseline: Baseline) -> [String] {
        // More runs decide nothing against a baseline of which some diverged.
        let cases = cases.filter { $0.summary.comparisons[baseline]?.isBaselineDiverged == false }
        let estimates = cases.compactMap { entry in
            entry.summary.comparisons[baseline]?.runsToDecide.map { (runs: $0, entry: entry) }
        }
        // A single pair has no spread to estimate from.
        let single = cases.count { ($0.summary.comparisons[baseline]?.pairs ?? 0) < 2 }
        let hopeless = cases.count - estimates.count - single
        var sentences: [String] = []
        if let first = estimates.min(by: { $0.runs < $1.runs }), let last = estimates.max(by: { $0.runs < $1.runs }) {
            let runs = "\(Wording.counted(first.runs, "run"))"
            sentences.append(
                estimates.count == 1
                    ? "About \(runs) would decide \(first.entry.label), by an estimate from the spread seen so far."
                    : "By an estimate from the spread seen so far, about \(runs) would decide the first of the undecided"
                        + " cases (\(first.entry.label)), and about \(Number.grouped(Double(last.runs)))"
                        + " \(estimates.count == cases.count ? "all of them" : "\(estimates.count) of the \(cases.count)")."
            )
        }
        if single > 0 {
            sentences.append("How many runs would decide cannot be estimated from a single run.")
        }
        if hopeless > 0 {
            sentences.append(
                estimates.isEmpty && hopeless == 1
                    ? "Not even 10,000 runs would be likely to decide it."
                    : "Not even 10,000 runs would be likely to decide \(hopeless) of them.")
        }
        return sentences
    }

    private static func againstRandom(_ section: ReportSection) -> [String] {
        let tally = Tally(section, section.cases, .random)
        guard tally.count > 0 else { return [] }
        var sentence =
            "Against random sets of the same size, of \(Wording.counted(tally.count, "case")): \(tally.counts)"
        let better = tally.cases(.better)
        if !better.isEmpty {
            sentence += "; better: \(Wording.list(better.map(\.label).map { "\u{201C}\($0)\u{201D}" }, atMost: 4))"
        }
        return [sentence + "."]
    }
}
