import Networks
import Pruning
import Support

/// A plan and the runs of it that are finished.
package struct StudyResults: Sendable {
    /// The plan.
    package let plan: StudyPlan
    /// The finished runs, by experiment and run.
    package let records: [RunRecord]
    /// A summary of every experiment with a finished run, whatever its method, in the experiments' order.
    package let summaries: [CaseSummary]
    /// The arguments of the latest `coppice run`, as a shell takes them; nil if they are not known.
    package var command: String?

    /// `command` with so many runs, without a shard, and with its report; with a placeholder for the study if it is not known.
    package static func command(_ command: String?, runs: Int) -> String {
        var words = command.flatMap(Shell.words) ?? []
        if words.first != "run" || words.count < 2 { words = ["run", "STUDY"] }
        for option in ["--runs", "--shard"] {
            words.removeAll { $0.hasPrefix(option + "=") }
            while let place = words.firstIndex(of: option) {
                words.removeSubrange(place..<min(place + 2, words.count))
            }
        }
        words.removeAll { ["--no-report", "--quiet", "--json"].contains($0) }
        return "coppice " + Shell.command(words + ["--runs", "\(runs)"])
    }

    /// Results, put in order and summed up.
    package init(plan: StudyPlan, records: [RunRecord]) {
        self.plan = plan
        self.records = records.sorted { ($0.experimentID, $0.runID) < ($1.experimentID, $1.runID) }
        summaries = CaseSummary.all(plan, Dictionary(grouping: self.records, by: \.experimentID))
    }
}

/// What an experiment's finished runs come to.
package struct CaseSummary: Sendable {
    /// The experiment.
    package let experiment: Experiment
    /// Its finished runs, by number.
    package let records: [RunRecord]
    /// The 95% bootstrap interval of the median accuracy, in percent; nil below two runs that did not diverge.
    package let medianInterval: Interval?
    /// Against the whole set and against as many random samples, where the study has such a case with the same settings.
    package fileprivate(set) var comparisons: [Baseline: Comparison] = [:]

    /// How many of the finished runs diverged. They have no accuracy; every statistic is of the others.
    package var divergedCount: Int { records.count { $0.diverged != nil } }
    /// Accuracies in percent, of the runs that did not diverge.
    package var accuracies: [Double] { records.compactMap(\.accuracy) }
    /// Seconds a run, of the runs that did not diverge.
    package var times: [Double] { records.filter { $0.diverged == nil }.map(\.time) }
    /// Kept samples a run; the article's quota may keep different numbers by different clusterings.
    package var keptSizes: [Double] { records.map { Double($0.kept) } }

    /// Summaries of all experiments with finished runs.
    static func all(_ plan: StudyPlan, _ records: [Int: [RunRecord]]) -> [CaseSummary] {
        struct Sample: Hashable {
            let count: Int
            let seed: UInt64
        }
        var bootstraps: [Sample: MedianBootstrap] = [:]
        var summaries = plan.experiments.compactMap { experiment -> CaseSummary? in
            guard let records = records[experiment.id] else { return nil }
            let accuracies = records.compactMap(\.accuracy)
            guard accuracies.count > 1 else {
                return CaseSummary(experiment: experiment, records: records, medianInterval: nil)
            }
            let sample = Sample(count: accuracies.count, seed: experiment.seed)
            let bootstrap = bootstraps[sample] ?? MedianBootstrap(count: sample.count, seed: sample.seed)
            bootstraps[sample] = bootstrap
            return CaseSummary(
                experiment: experiment, records: records,
                medianInterval: bootstrap.interval(of: accuracies))
        }
        for baseline in Baseline.allCases { compare(&summaries, with: baseline) }
        return summaries
    }

    /// Fills in the comparisons with one baseline; they are corrected together.
    private static func compare(_ summaries: inout [CaseSummary], with baseline: Baseline) {
        var baselines: [BaselineKey: CaseSummary] = [:]
        for summary in summaries {
            guard let key = BaselineKey(offeredBy: summary.experiment, as: baseline) else { continue }
            // Of equal cases the first serves.
            if baselines[key] == nil { baselines[key] = summary }
        }
        var differences: [(index: Int, paired: PairedDifferences)] = []
        var diverged: [(index: Int, other: CaseSummary)] = []
        for (index, summary) in summaries.enumerated() {
            let keys = BaselineKey.wanted(by: summary.experiment, of: baseline)
            guard let other = keys.lazy.compactMap({ baselines[$0] }).first else { continue }
            if summary.divergedCount + other.divergedCount > 0 { diverged.append((index, other)) }
            if let paired = PairedDifferences(summary.records, against: other.records, baseline: baseline) {
                differences.append((index, paired))
            }
        }
        let corrected = holm(differences.map(\.paired.test.p))
        var quantiles = QuantileCache()
        for ((index, paired), pHolm) in zip(differences, corrected) {
            summaries[index].comparisons[baseline] = paired.comparison(
                pHolm: pHolm, tests: differences.count,
                equalWithin: summaries[index].experiment.equalWithin, quantiles: &quantiles)
        }
        for (index, other) in diverged {
            let comparison = summaries[index].comparisons[baseline]
            summaries[index].comparisons[baseline] = Comparison(
                comparison, baseline: baseline, baselineID: other.experiment.id,
                verdict: summaries[index].divergedCount > 0 ? .diverged : .notDecided,
                isBaselineDiverged: other.divergedCount > 0)
        }
    }
}

