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
    /// The median of the seconds of the runs that did not diverge.
    let seconds: Double

    var isWhole: Bool { summary.experiment.method == .none }
    /// The name with the size.
    var label: String { "\(name), \(Wording.size(kept))" }
}

/// What cases of different sizes have in common.
struct Arm: Hashable, Sendable {
    let method: PruningMethod
    let strategy: SelectionStrategy?
    let shares: HybridShares?
    let k: Int?
    let usePCA: Bool?
    let settings: StudySettings
    /// How many clusterings its runs share, where that alone tells it from another.
    let clusterings: String?

    init(_ experiment: Experiment, _ names: CaseNames) {
        method = experiment.method
        strategy = experiment.strategy
        shares = experiment.hybridShares
        k = experiment.k
        usePCA = experiment.usePCA
        var settings = experiment.settings
        // How often a case is run, and how its figures are read, makes it no other case.
        settings.runs = 0
        settings.clusteringSeeds = nil
        settings.equalWithin = 0
        // Nor do settings that it has no use for.
        if method == .none { settings.balance = .none }
        if method != .cluster { (settings.kmeans, settings.quota) = (.minibatch, .exact) }
        if usePCA != true { settings.pcaComponents = 0 }
        self.settings = settings
        clusterings = names.clusterings(experiment)
    }

    /// The clustering and quota that arms of several strategies share; nil without clusters.
    var family: Family? { k.map { Family(k: $0, usePCA: usePCA ?? false, settings: settings) } }

    struct Family: Hashable, Sendable {
        let k: Int
        let usePCA: Bool
        let settings: StudySettings
    }
}

/// The cases of a study that may be compared with each other: one data set, trained alike.
struct ReportSection: Sendable {
    /// What every case of a section has in common.
    struct Key: Hashable, Sendable {
        let dataset: String
        let duration: TrainingDuration
        let batchSize: Int
        let learningRate: Double
        let seed: UInt64

        init(_ settings: StudySettings) {
            dataset = settings.dataset
            duration = settings.duration
            batchSize = settings.batchSize
            learningRate = settings.learningRate
            seed = settings.seed
        }
    }

    let key: Key
    /// The data set, the duration, and what else tells the section from the study's others.
    let title: String
    let experiments: [Experiment]
    /// Cases with a finished run, in the experiments' order.
    let cases: [ReportCase]
    let finishedRuns: Int

    var plannedRuns: Int { experiments.reduce(0) { $0 + $1.settings.runs } }
    var isFinished: Bool { finishedRuns == plannedRuns }
    /// The section with only those cases that have a median accuracy, for the pictures.
    var pictured: ReportSection {
        ReportSection(
            key: key, title: title, experiments: experiments, cases: cases.filter { !$0.summary.accuracies.isEmpty },
            finishedRuns: finishedRuns)
    }

    /// The whole set's case, where it has a finished run.
    var whole: ReportCase? { cases.first { $0.isWhole } }

    /// A study's sections in the order of their first experiments.
    static func sections(of results: StudyResults) -> [ReportSection] {
        var order: [Key] = []
        var experiments: [Key: [Experiment]] = [:]
        for experiment in results.plan.experiments {
            let key = Key(experiment.settings)
            if experiments[key] == nil { order.append(key) }
            experiments[key, default: []].append(experiment)
        }
        let summaries = Dictionary(
            results.summaries.map { ($0.experiment.id, $0) }, uniquingKeysWith: { first, _ in first })
        return order.map { key in
            let members = experiments[key] ?? []
            let names = CaseNames(members)
            let cases = members.compactMap { experiment in
                summaries[experiment.id].map { summary in
                    ReportCase(
                        summary: summary, name: names.name(experiment), arm: Arm(experiment, names),
                        accuracy: Statistics.median(summary.accuracies) ?? 0,
                        kept: Statistics.median(summary.keptSizes) ?? 0,
                        seconds: Statistics.median(summary.times) ?? 0)
                }
            }
            return ReportSection(
                key: key, title: title(key, among: order), experiments: members, cases: cases,
                finishedRuns: cases.reduce(0) { $0 + $1.summary.records.count })
        }
    }

    private static func title(_ key: Key, among keys: [Key]) -> String {
        var words = [key.dataset, duration(key.duration)]
        if Set(keys.map(\.batchSize)).count > 1 { words.append("batches of \(key.batchSize)") }
        if Set(keys.map(\.learningRate)).count > 1 { words.append("learning rate \(Number.exact(key.learningRate))") }
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
