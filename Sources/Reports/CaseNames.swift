import Pruning
import Studies

/// Names of a study's cases, everywhere that cases are named: what is kept, by which clustering, and every setting in which
/// the cases differ. What all of them have in common is left out, and so is the size, which stands beside the name.
package struct CaseNames: Sendable {
    private var names: [Int: String] = [:]
    /// The number of clusterings of cases that only it tells from others.
    private var clusterings: [Int: String] = [:]
    /// What tells cases of one selection apart, beside its clustering.
    private var settings: [Int: String] = [:]
    /// The dynamic pruning of each case that has it, by experiment; empty if all cases have the same.
    private var dynamics: [Int: String] = [:]

    /// Properties shown next to a name, like the size, which the name therefore omits.
    enum Beside { case model, scoreModel, embedding }

    /// Names that tell the cases of a whole study apart.
    package init(_ plan: StudyPlan) { self.init(plan.experiments, alwaysTellsPCA: true) }

    /// Names that tell these experiments apart.
    /// - Parameters:
    ///   - alwaysTellsPCA: true to name the points of a clustering even if all clusterings have the same.
    ///   - beside: properties that the names omit. If not empty, each experiment represents all sizes of its case, so
    ///     names are distinct whatever the sizes.
    init(_ experiments: [Experiment], alwaysTellsPCA: Bool = false, beside: Set<Beside> = []) {
        let parts = Self.parts(experiments, alwaysTellsPCA: alwaysTellsPCA, beside: beside)
        for experiment in experiments {
            let words = Self.base(experiment) + parts.compactMap { $0(experiment) }
            names[experiment.id] = words.joined(separator: ", ")
        }
        if Set(experiments.map(\.recipe.dynamic)).count > 1 {
            for experiment in experiments { dynamics[experiment.id] = experiment.recipe.dynamicText }
        }
        let told = Self.settings(experiments)
        for experiment in experiments {
            let words = told.compactMap { $0(experiment) }
            settings[experiment.id] = words.isEmpty ? nil : words.joined(separator: ", ")
        }
        // Settings that make no other case are told only where nothing else tells two cases apart.
        for group in twins(experiments, ofAnySize: !beside.isEmpty) {
            let tellsRuns = Set(group.map(\.runs)).count > 1
            let clustered = group.filter(\.takesClusteringSeeds)
            let tellsClusterings = Set(clustered.map(\.clusteringSeeds)).count > 1
            let tellsMargin = Set(group.filter { !$0.selection.isWhole }.map(\.equalWithin)).count > 1
            for experiment in group {
                if tellsRuns { append(Wording.counted(experiment.runs, "run"), to: experiment) }
                if tellsClusterings, experiment.takesClusteringSeeds {
                    let text = Wording.counted(
                        experiment.clusteringSeeds, experiment.clustering == nil ? "embedding" : "clustering")
                    clusterings[experiment.id] = text
                    append(text, to: experiment)
                }
                if tellsMargin {
                    append("equal within \(Number.exact(experiment.equalWithin))", to: experiment)
                }
            }
        }
        for group in twins(experiments, ofAnySize: !beside.isEmpty) {
            for experiment in group.dropFirst() { append("experiment \(experiment.id)", to: experiment) }
        }
    }

    /// The name of an experiment, without its size.
    package func name(_ experiment: Experiment) -> String { names[experiment.id] ?? "" }

    /// The name of an experiment and its size.
    package func label(_ experiment: Experiment) -> String { "\(name(experiment)), \(experiment.size)" }

    /// How many clusterings an experiment's runs share, where that alone tells it from another.
    func clusterings(_ experiment: Experiment) -> String? { clusterings[experiment.id] }

    /// The settings of the scores, or of the draw, by which a case's selection differs from others of the same name.
    func settings(_ experiment: Experiment) -> String? { settings[experiment.id] }

    /// A case's dynamic pruning, if not all cases have the same; otherwise nil.
    func dynamic(_ experiment: Experiment) -> String? { dynamics[experiment.id] }

    private mutating func append(_ word: String, to experiment: Experiment) {
        names[experiment.id] = "\(name(experiment)), \(word)"
    }

    /// Experiments of one name and size, or of one name and any sizes, in their order.
    private func twins(_ experiments: [Experiment], ofAnySize: Bool) -> [[Experiment]] {
        Dictionary(grouping: experiments, by: ofAnySize ? name : label).values.filter { $0.count > 1 }
    }

    private static func base(_ experiment: Experiment) -> [String] {
        let k = experiment.clustering?.k ?? experiment.scoring?.parameters.k
        let selection = experiment.selection
        return [Wording.method(selection.name, needsWholeSet: selection.resamples)]
            + (k.map { ["k \(Number.grouped(Double($0)))"] } ?? [])
    }

    /// What is told of each case to which it applies: the settings in which those cases differ.
    private static func parts(
        _ experiments: [Experiment], alwaysTellsPCA: Bool, beside: Set<Beside>
    ) -> [@Sendable (Experiment) -> String?] {
        var parts: [@Sendable (Experiment) -> String?] = []
        func add<Value: Hashable>(
            where applies: @escaping @Sendable (Experiment) -> Bool = { _ in true }, always: Bool = false,
            _ value: (Experiment) -> Value, _ text: @escaping @Sendable (Experiment) -> String
        ) {
            if always || Set(experiments.filter(applies).map(value)).count > 1 {
                parts.append { applies($0) ? text($0) : nil }
            }
        }
        let isClustered: @Sendable (Experiment) -> Bool = { $0.clustering != nil }
        let tellsPoints = !beside.contains(.embedding)
        if tellsPoints {
            add(where: isClustered, always: alwaysTellsPCA, \.clustering?.points) { $0.clustering?.points ?? "" }
        }
        parts += scoreParts(
            experiments, alwaysTellsPCA: alwaysTellsPCA, tellsPoints: tellsPoints,
            tellsModel: !beside.contains(.scoreModel))
        add(where: isClustered, \.clustering?.kmeans) { $0.clustering?.kmeans.rawValue ?? "" }
        add(where: isClustered, \.selection.quota) { "quota \($0.selection.quota.rawValue)" }
        // Not plainly random, where there is nothing else to tell it from.
        let isByRecall = experiments.contains { $0.selection.balance == .recall }
        add(where: { !$0.selection.isWhole }, always: isByRecall, \.selection.balance) {
            "balance \($0.selection.balance.rawValue)"
        }
        add(\.recipe.dataset) { $0.recipe.dataset }
        add(\.recipe.validation?.count) { "\($0.recipe.validation?.count ?? 0) for validation" }
        if !beside.contains(.model) { add(\.recipe.model) { $0.recipe.model.name } }
        add(\.recipe.duration) { ReportSection.duration($0.recipe.duration) }
        add(\.recipe.batchSize) { "batches of \($0.recipe.batchSize)" }
        add(\.recipe.learningRate) { "learning rate \(Number.exact($0.recipe.learningRate))" }
        add(\.recipe.optimizer) { $0.recipe.optimizerText }
        add(\.recipe.schedule) { $0.recipe.scheduleText }
        add(\.recipe.augment) { $0.recipe.augmentText }
        if Set(experiments.map(\.recipe.dynamic)).count > 1 { parts.append { $0.recipe.dynamicText } }
        add(\.seed) { "seed \($0.seed)" }
        return parts
    }

    /// What is told of a setting: its value, or that it is tuned.
    private static func told(
        _ setting: TunableSetting, _ text: @escaping @Sendable (Experiment) -> String?
    ) -> @Sendable (Experiment) -> String? {
        { $0.isTuned(setting) ? "\(setting.rawValue) tuned" : text($0) }
    }

    /// The same for what tells cases apart that are neither of different selections nor of different clusterings.
    private static func settings(_ experiments: [Experiment]) -> [@Sendable (Experiment) -> String?] {
        let k: @Sendable (Experiment) -> String? = {
            $0.scoring?.parameters.k.map { "k \(Number.grouped(Double($0)))" }
        }
        // Draws from the whole set may be balanced in some cases alone.
        let balance: @Sendable (Experiment) -> String? = {
            $0.selection.score == nil && $0.clustering == nil && $0.selection.balance != .none
                ? "balance \($0.selection.balance.rawValue)" : nil
        }
        return (Set(experiments.compactMap(k)).count > 1 ? [k] : [])
            + (experiments.contains { $0.selection.isRandom && $0.selection.balance == .none } ? [balance] : [])
            + scoreParts(experiments, alwaysTellsPCA: false, tellsModel: true)
    }

    /// The same for what only cases by a score have.
    private static func scoreParts(
        _ experiments: [Experiment], alwaysTellsPCA: Bool, tellsPoints: Bool = true, tellsModel: Bool
    ) -> [@Sendable (Experiment) -> String?] {
        let points: @Sendable (Experiment) -> String? = { $0.clustering == nil ? $0.scoring?.points : nil }
        // If every case is scored by networks of its own model, the score model need not be named.
        let tellsModel = tellsModel && experiments.contains { $0.otherScoreModel != nil }
        let settings: [@Sendable (Experiment) -> String?] = [
            { tellsModel ? $0.dynamics.map { "networks of \($0.model.name)" } : nil },
            told(.networks) { $0.dynamics.map { Wording.counted($0.networks, "network") } },
            told(.scoreEpochs) { $0.dynamics.map { Wording.counted($0.epochs, "score epoch") } },
            told(.window) { $0.scoring.flatMap { $0.usesWindow ? "window \($0.parameters.window)" : nil } },
            told(.neighbors) {
                $0.scoring.flatMap { $0.usesNeighbors ? "\($0.parameters.neighbors) neighbours" : nil }
            },
            told(.gamma) {
                $0.scoring.flatMap { scoring in
                    guard scoring.usesNeighbors else { return nil }
                    return scoring.parameters.gamma.map { "gamma \(Number.exact($0))" } ?? "gamma by the data"
                }
            },
            told(.beta) {
                if case .stratified(let cut, _) = $0.selection.order { "beta \(Number.exact(cut))" } else { nil }
            },
            told(.strata) {
                if case .stratified(_, let strata) = $0.selection.order { "\(strata) strata" } else { nil }
            },
            told(.cD) {
                if case .beta(let exponent) = $0.selection.order { "c_d \(Number.exact(exponent))" } else { nil }
            },
        ]
        // Told only where cases that have it differ in it.
        let telling = settings.filter { Set(experiments.compactMap($0)).count > 1 }
        let isPointsTold = tellsPoints && (alwaysTellsPCA || Set(experiments.compactMap(points)).count > 1)
        return (isPointsTold ? [points] : []) + telling
    }
}
