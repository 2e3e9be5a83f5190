import Pruning
import Studies

/// A case of a report: what an experiment's finished runs come to, under a name that tells it from its neighbours.
struct ReportCase: Sendable {
    let summary: CaseSummary
    /// What is kept and by which clustering, without what all cases of the section share, and without the size.
    let name: String
    /// The line that the case is a point of.
    let arm: Arm
    /// The median accuracy in percent, of the runs that did not diverge; 0 where all did, and the case is not pictured.
    let accuracy: Double
    /// The median of the kept sizes.
    let kept: Double
    /// The median of the seconds of the runs that did not diverge: selection, training and test.
    let seconds: Double

    /// The median of the training steps of the runs that did not diverge, of the networks that were tested alone.
    var steps: Double {
        let recipe = summary.experiment.recipe
        let runs = summary.records.filter { $0.diverged == nil }
        return Statistics.median(runs.map { Double($0.steps ?? recipe.steps(kept: $0.kept)) }) ?? 0
    }

    /// True for the whole set, unless its epochs leave samples out and those of other cases in the section do not.
    var isWhole: Bool { summary.experiment.selection.isWhole && arm.dynamic == nil }
    /// What its samples are called, several of them: "images" or "samples".
    var units: String { summary.experiment.unit + "s" }
    /// The name with the size.
    var label: String { "\(name), \(Wording.size(kept))" }
}

/// What cases of different sizes have in common.
struct Arm: Hashable, Sendable {
    let selection: Selection
    let clustering: ClusteringRecipe?
    /// How many clusterings its runs share, where that alone tells it from another.
    let clusterings: String?
    /// The settings of its scores, or of its draw, where they tell it from another.
    let settings: String?
    /// Its dynamic pruning, if not all cases of the section have the same.
    let dynamic: String?

    init(_ experiment: Experiment, _ names: CaseNames) {
        selection = experiment.selection
        clustering = experiment.clustering
        clusterings = names.clusterings(experiment)
        settings = names.settings(experiment)
        dynamic = names.dynamic(experiment)
    }

    /// What has a colour and a mark of its own: the selection, whatever the ratio of a hybrid and the kind of clustering.
    var method: String { name(selection.kind) }
    /// The selection and its settings, as a legend has them.
    var name: String { name(selection.name) }
    /// Whether it is what others are compared with: the whole set, and random sets.
    var isBaseline: Bool { dynamic == nil && (selection.isWhole || selection.isRandom) }

    private func name(_ selection: String) -> String {
        let name = Wording.method(selection, needsWholeSet: self.selection.resamples)
        return ([name] + [settings, dynamic].compactMap(\.self)).joined(separator: ", ")
    }

    /// The clustering, quota and balance that arms of several selections share; nil without clusters.
    var family: Family? {
        clustering.map { Family(clustering: $0, quota: selection.quota, balance: selection.balance) }
    }

    struct Family: Hashable, Sendable {
        let clustering: ClusteringRecipe
        let quota: Quota
        let balance: Balance
    }
}

/// The cases of a study that may be compared with each other: one data set, trained alike.
struct ReportSection: Sendable {
    /// What every case of the section has in common.
    let key: Pairing
    /// The data set, the duration, and what else tells the section from the study's others.
    let title: String
    let experiments: [Experiment]
    /// Cases with a finished run, in the experiments' order.
    let cases: [ReportCase]
    let finishedRuns: Int
    /// How the methods of the whole report are drawn.
    let marks: Marks
    /// How many p-values of the whole study are corrected together, of the comparisons with each baseline.
    let tests: [Baseline: Int]
    /// ``StudyResults/command``.
    let command: String?

    var plannedRuns: Int { experiments.reduce(0) { $0 + $1.runs } }
    var isFinished: Bool { finishedRuns == plannedRuns }
    /// The section with only those cases that have a median accuracy, for the pictures.
    var pictured: ReportSection {
        ReportSection(
            key: key, title: title, experiments: experiments, cases: cases.filter { !$0.summary.accuracies.isEmpty },
            finishedRuns: finishedRuns, marks: marks, tests: tests, command: command)
    }

