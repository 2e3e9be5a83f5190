import Pruning
import Scoring
import Support

/// One case of a study: what its runs have in common.
package struct Experiment: Hashable, Sendable {
    /// Counted from 1 in the file's order: models outermost, then models of scores, sizes, ks, selections, embeddings.
    package fileprivate(set) var id: Int
    /// Which samples are kept; what the first of the candidates keeps where there are some.
    package private(set) var selection: Selection
    /// How many.
    package let requested: SelectionSize
    /// The clusters that they are kept of; nil without.
    package let clustering: ClusteringRecipe?
    /// What the scores that they are ranked by are made of, beside the clusters; nil without.
    package fileprivate(set) var scoring: ScoringRecipe?
    /// The networks that its scores or its shares by recall are of; nil without.
    package private(set) var dynamics: DynamicsRecipe?
    /// The ways to select that it is tuned between; empty where there is nothing to tune.
    package fileprivate(set) var candidates: [TuningCandidate]
    /// What is trained on them, and how.
    package let recipe: TrainingRecipe
    /// How many runs there are.
    package let runs: Int
    /// How many clusterings the runs share.
    package let clusteringSeeds: Int
    /// The seed of every random number.
    package let seed: UInt64
    /// Percentage points that an accuracy may differ by and still be called equal.
    package let equalWithin: Double

    /// The requested size.
    package var size: Int { requested.count }
    /// What its samples are called: "image", or "sample" where they are features.
    package var unit: String { recipe.isOfFeatures ? "sample" : "image" }
    /// Experiments of one pairing compare run by run.
    package var pairing: Pairing { Pairing(recipe: recipe.whole, seed: seed) }

    /// Runs of experiments of one value may train together.
    var launchGroup: LaunchGroup { LaunchGroup(recipe: recipe, size: size) }

    /// The experiment with one of its candidates in place.
    func choosing(_ candidate: TuningCandidate) -> Experiment {
        var experiment = self
        experiment.selection = candidate.selection
        experiment.scoring = candidate.scoring
        experiment.dynamics = candidate.dynamics
        experiment.candidates = []
        return experiment
    }

    /// The text of a table's column: of the selection, the clustering or the recipe, or its own.
    package func word(column: String) -> String? {
        if let column = Selection.Column(rawValue: column) { return selection.word(column) }
        return switch column {
        case "experiment_id": "\(id)"
        case "dataset_size", "requested": "\(size)"
        case "seed": "\(seed)"
        case "score_model": dynamics?.model.name
        case "equal_within": selection.isWhole ? nil : shortest(equalWithin)
        default:
            clustering?.word(column: column) ?? scoring?.word(column: column) ?? recipe.word(column: column)
        }
    }

    /// The clustering that run `run` (from 0) selects by; nil without clusters.
    package func clustering(run: Int) -> ClusteringKey? {
        clustering.map { ClusteringKey($0, of: recipe.trainingSet, seed: seed, index: run % clusteringSeeds) }
    }

    /// What has to be there before run `run` (from 0) can select.
    ///
    /// Each is made of those before it, at most.
    func artifacts(run: Int) -> [ArtifactKey] {
        let (embedding, clustering) = (embedding(run: run), clustering(run: run))
        let dynamics = dynamics.map { networks in
            DynamicsKey(
                recipe.training(networks.model), networks: networks.networks, epochs: networks.epochs, seed: seed,
                index: run % networks.seeds)
        }
        let score = scoring.flatMap { scoring -> ScoreKey? in
            guard scoring.isOfPoints || scoring.file != nil else { return nil }
            return ScoreKey(
                scoring, of: recipe.trainingSet, embedding: scoring.isOfPoints ? embedding : nil,
                clustering: scoring.isOfClusters ? clustering : nil,
                dynamics: scoring.isOfDynamics ? dynamics : nil, seed: seed, index: run % scoring.seeds)
        }
        let keys: [(any ArtifactKind)?] = [embedding, clustering, dynamics, score]
        return keys.compactMap { $0.map { ArtifactKey($0) } }
    }

    /// How many sets of score networks, or of a score's random numbers, its runs share; nil where there are none.
    var scoreSeeds: Int? { dynamics?.seeds ?? scoring.flatMap { $0.isSeeded ? $0.seeds : nil } }
    /// Images that all runs together, and tuning, see in training, if the size is kept as it was requested.
    package var trainedImages: Int { (runs + TuningCandidate.runs * candidates.count) * recipe.images(kept: size) }
    /// Images that tuning sees in training.
    package var tuningImages: Double {
        Double(TuningCandidate.runs * candidates.count) * Double(recipe.images(kept: size))
    }
}

