import Compute
import Reports
import Studies

/// `run --dry-run --json`.
struct PlanReport: Encodable {
    struct Case: Encodable {
        var experiment_id: Int
        var name: String
        var requested: Int
        var runs: Int
    }
    var experiments: [Case]
    var runs: Int
    /// Those that this command would do if none were finished: all but those of other shards.
    var shard_runs: Int
    /// Of those.
    var finished: Int
    var clusterings: Int
    var trained_images: Double
    var images_per_second: Double
    var replicas: Int
    var training_seconds: Double
    var evaluation_seconds: Double
    var clustering_seconds: Double
    var seconds: Double
    var device: DeviceDescription

    init(_ plan: StudyPlan, _ estimate: StudyEstimate, shardRuns: Int, finished: Int, device: DeviceDescription) {
        let names = CaseNames(plan)
        experiments = plan.experiments.map {
            Case(experiment_id: $0.id, name: names.name($0), requested: $0.size, runs: $0.settings.runs)
        }
        runs = plan.runs.count
        shard_runs = shardRuns
        self.finished = finished
        clusterings = plan.clusteringCount
        trained_images = plan.trainedImages
        images_per_second = estimate.rates.imagesPerSecond
        replicas = estimate.rates.replicas
        training_seconds = estimate.training
        evaluation_seconds = estimate.evaluation
        clustering_seconds = estimate.clustering
        seconds = estimate.total
        self.device = device
    }
}

/// `run --json`.
struct RunReport: Encodable {
    struct Case: Encodable {
        var experiment_id: Int
        var name: String
        var requested: Int
        var kept: [Int]
        /// One a run, in the order of `kept`; null where the run diverged.
        var accuracies: [Double?]
        var median_accuracy: Double?
        var mean: Double?
        var sd: Double?
        var best: Double?
        var median_time: Double?
        var count_runs: Int
        var count_diverged: Int
        /// The runs that diverged.
        var diverged: [Diverged]
        var median_low: Double?
        var median_high: Double?
        var comparisons: [String: Against]
    }
    struct Diverged: Encodable {
        var run_id: Int
        var step: Int
    }
    struct Against: Encodable {
        var experiment_id: Int
        var pairs: Int
        var diff: Double?
        var diff_low: Double?
        var diff_high: Double?
        var p: Double?
        var p_holm: Double?
        var verdict: String
        var runs_to_decide: Int?

        init(_ comparison: Comparison) {
            experiment_id = comparison.baselineID
            pairs = comparison.pairs
            diff = comparison.difference
            diff_low = comparison.interval95?.low
            diff_high = comparison.interval95?.high
            p = comparison.p
            p_holm = comparison.pHolm
            verdict = comparison.verdict.rawValue
            runs_to_decide = comparison.runsToDecide
        }
    }
    var directory: String
    /// Nil where every run was finished before.
    var device: DeviceDescription?
    var cases: [Case]
    var notes: [String]

    init(_ results: StudyResults, directory: String, device: DeviceDescription?) {
        self.directory = directory
        self.device = device
        let names = CaseNames(results.plan)
        cases = results.summaries.map { summary in
            Case(
                experiment_id: summary.experiment.id, name: names.name(summary.experiment),
                requested: summary.experiment.size, kept: summary.records.map(\.kept),
                accuracies: summary.records.map(\.accuracy),
                median_accuracy: Statistics.median(summary.accuracies), mean: Statistics.mean(summary.accuracies),
                sd: Statistics.standardDeviation(summary.accuracies), best: summary.accuracies.max(),
                median_time: Statistics.median(summary.times), count_runs: summary.records.count,
                count_diverged: summary.divergedCount,
                diverged: summary.records.compactMap { record in
                    record.diverged.map { Diverged(run_id: record.runID, step: $0.step) }
                },
                median_low: summary.medianInterval?.low, median_high: summary.medianInterval?.high,
                comparisons: Dictionary(
                    uniqueKeysWithValues: summary.comparisons.map { ($0.key.rawValue, Against($0.value)) }))
        }
        notes = results.comparisonNotes
    }
}