    /// The lines that the cases are points of, in the cases' order.
    var arms: [Arm] {
        var seen: Set<Arm> = []
        return cases.map(\.arm).filter { seen.insert($0).inserted }
    }

    /// The whole set's case, where it has a finished run.
    var whole: ReportCase? { cases.first { $0.isWhole } }

    /// A study's sections in the order of their first experiments.
    static func sections(of results: StudyResults) -> [ReportSection] {
        var order: [Pairing] = []
        var experiments: [Pairing: [Experiment]] = [:]
        for experiment in results.plan.experiments {
            let key = experiment.pairing
            if experiments[key] == nil { order.append(key) }
            experiments[key, default: []].append(experiment)
        }
        let summaries = Dictionary(
            results.summaries.map { ($0.experiment.id, $0) }, uniquingKeysWith: { first, _ in first })
        let names = order.map { CaseNames(experiments[$0] ?? []) }
        // Finished or not, so that a method keeps its mark while a study goes on.
        let marks = Marks(
            zip(order, names).flatMap { key, names in
                (experiments[key] ?? []).map { Arm($0, names).method }
            })
        let tests = Dictionary(
            uniqueKeysWithValues: Baseline.allCases.map { baseline in
                (baseline, results.summaries.count { $0.comparisons[baseline]?.p != nil })
            })
        return zip(order, names).map { key, names in
            let members = experiments[key] ?? []
            let cases = members.compactMap { experiment in
                summaries[experiment.id].map { summary in
                    ReportCase(
                        summary: summary, name: names.name(experiment), arm: Arm(experiment, names),
                        accuracy: Statistics.median(summary.accuracies) ?? 0,
                        kept: Statistics.median(summary.keptSizes) ?? 0,
                        seconds: Statistics.median(summary.times) ?? 0)
                }
            }
            let dynamic =
                Set(members.map(\.recipe.dynamic)).count == 1 ? members.first?.recipe.dynamicText : nil
            return ReportSection(
                key: key, title: title(key, among: order) + (dynamic.map { ", \($0)" } ?? ""), experiments: members,
                cases: cases,
                finishedRuns: cases.reduce(0) { $0 + $1.summary.records.count }, marks: marks, tests: tests,
                command: results.command)
        }
    }

    /// A title that distinguishes a section from the others.
    static func title(_ key: Pairing, among keys: [Pairing]) -> String {
        var words = [key.recipe.trainingSet.title, duration(key.recipe.duration)]
        if Set(keys.map(\.recipe.model)).count > 1 { words.append(key.recipe.model.name) }
        if Set(keys.map(\.recipe.batchSize)).count > 1 { words.append("batches of \(key.recipe.batchSize)") }
        if Set(keys.map(\.recipe.learningRate)).count > 1 {
            words.append("learning rate \(Number.exact(key.recipe.learningRate))")
        }
        // What is not as in the article's trainings is told of a study's only section too.
        func add<Value: Hashable>(_ value: (TrainingRecipe) -> Value, _ text: String) {
            if Set(keys.map { value($0.recipe) } + [value(TrainingRecipe())]).count > 1 { words.append(text) }
        }
        add(\.optimizer, key.recipe.optimizerText)
        add(\.schedule, key.recipe.scheduleText)
        add(\.augment, key.recipe.augmentText)
        if Set(keys.map(\.seed)).count > 1 { words.append("seed \(key.seed)") }
        return words.joined(separator: ", ")
    }

    static func duration(_ duration: TrainingDuration) -> String {
        switch duration {
        case .epochs(let epochs): Wording.counted(epochs, "epoch")
        case .steps(let steps): Wording.counted(steps, "step")
        }
    }
}