/// What a case and its baseline must share for their runs to pair.
private struct BaselineKey: Hashable {
    let pairing: Pairing
    /// The requested size; nil for the whole set.
    var size: Int?
    /// How random samples are balanced; nil for the whole set.
    var balance: Balance?
    /// The baseline's dynamic pruning; nil without it.
    var dynamic: DynamicPruning?

    /// The key that an experiment answers to as a baseline; nil where it is none.
    init?(offeredBy experiment: Experiment, as baseline: Baseline) {
        pairing = experiment.pairing
        dynamic = experiment.recipe.dynamic
        switch baseline {
        case .full: if !experiment.selection.isWhole { return nil }
        case .random:
            if !experiment.selection.isRandom { return nil }
            size = experiment.size
            balance = experiment.selection.balance
        }
    }

    private init(_ experiment: Experiment, balance: Balance, _ dynamic: DynamicPruning?) {
        pairing = experiment.pairing
        self.dynamic = dynamic
        size = experiment.size
        self.balance = balance
    }

    private init(whole experiment: Experiment, _ dynamic: DynamicPruning?) {
        pairing = experiment.pairing
        self.dynamic = dynamic
    }

    /// The keys that a case looks for, in order of preference: random samples with the case's balance, then with any.
    /// Balanced random samples are compared with plain ones, and plain ones with none. For a case with dynamic pruning,
    /// the whole set without it comes before the whole set with it. Random samples must be trained as the case is;
    /// those with dynamic pruning are compared with those without.
    static func wanted(by experiment: Experiment, of baseline: Baseline) -> [BaselineKey] {
        let selection = experiment.selection
        let dynamic = experiment.recipe.dynamic
        switch baseline {
        case .full:
            let plain = BaselineKey(whole: experiment, nil)
            if selection.isWhole { return dynamic == nil ? [] : [plain] }
            return [plain] + (dynamic == nil ? [] : [BaselineKey(whole: experiment, dynamic)])
        case .random:
            if selection.isWhole { return [] }
            if selection.isRandom {
                let plain = dynamic == nil ? [] : [BaselineKey(experiment, balance: selection.balance, nil)]
                return plain + (selection.balance == .none ? [] : [BaselineKey(experiment, balance: .none, dynamic)])
            }
            return ([selection.balance] + Balance.allCases).map { BaselineKey(experiment, balance: $0, dynamic) }
        }
    }

    /// True if a study should have such a baseline for this experiment. It need not for a baseline that leaves samples
    /// out of epochs: a study that does so in every case compares them like any other.
    static func isMissed(by experiment: Experiment, _ baseline: Baseline) -> Bool {
        let isBaseline = baseline == .full ? experiment.selection.isWhole : experiment.selection.isRandom
        return !(isBaseline && experiment.recipe.dynamic != nil) && !wanted(by: experiment, of: baseline).isEmpty
    }
}