/// One run of an experiment.
package struct PlannedRun: Hashable, Sendable {
    /// The experiment, counted from 1.
    package let experimentID: Int
    /// The run, counted from 0.
    package let run: Int

    /// The run as results count it, from 1.
    package var runID: Int { run + 1 }
}

/// A study written out: every experiment, run and artifact.
package struct StudyPlan: Sendable {
    /// The largest number of runs that is accepted.
    static let mostRuns = 1_000_000

    /// The experiments, number 1 first.
    package let experiments: [Experiment]
    /// Every run, by experiment.
    package let runs: [PlannedRun]
    /// How often runs and tuning ask for each artifact; what only some outcomes of tuning need is not counted.
    package let artifactUses: [ArtifactKey: Int]
    /// Images that the networks see which are trained for an artifact; those without networks are not there.
    let imagesOfArtifacts: [ArtifactKey: Int]
    /// What deserves a word but is no fault.
    package let notices: [String]

    /// How many runs use each clustering.
    package var clusteringUses: [ClusteringKey: Int] {
        var uses: [ClusteringKey: Int] = [:]
        for run in runs {
            if let key = experiment(run.experimentID).clustering(run: run.run) { uses[key, default: 0] += 1 }
        }
        return uses
    }

    /// What the samples are called: "image", or "sample" where some are features.
    package var unit: String { experiments.contains(where: \.recipe.isOfFeatures) ? "sample" : "image" }

    /// What is trained on, in the order of first use.
    package var trainingSets: [TrainingSet] {
        var seen: Set<TrainingSet> = []
        return experiments.map(\.recipe.trainingSet).filter { seen.insert($0).inserted }
    }

    /// Distinct clusterings.
    package var clusteringCount: Int { clusteringUses.count }

    /// The experiment of a number that a run carries.
    package func experiment(_ id: Int) -> Experiment { experiments[id - 1] }

    /// Images that all runs together see in training, if every size is kept as it was requested.
    package var trainedImages: Double { experiments.reduce(0) { $0 + Double($1.trainedImages) } }

    /// Images that all networks of scores see in training.
    package var scoreImages: Double { imagesOfArtifacts.values.reduce(0) { $0 + Double($1) } }

    /// Writes a study out for training sets of these extents.
    /// - Parameter shapes: an extent for every one of the study's ``Study/datasets``.
    /// - Throws: ``StudyError/invalid(_:reason:)`` where a size, k or number of PCA components does not fit its set.
    package init(_ study: Study, shapes: [String: DatasetShape]) throws(StudyError) {
        // Settings that an experiment has no use for make it another in its file all the same.
        struct Written: Hashable {
            let experiment: Experiment
            let settings: StudySettings
        }
        var experiments: [Experiment] = []
        var notices = study.notices
        var runCount = 0
        var first: [Written: Int] = [:]
        for group in study.resolved.groups.flatMap(\.byModel) {
            guard let whole = shapes[group.settings.recipe.dataset] else {
                throw .invalid(
                    group.places["dataset"],
                    reason: "the training set \(group.settings.recipe.dataset) is not at hand")
            }
            try Self.checkValidation(group, whole)
            let shape = whole.without(group.settings.trainingRecipe.validation)
            let sizes = try Self.sizes(of: group, shape)
            try Self.check(group, shape)
            try Self.checkCut(group, sizes, shape)
            try Self.checkCandidates(group)
            // Sums stay far from overflow: each list came from a file of bounded length.
            let combinations =
                sizes.count
                * group.selections.reduce(0) { sum, selection in
                    sum + (selection.takesClusterCount ? max(1, group.ks.count) : 1)
                        * (selection.takesPoints ? max(1, group.embeddings.count) : 1)
                }
            runCount += combinations * (group.settings.runs + TuningCandidate.runs * Self.candidateCount(group))
            guard runCount <= Self.mostRuns else {
                throw .invalid(
                    group.places["runs"],
                    reason: "the study comes to more than the \(Self.mostRuns) runs that are accepted")
            }
            let earlier = experiments.count
            Self.expand(group, sizes) { experiment in
                var experiment = experiment
                let id = experiments.count + 1
                if let twin = first[Written(experiment: experiment, settings: group.settings)] {
                    notices.append("experiment \(id) is the same as experiment \(twin)")
                } else {
                    first[Written(experiment: experiment, settings: group.settings)] = id
                }
                experiment.id = id
                experiments.append(experiment)
            }
            try Self.checkModels(experiments[earlier...], of: group, shape)
        }
        self.experiments = Self.sharingOrders(experiments)
        self.notices = notices
        runs = experiments.flatMap { experiment in
            (0..<experiment.runs).map { PlannedRun(experimentID: experiment.id, run: $0) }
        }
        var uses: [ArtifactKey: Int] = [:]
        for experiment in self.experiments {
            uses.merge(experiment.tuningUses, uniquingKeysWith: +)
            for run in 0..<experiment.runs {
                for key in experiment.commonArtifacts(run: run) { uses[key, default: 0] += 1 }
            }
        }
        artifactUses = uses
        imagesOfArtifacts = uses.keys.reduce(into: [:]) { images, key in
            // As many as a validation split leaves.
            let count = (shapes[key.kind.dataset]?.count ?? 0) - (key.kind.validation ?? 0)
            let trained = key.kind.trainedImages(count: count)
            if trained > 0 { images[key] = trained }
        }
    }

    /// An entry's sizes in its training set.
    private static func sizes(of group: ExperimentGroup, _ shape: DatasetShape) throws(StudyError) -> [SelectionSize] {
        var sizes: [SelectionSize] = []
        var refused: [RequestedSize] = []
        for size in group.sizes {
            do throws(PruningError) { sizes.append(try size.resolved(of: shape.count)) } catch { refused.append(size) }
        }
        let set = describe(group, shape)
        for case .percent(let share) in refused {
            throw .invalid(
                group.places["sizes"],
                reason: "sizes holds \(RequestedSize.percent(share)), which rounds to no sample at all: \(set), and"
                    + " \(shortest(RequestedSize.leastPercent(count: shape.count)))% is the least that keeps one")
        }
        if let size = refused.first {
            throw .invalid(
                group.places["sizes"],
                reason: "sizes holds \(size), and \(set): sizes from 1 to \(shape.count) are accepted")
        }
        return sizes
    }

    /// Every class keeps a sample to train on.
    private static func checkValidation(_ group: ExperimentGroup, _ whole: DatasetShape) throws(StudyError) {
        let most = ValidationSplit.most(of: whole)
        guard let count = group.settings.validation, count > most else { return }
        throw .invalid(
            group.places["validation"],
            reason: "validation is \(count), and the training set of \(group.settings.recipe.dataset) has"
                + " \(whole.count) samples of \(max(1, whole.classCount)) classes, each of which keeps one:"
                + (most > 0 ? " from 1 to \(most) are accepted" : " none can be set aside"))
    }

    private static func check(_ group: ExperimentGroup, _ shape: DatasetShape) throws(StudyError) {
        try checkAugment(group)
        if let k = group.ks.first(where: { $0 > shape.count }) {
            throw .invalid(
                group.places["ks"],
                reason: "ks holds \(k), and \(describe(group, shape)): from 1 to \(shape.count) clusters are accepted")
        }
        try group.checkEmbedding(shape)
    }

    /// What is cut off must leave enough, wherever it is cut.
    private static func checkCut(
        _ group: ExperimentGroup, _ sizes: [SelectionSize], _ shape: DatasetShape
    ) throws(StudyError) {
        let cut = group.settings.tuningValues[.beta]?.max() ?? group.settings.orders.cut
        let left = Order.stratified(cut: cut, strata: group.settings.orders.strata).remaining(of: shape.count)
        let selections = group.selections.filter { if case .stratified = $0.order { true } else { false } }
        // A share of each group is cut, rounded down, so that up to one sample more per group is left.
        let groups = selections.map { selection in
            let isOfClasses = selection.groups.needClasses || group.settings.balance != .none
            return (isOfClasses ? max(1, shape.classCount) : 1)
                * (selection.groups.needClustering ? group.ks.max() ?? 1 : 1)
        }
        guard let most = groups.min(), let size = sizes.first(where: { $0.count > left + most - 1 }) else { return }
        throw .invalid(
            group.places["beta"],
            reason: "beta is \(shortest(cut)), which leaves \(left) samples, and sizes holds \(size.count);"
                + " \(describe(group, shape))")
    }

    /// Each is trained three times for every size.
    private static func checkCandidates(_ group: ExperimentGroup) throws(StudyError) {
        let settings = group.settings
        let used = TunableSetting.allCases.filter {
            settings.tuningValues[$0] != nil && !group.idleScoreKeys.contains($0.rawValue)
        }
        guard let setting = used.first else { return }
        guard settings.validation != nil else {
            throw .invalid(
                group.places[setting.rawValue],
                reason:
                    "\(setting.rawValue) is a list, which is tuned on a validation split; add validation: N to set N"
                    + " samples aside")
        }
        let count = used.reduce(1.0) { $0 * Double(settings.tuningValues[$1]?.count ?? 1) }
        guard count <= Double(TuningCandidate.most) else {
            let names = used.map(\.rawValue)
            throw .invalid(
                group.places[setting.rawValue],
                reason: names.joined(separator: ", ") + (names.count == 1 ? " comes" : " come")
                    + " to \(shortest(count)) combinations; at most \(TuningCandidate.most) are accepted")
        }
    }

    /// The most candidates that a case of the entry has.
    private static func candidateCount(_ group: ExperimentGroup) -> Int {
        let counts = TunableSetting.allCases.compactMap { setting in
            group.idleScoreKeys.contains(setting.rawValue) ? nil : group.settings.tuningValues[setting]?.count
        }
        return counts.isEmpty ? 0 : counts.reduce(1, *)
    }

    private static func describe(_ group: ExperimentGroup, _ shape: DatasetShape) -> String {
        "the training set of \(group.settings.recipe.dataset) has \(shape.count) samples"
            + (group.settings.validation.map { " besides the \($0) for validation" } ?? "")
    }

    /// The experiments of an entry in their order, not numbered yet. A selection that does not use clusters makes one
    /// experiment, not one for each k.
    private static func expand(_ group: ExperimentGroup, _ sizes: [SelectionSize], _ add: (Experiment) -> Void) {
        let settings = group.settings
        for size in sizes {
            for (place, k) in (group.ks.isEmpty ? [nil] : group.ks.map(Optional.some)).enumerated() {
                for selection in group.selections where place == 0 || selection.takesClusterCount {
                    for method in selection.takesPoints && !group.embeddings.isEmpty ? group.embeddings : [.pixels] {
                        let embedding = StudyEmbedding(method, settings)
                        let selection = selection.sharing(settings.quota, settings.balance).drawn(settings.resample)
                        let clustering =
                            selection.needsClustering
                            ? k.map {
                                ClusteringRecipe(
                                    k: $0, embedding: embedding, kmeans: settings.kmeans,
                                    isOfFeatures: settings.recipe.isOfFeatures)
                            }
                            : nil
                        func scoring(_ selection: Selection, _ settings: StudySettings) -> ScoringRecipe? {
                            ScoringRecipe(
                                selection, size: size.count, k: k, embedding: embedding,
                                folder: group.places.folder, settings: settings)
                        }
                        let candidates = TuningCandidate.all(selection, of: settings) { settings, values in
                            let selection = selection.taking(settings.orders)
                            return TuningCandidate(
                                values: values, selection: selection, scoring: scoring(selection, settings),
                                dynamics: DynamicsRecipe(selection, settings: settings))
                        }
                        add(
                            Experiment(
                                id: 0, selection: selection, requested: size, clustering: clustering,
                                scoring: scoring(selection, settings),
                                dynamics: DynamicsRecipe(selection, settings: settings), candidates: candidates,
                                recipe: settings.trainingRecipe, runs: settings.runs,
                                clusteringSeeds: settings.clusteringSeeds ?? settings.runs,
                                seed: settings.seed, equalWithin: settings.equalWithin))
                    }
                }
            }
        }
    }

    /// The experiments, in which selections of all sizes by one greedy order are prefixes of the longest, where that is so.
    private static func sharingOrders(_ experiments: [Experiment]) -> [Experiment] {
        struct Sizeless: Hashable {
            let scoring: ScoringRecipe
            let clustering: ClusteringRecipe?
            let recipe: TrainingRecipe
            let seed: UInt64
        }
        func key(_ scoring: ScoringRecipe?, _ experiment: Experiment) -> Sizeless? {
            guard var scoring, scoring.size != nil,
                (try? Score.named(scoring.score))?.dependsOnSize == false
            else { return nil }
            scoring.size = nil
            // An order that no network is asked for serves every model.
            let model = scoring.isOfDynamics ? experiment.dynamics?.model : nil
            return Sizeless(
                scoring: scoring, clustering: experiment.clustering,
                recipe: experiment.recipe.training(model ?? TrainingRecipe().model), seed: experiment.seed)
        }
        var longest: [Sizeless: Int] = [:]
        for experiment in experiments {
            for scoring in [experiment.scoring] + experiment.candidates.map(\.scoring) {
                guard let key = key(scoring, experiment) else { continue }
                longest[key] = max(longest[key] ?? 0, experiment.size)
            }
        }
        func share(_ scoring: inout ScoringRecipe?, _ experiment: Experiment) {
            if let key = key(scoring, experiment) { scoring?.size = longest[key] }
        }
        return experiments.map { experiment in
            var shared = experiment
            share(&shared.scoring, experiment)
            for place in shared.candidates.indices { share(&shared.candidates[place].scoring, experiment) }
            return shared
        }
    }
}
