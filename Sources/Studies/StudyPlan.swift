import Foundation
import Pruning

/// How the hybrid strategy shares a cluster's part between its two ends.
package struct HybridShares: Hashable, Sendable {
    /// From the near end.
    package let nClosest: Int
    /// From the far end.
    package let nFurthest: Int

    /// Shares of these sizes.
    package init(nClosest: Int, nFurthest: Int) {
        self.nClosest = nClosest
        self.nFurthest = nFurthest
    }
}

/// One case of a study: what its runs have in common.
package struct Experiment: Hashable, Sendable {
    /// Counted from 1 in the file's order: sizes outermost, then ks, strategies, use_pca.
    package fileprivate(set) var id: Int
    /// How samples are dropped.
    package let method: PruningMethod
    /// The requested size; the whole set's for the method `none`.
    package let size: Int
    /// What is kept of each cluster; nil without clusters, as are `usePCA` and `k`.
    package let strategy: SelectionStrategy?
    /// Whether PCA goes before the clustering.
    package let usePCA: Bool?
    /// The number of clusters.
    package let k: Int?
    /// The hybrid strategy's shares; nil for all others.
    package let hybridShares: HybridShares?
    /// Everything else.
    package let settings: StudySettings

    /// How the samples are selected.
    package var selection: SelectionRequest {
        let strategy: Strategy =
            switch (method, self.strategy) {
            case (.none, _): .none
            case (.random, _), (.cluster, nil): .random
            case (.cluster, .closest): .closest
            case (.cluster, .furthest): .furthest
            case (.cluster, .random): .randomInCluster
            case (.cluster, .hybrid):
                .hybrid(nClosest: hybridShares?.nClosest ?? 1, nFurthest: hybridShares?.nFurthest ?? 1)
            }
        return SelectionRequest(strategy: strategy, size: size, quota: settings.quota, balance: settings.balance)
    }

    /// The clustering that run `run` (from 0) selects by; nil without clusters.
    package func clustering(run: Int) -> ClusteringKey? {
        guard method == .cluster, let k, let usePCA else { return nil }
        return ClusteringKey(
            dataset: settings.dataset, k: k, pcaComponents: usePCA ? settings.pcaComponents : nil,
            kmeans: settings.kmeans.rawValue, seed: settings.seed,
            index: run % clusteringSeeds)
    }

    /// How many clusterings the runs share.
    package var clusteringSeeds: Int { settings.clusteringSeeds ?? settings.runs }

    /// Steps of the training of a run of `kept` samples.
    func trainedSteps(kept: Int) -> Int {
        switch settings.duration {
        case .epochs(let epochs): epochs * ((kept + settings.batchSize - 1) / settings.batchSize)
        case .steps(let steps): steps
        }
    }

    /// Images that a run of `kept` samples sees in training.
    package func trainedImages(kept: Int) -> Int {
        switch settings.duration {
        case .epochs(let epochs): return epochs * kept
        case .steps(let steps):
            // An epoch's last batch is short where the batch size does not divide the set.
            let batches = (kept + settings.batchSize - 1) / settings.batchSize
            return steps / batches * kept + min(steps % batches * settings.batchSize, kept)
        }
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

/// A study written out: every experiment, run and clustering.
package struct StudyPlan: Sendable {
    /// The largest number of runs that is accepted.
    static let mostRuns = 1_000_000

    /// The experiments, number 1 first.
    package let experiments: [Experiment]
    /// Every run, by experiment.
    package let runs: [PlannedRun]
    /// How many runs use each clustering.
    package let clusteringUses: [ClusteringKey: Int]
    /// What deserves a word but is no fault.
    package let notices: [String]

    /// Distinct clusterings.
    package var clusteringCount: Int { clusteringUses.count }

    /// The experiment of a number that a run carries.
    package func experiment(_ id: Int) -> Experiment { experiments[id - 1] }

    /// Images that all runs together see in training, if every size is kept as it was requested.
    package var trainedImages: Double {
        experiments.reduce(0) { $0 + Double($1.settings.runs) * Double($1.trainedImages(kept: $1.size)) }
    }

    /// Writes a study out for training sets of these extents.
    /// - Parameter shapes: an extent for every one of the study's ``Study/datasets``.
    /// - Throws: ``StudyError/invalid(_:reason:)`` where a size, k or number of PCA components does not fit its set.
    package init(_ study: Study, shapes: [String: DatasetShape]) throws(StudyError) {
        var experiments: [Experiment] = []
        var notices = study.notices
        var runCount = 0
        for group in study.resolved.groups {
            guard let shape = shapes[group.settings.dataset] else {
                throw .invalid(
                    group.places["dataset"], reason: "the training set \(group.settings.dataset) is not at hand")
            }
            try Self.check(group, shape)
            // Sums stay far from overflow: each list came from a file of bounded length.
            let combinations = max(
                1, group.sizes.count * max(1, group.ks.count * group.strategies.count * group.usePCA.count))
            runCount += combinations * group.settings.runs
            guard runCount <= Self.mostRuns else {
                throw .invalid(
                    group.places["runs"],
                    reason: "the study comes to more than the \(Self.mostRuns) runs that are accepted")
            }
            Self.expand(group, count: shape.count) { method, size, strategy, usePCA, k, shares in
                experiments.append(
                    Experiment(
                        id: experiments.count + 1, method: method, size: size, strategy: strategy, usePCA: usePCA, k: k,
                        hybridShares: shares, settings: group.settings))
            }
        }
        var first: [Experiment: Int] = [:]
        for experiment in experiments {
            var unnumbered = experiment
            unnumbered.id = 0
            if let twin = first[unnumbered] {
                notices.append("experiment \(experiment.id) is the same as experiment \(twin)")
            } else {
                first[unnumbered] = experiment.id
            }
        }
        self.experiments = experiments
        self.notices = notices
        runs = experiments.flatMap { experiment in
            (0..<experiment.settings.runs).map { PlannedRun(experimentID: experiment.id, run: $0) }
        }
        var uses: [ClusteringKey: Int] = [:]
        for run in runs {
            if let key = experiments[run.experimentID - 1].clustering(run: run.run) { uses[key, default: 0] += 1 }
        }
        clusteringUses = uses
    }

    private static func check(_ group: ExperimentGroup, _ shape: DatasetShape) throws(StudyError) {
        let set = "the training set of \(group.settings.dataset) has \(shape.count) samples"
        if let size = group.sizes.first(where: { $0.resolved(count: shape.count) < 1 }) {
            throw .invalid(
                group.places["sizes"],
                reason: "sizes holds \(size), which rounds to no sample at all: \(set), and"
                    + " \(shortest(Self.leastPercent(count: shape.count)))% is the least that keeps one")
        }
        if let size = group.sizes.first(where: { $0.resolved(count: shape.count) > shape.count }) {
            throw .invalid(
                group.places["sizes"],
                reason: "sizes holds \(size), and \(set): sizes from 1 to \(shape.count) are accepted")
        }
        if let k = group.ks.first(where: { $0 > shape.count }) {
            throw .invalid(
                group.places["ks"], reason: "ks holds \(k), and \(set): from 1 to \(shape.count) clusters are accepted")
        }
        let most = min(shape.featureCount, shape.count)
        if group.usePCA.contains(true), group.settings.pcaComponents > most {
            throw .invalid(
                group.places["pca_components"],
                reason:
                    "pca_components is \(group.settings.pcaComponents); \(group.settings.dataset) has room for 1 to \(most)"
            )
        }
    }

    /// The smallest share, to two digits, that still rounds to one sample of `count`.
    private static func leastPercent(count: Int) -> Double {
        let exact = 50 / Double(count)
        let step = pow(10, (log10(exact)).rounded(.down) - 1)
        return (exact / step).rounded(.up) * step
    }

    private static func expand(
        _ group: ExperimentGroup, count: Int,
        _ add: (PruningMethod, Int, SelectionStrategy?, Bool?, Int?, HybridShares?) -> Void
    ) {
        if group.method == .none { return add(.none, count, nil, nil, nil, nil) }
        for size in group.sizes.map({ $0.resolved(count: count) }) {
            if group.method == .random {
                add(.random, size, nil, nil, nil, nil)
                continue
            }
            for k in group.ks {
                for strategy in group.strategies {
                    for usePCA in group.usePCA {
                        let shares =
                            strategy == .hybrid
                            ? HybridShares(nClosest: group.nClosest, nFurthest: group.nFurthest) : nil
                        add(.cluster, size, strategy, usePCA, k, shares)
                    }
                }
            }
        }
    }
}