extension Selection {
    /// Whether other cases are compared with cases of this selection.
    fileprivate var isBaseline: Bool { isWhole || isRandom }
}

extension StudyResults {
    /// What a reader must know to read the intervals and tests, as sentences: what so few runs cannot show, what the
    /// intervals leave out, where fewer samples were kept than were asked for, and which baselines are missing.
    package var comparisonNotes: [String] {
        [divergedNote, unmovedNote].compactMap { $0 } + Baseline.allCases.compactMap(powerNote)
            + [sharedClusteringsNote, sharedScoresNote, keptNote, tunedNote].compactMap { $0 } + missingNotes
    }

    private var divergedNote: String? {
        let cases = summaries.filter { $0.divergedCount > 0 }
        guard !cases.isEmpty else { return nil }
        var note =
            "\(Self.runs(cases) { $0.diverged != nil }) diverged (\(Self.rates(cases))): a loss or a weight was no longer"
            + " finite, so they have no accuracy; all figures are of the other runs, and no case with such"
            + " a run is called better or equal"
        if cases.contains(where: { $0.experiment.selection.isBaseline }),
            summaries.contains(where: { $0.comparisons.values.contains(where: \.isBaselineDiverged) })
        {
            note += "; nothing is decided against a baseline with such a run"
        }
        return note
    }

    private var unmovedNote: String? {
        let cases = summaries.filter { $0.records.contains(where: \.isUnmoved) }
        guard !cases.isEmpty else { return nil }
        return "\(Self.runs(cases, where: \.isUnmoved)) moved fewer than one in a hundred of the network's weights"
            + " (\(Self.rates(cases))): the steps are too small for float32, and these networks are as good as untrained"
    }

    /// "3 runs of 2 cases".
    private static func runs(_ cases: [CaseSummary], where isCounted: (RunRecord) -> Bool) -> String {
        let runs = cases.reduce(0) { $0 + $1.records.count(where: isCounted) }
        return "\(runs == 1 ? "one run" : "\(runs) runs") of \(cases.count == 1 ? "one case" : "\(cases.count) cases")"
    }

    /// The learning rates of `cases` in words.
    private static func rates(_ cases: [CaseSummary]) -> String {
        let rates = Set(cases.map(\.experiment.recipe.learningRate)).sorted().map(shortest)
        let shown = rates.count <= 3 ? rates.joined(separator: ", ") : "\(rates[0]) to \(rates[rates.count - 1])"
        return rates.count == 1 ? "learning rate \(shown)" : "learning rates \(shown)"
    }

    private func powerNote(_ baseline: Baseline) -> String? {
        let comparisons = summaries.compactMap { $0.comparisons[baseline] }
        guard let most = comparisons.filter(\.isDecidable).map(\.pairs).max() else { return nil }
        // Holm's correction counts every p-value, those of cases with a diverged run too.
        return Self.powerNote(baseline, most: most, tests: comparisons.count { $0.p != nil })
    }

    /// What comparisons with a baseline cannot show, as a sentence; nil where they are enough.
    /// - Parameters:
    ///   - most: the most pairs of runs of a comparison.
    ///   - tests: how many comparisons there are.
    fileprivate static func powerNote(_ baseline: Baseline, most: Int, tests: Int) -> String? {
        let needed = Comparison.fewestPairs(tests: tests)
        guard most < needed else { return nil }
        let p = WilcoxonSignedRank.leastP(count: most)
        let runs = most == 1 ? "one run" : "\(most) runs"
        let one = Comparison.fewestPairs(tests: 1)
        var note =
            "against \(baseline.phrase): \(runs) cannot give a p-value below \(shortest((p * 1e6).rounded() / 1e6))"
        if tests > 1 {
            note +=
                " (\(shortest((min(1, p * Double(tests)) * 1e6).rounded() / 1e6)) after Holm's correction over \(tests) comparisons)"
        }
        note += ", so that no case can be called better or worse; "
        note += needed == one ? "\(needed) runs could" : "\(needed) runs could (\(one) for a single comparison)"
        return note
    }

