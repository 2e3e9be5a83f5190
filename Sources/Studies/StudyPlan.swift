import Pruning
import Scoring
import Support

/// One case of a study: what its runs have in common.
package struct Experiment: Hashable, Sendable {
    /// Counted from 1 in the file's order: sizes outermost, then ks, selections, use_pca.
    package fileprivate(set) var id: Int
    /// Which samples are kept.
    package let selection: Selection
    /// How many.
    package let requested: SelectionSize
    /// The clusters that they are kept of; nil without.
    package let clustering: ClusteringRecipe?
    /// What the scores that they are ranked by are made of, beside the clusters; nil without.
    package fileprivate(set) var scoring: ScoringRecipe?
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
    /// Experiments of one pairing compare run by run.
    package var pairing: Pairing { Pairing(recipe: recipe, seed: seed) }

    /// Runs of experiments of one value may train together.
    var launchGroup: LaunchGroup { LaunchGroup(recipe: recipe, size: size) }

    /// The text of a table's column: of the selection, the clustering or the recipe, or its own.
    package func word(column: String) -> String? {
        if let column = Selection.Column(rawValue: column) { return selection.word(column) }
        return switch column {
        case "experiment_id": "\(id)"
        case "dataset_size", "requested": "\(size)"
        case "seed": "\(seed)"
        case "equal_within": selection.isWhole ? nil : shortest(equalWithin)
        default:
            clustering?.word(column: column) ?? scoring?.word(column: column) ?? recipe.word(column: column)
        }
    }

    /// The clustering that run `run` (from 0) selects by; nil without clusters.
    package func clustering(run: Int) -> ClusteringKey? {
        clustering.map { ClusteringKey($0, dataset: recipe.dataset, seed: seed, index: run % clusteringSeeds) }
    }

    /// What has to be there before run `run` (from 0) can select.
    ///
    /// Each is made of those before it, at most.
    func artifacts(run: Int) -> [ArtifactKey] {
        let clustering = clustering(run: run)
        guard let scoring else { return [clustering].compactMap { $0.map(ArtifactKey.init) } }
        let index = run % scoring.seeds
        let dynamics =
            scoring.isOfDynamics
            ? DynamicsKey(
                recipe, networks: scoring.parameters.networks, epochs: scoring.parameters.epochs, seed: seed,
                index: index)
            : nil
        let score =
            scoring.isOfPoints || scoring.file != nil
            ? ScoreKey(
                scoring, dataset: recipe.dataset, clustering: scoring.isOfClusters ? clustering : nil,
                dynamics: dynamics,
                seed: seed, index: index)
            : nil
        let keys: [(any ArtifactKind)?] = [clustering, dynamics, score]
        return keys.compactMap { $0.map { ArtifactKey($0) } }
    }

    /// Images that all runs together see in training, if the size is kept as it was requested.
    package var trainedImages: Int { runs * recipe.images(kept: size) }
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
    /// How many runs use each artifact.
    package let artifactUses: [ArtifactKey: Int]
    /// What deserves a word but is no fault.
    package let notices: [String]

    /// How many runs use each clustering.
    package var clusteringUses: [ClusteringKey: Int] {
        var uses: [ClusteringKey: Int] = [:]
        for (key, count) in artifactUses { if let key = key.kind as? ClusteringKey { uses[key] = count } }
        return uses
    }

    /// Distinct clusterings.
    package var clusteringCount: Int { clusteringUses.count }

    /// The experiment of a number that a run carries.
    package func experiment(_ id: Int) -> Experiment { experiments[id - 1] }

    /// Images that all runs together see in training, if every size is kept as it was requested.
    package var trainedImages: Double { experiments.reduce(0) { $0 + Double($1.trainedImages) } }

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
        for group in study.resolved.groups {
            guard let shape = shapes[group.settings.recipe.dataset] else {
                throw .invalid(
                    group.places["dataset"],
                    reason: "the training set \(group.settings.recipe.dataset) is not at hand")
            }
            let sizes = try Self.sizes(of: group, shape)
            try Self.check(group, shape)
            try Self.checkCut(group, sizes, shape)
            // Sums stay far from overflow: each list came from a file of bounded length.
            let combinations =
                sizes.count
                * group.selections.reduce(0) { sum, selection in
                    sum + (selection.takesClusterCount ? max(1, group.ks.count) : 1)
                        * (selection.takesPoints ? max(1, group.usePCA.count) : 1)
                }
            runCount += combinations * group.settings.runs
            guard runCount <= Self.mostRuns else {
                throw .invalid(
                    group.places["runs"],
                    reason: "the study comes to more than the \(Self.mostRuns) runs that are accepted")
            }
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
        }
        self.experiments = Self.sharingOrders(experiments)
        self.notices = notices
        runs = experiments.flatMap { experiment in
            (0..<experiment.runs).map { PlannedRun(experimentID: experiment.id, run: $0) }
        }
        var uses: [ArtifactKey: Int] = [:]
        for run in runs {
            for key in experiments[run.experimentID - 1].artifacts(run: run.run) { uses[key, default: 0] += 1 }
        }
        artifactUses = uses
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

    private static func check(_ group: ExperimentGroup, _ shape: DatasetShape) throws(StudyError) {
        if let k = group.ks.first(where: { $0 > shape.count }) {
            throw .invalid(
                group.places["ks"],
                reason: "ks holds \(k), and \(describe(group, shape)): from 1 to \(shape.count) clusters are accepted")
        }
        let most = min(shape.featureCount, shape.count)
        if group.usePCA.contains(true), group.settings.pcaComponents > most {
            throw .invalid(
                group.places["pca_components"],
                reason:
                    "pca_components is \(group.settings.pcaComponents); \(group.settings.recipe.dataset) has room for 1 to \(most)"
            )
        }
    }

    /// What is cut off must leave enough, wherever it is cut.
    private static func checkCut(
        _ group: ExperimentGroup, _ sizes: [SelectionSize], _ shape: DatasetShape
    ) throws(StudyError) {
        let cut = group.settings.orders.cut
        let left = shape.count - Int((Double(shape.count) * cut).rounded(.down))
        guard group.selections.contains(where: { if case .stratified = $0.order { true } else { false } }),
            let size = sizes.first(where: { $0.count > left })
        else { return }
        throw .invalid(
            group.places["beta"],
            reason: "beta is \(shortest(cut)), which leaves \(left) samples, and sizes holds \(size.count);"
                + " \(describe(group, shape))")
    }

    private static func describe(_ group: ExperimentGroup, _ shape: DatasetShape) -> String {
        "the training set of \(group.settings.recipe.dataset) has \(shape.count) samples"
    }

    /// The experiments of an entry in their order, not numbered yet. A selection that does not use clusters makes one
    /// experiment, not one for each k.
    private static func expand(_ group: ExperimentGroup, _ sizes: [SelectionSize], _ add: (Experiment) -> Void) {
        let settings = group.settings
        for size in sizes {
            for (place, k) in (group.ks.isEmpty ? [nil] : group.ks.map(Optional.some)).enumerated() {
                for selection in group.selections where place == 0 || selection.takesClusterCount {
                    let choices = group.usePCA.isEmpty || !selection.takesPoints ? [false] : group.usePCA
                    for usePCA in choices {
                        let components = usePCA ? settings.pcaComponents : nil
                        let selection = selection.sharing(settings.quota, settings.balance)
                        let clustering =
                            selection.needsClustering
                            ? k.map { ClusteringRecipe(k: $0, pcaComponents: components, kmeans: settings.kmeans) }
                            : nil
                        add(
                            Experiment(
                                id: 0, selection: selection, requested: size, clustering: clustering,
                                scoring: ScoringRecipe(
                                    selection, size: size.count, k: k, pcaComponents: components,
                                    folder: group.places.folder, settings: settings), recipe: settings.recipe,
                                runs: settings.runs, clusteringSeeds: settings.clusteringSeeds ?? settings.runs,
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
        func key(_ experiment: Experiment) -> Sizeless? {
            guard var scoring = experiment.scoring, scoring.size != nil,
                (try? Score.named(scoring.score))?.dependsOnSize == false
            else { return nil }
            scoring.size = nil
            return Sizeless(
                scoring: scoring, clustering: experiment.clustering, recipe: experiment.recipe, seed: experiment.seed)
        }
        var longest: [Sizeless: Int] = [:]
        for experiment in experiments {
            guard let key = key(experiment) else { continue }
            longest[key] = max(longest[key] ?? 0, experiment.size)
        }
        return experiments.map { experiment in
            guard let key = key(experiment) else { return experiment }
            var experiment = experiment
            experiment.scoring?.size = longest[key]
            return experiment
        }
    }
}