    private var sharedClusteringsNote: String? {
        let sharing = summaries.filter {
            let experiment = $0.experiment
            return experiment.takesClusteringSeeds && experiment.clusteringSeeds < experiment.runs
        }
        guard !sharing.isEmpty else { return nil }
        let most = sharing.map(\.experiment.clusteringSeeds).max() ?? 1
        let shared = [
            sharing.contains { $0.experiment.clustering != nil } ? "clustering" : nil,
            sharing.contains { $0.experiment.embedding?.epochs != nil } ? "embedding" : nil,
        ].compactMap { $0 }
        let count =
            most == 1
            ? "one \(shared.joined(separator: " and "))"
            : "\(most) \(shared.map { "\($0)s" }.joined(separator: " and ")) at most"
        return
            "runs share \(count) (clustering_seeds): the intervals"
            + " of \(sharing.count == 1 ? "that case" : "those \(sharing.count) cases") leave out how much the selection would"
            + " vary with the \(shared.joined(separator: " and "))"
    }

    private var sharedScoresNote: String? {
        let sharing = summaries.compactMap { summary in
            summary.experiment.scoreSeeds.flatMap { $0 < summary.experiment.runs ? $0 : nil }
        }
        guard let most = sharing.max() else { return nil }
        return
            "runs share \(most == 1 ? "one set" : "\(most) sets at most") of score networks or of a score's random numbers"
            + " (score_seeds): the intervals of"
            + " \(sharing.count == 1 ? "that case" : "those \(sharing.count) cases")"
            + " leave out how much the selection would vary with them"
    }

    private var keptNote: String? {
        let articles = summaries.filter { $0.experiment.selection.quota == .article }
        let short = articles.filter { $0.records.contains { $0.kept < $0.requested } }
        guard !short.isEmpty else { return nil }
        return
            "\(short.count == 1 ? "one case" : "\(short.count) cases") kept fewer samples than requested, as quota article does;"
            + " the random case of the same size kept them all"
    }

    private var tunedNote: String? {
        let cases = summaries.compactMap { summary in
            summary.records.lazy.compactMap(\.tuned).first.map { (summary.experiment.id, $0) }
        }
        guard !cases.isEmpty else { return nil }
        let shown = cases.prefix(8).map { id, values in
            "experiment \(id): "
                + values.sorted { $0.key < $1.key }.map { "\($0) \(shortest($1))" }.joined(separator: ", ")
        }
        return "tuned on the validation split, not on the test set: " + shown.joined(separator: "; ")
            + (cases.count > shown.count ? "; and \(cases.count - shown.count) more (tuned in runs.jsonl)" : "")
    }

    private var missingNotes: [String] {
        Baseline.allCases.compactMap { baseline in
            let alone = summaries.filter {
                $0.comparisons[baseline] == nil && BaselineKey.isMissed(by: $0.experiment, baseline)
            }
            guard !alone.isEmpty else { return nil }
            return
                "\(alone.count == 1 ? "one case has" : "\(alone.count) cases have") no finished run of \(baseline.phrase) with the same settings to compare with"
        }
    }
}

extension StudyPlan {
    /// What so few runs will not show, as sentences: those of ``StudyResults/comparisonNotes`` once all runs are finished and
    /// none diverged.
    package var comparisonNotes: [String] {
        Baseline.allCases.compactMap { baseline in
            var baselines: [BaselineKey: Experiment] = [:]
            for experiment in experiments {
                guard let key = BaselineKey(offeredBy: experiment, as: baseline), baselines[key] == nil else {
                    continue
                }
                baselines[key] = experiment
            }
            let pairs = experiments.compactMap { experiment in
                BaselineKey.wanted(by: experiment, of: baseline).lazy.compactMap { baselines[$0] }.first
                    .map { min($0.runs, experiment.runs) }
            }
            return pairs.max().flatMap { StudyResults.powerNote(baseline, most: $0, tests: pairs.count) }
        }
    }
}

extension Baseline {
    /// As words in a sentence.
    package var phrase: String {
        switch self {
        case .full: "the whole set"
        case .random: "random samples of the same size"
        }
    }
}
