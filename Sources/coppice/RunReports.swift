import Compute
import Reports
import Studies

/// `run --dry-run --json`.
struct PlanReport: Encodable {
    struct Case: Encodable {
        var experimentID: Int
        var name: String
        var model: String
        /// The model of its score networks; nil without.
        var scoreModel: String?
        /// The embedding that is clustered or scored; nil without.
        var embedding: String?
        var requested: Int
        var runs: Int
    }
    /// The time that the remaining runs of one model should take.
    struct Model: Encodable {
        var model: String
        var trainedImages: Double
        var imagesPerSecond: Double
        var replicas: Int
        var trainingSeconds: Double
        var evaluationSeconds: Double
        var seconds: Double
    }
    var experiments: [Case]
    var runs: Int
    /// Those that this command would do if none were finished: all but those of other shards.
    var shardRuns: Int
    /// Of those.
    var finished: Int
    var clusterings: Int
    var trainedImages: Double
    /// Over the training of all models.
    var imagesPerSecond: Double
    var replicas: Int
    var models: [Model]
    var trainingSeconds: Double
    var evaluationSeconds: Double
    var clusteringSeconds: Double
    var seconds: Double
    var device: DeviceDescription
    /// The number of devices that would share the runs; the times are those of one device.
    var devices: Int
    /// What so few runs will not show.
    var notes: [String]

    init(
        _ plan: StudyPlan, _ estimate: StudyEstimate, shardRuns: Int, finished: Int, device: DeviceDescription,
        devices: Int = 1
    ) {
        let names = CaseNames(plan)
        experiments = plan.experiments.map {
            Case(
                experimentID: $0.id, name: names.name($0), model: $0.recipe.model.name,
                scoreModel: $0.dynamics?.model.name, embedding: $0.embedding?.method.word, requested: $0.size,
                runs: $0.runs)
        }
        runs = plan.runs.count
        self.shardRuns = shardRuns
        self.finished = finished
        clusterings = plan.clusteringCount
        trainedImages = plan.trainedImages
        imagesPerSecond = estimate.imagesPerSecond
        replicas = estimate.rates.replicas
        models = estimate.models.map {
            Model(
                model: $0.name, trainedImages: $0.images, imagesPerSecond: $0.imagesPerSecond,
                replicas: $0.replicas, trainingSeconds: $0.training, evaluationSeconds: $0.evaluation,
                seconds: $0.total)
        }
        trainingSeconds = estimate.training
        evaluationSeconds = estimate.evaluation
        clusteringSeconds = estimate.clustering
        seconds = estimate.total
        self.device = device
        self.devices = devices
        notes = [plan.estimateNote].compactMap(\.self) + plan.comparisonNotes
    }
}

/// `run --json`.
struct RunReport: Encodable {
    struct Case: Encodable {
        var experimentID: Int
        var name: String
        var model: String
        /// The model of its score networks; nil without.
        var scoreModel: String?
        /// The embedding that is clustered or scored; nil without.
        var embedding: String?
        var requested: Int
        var kept: [Int]
        /// One a run, in the order of `kept`; null where the run diverged.
        var accuracies: [Double?]
        var medianAccuracy: Double?
        var mean: Double?
        var sd: Double?
        var best: Double?
        var medianTime: Double?
        var countRuns: Int
        var countDiverged: Int
        /// The runs that diverged.
        var diverged: [Diverged]
        var medianLow: Double?
        var medianHigh: Double?
        var comparisons: [String: Against]
    }
    struct Diverged: Encodable {
        var runID: Int
        var step: Int
    }
    struct Against: Encodable {
        var experimentID: Int
        var pairs: Int
        var diff: Double?
        var diffLow: Double?
        var diffHigh: Double?
        var p: Double?
        var pHolm: Double?
        var verdict: String
        var runsToDecide: Int?

        init(_ comparison: Comparison) {
            experimentID = comparison.baselineID
            pairs = comparison.pairs
            diff = comparison.difference
            diffLow = comparison.interval95?.low
            diffHigh = comparison.interval95?.high
            p = comparison.p
            pHolm = comparison.pHolm
            verdict = comparison.verdict.rawValue
            runsToDecide = comparison.runsToDecide
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
                experimentID: summary.experiment.id, name: names.name(summary.experiment),
                model: summary.experiment.recipe.model.name, scoreModel: summary.experiment.dynamics?.model.name,
                embedding: summary.experiment.embedding?.method.word, requested: summary.experiment.size,
                kept: summary.records.map(\.kept),
                accuracies: summary.records.map(\.accuracy),
                medianAccuracy: Statistics.median(summary.accuracies), mean: Statistics.mean(summary.accuracies),
                sd: Statistics.standardDeviation(summary.accuracies), best: summary.accuracies.max(),
                medianTime: Statistics.median(summary.times), countRuns: summary.records.count,
                countDiverged: summary.divergedCount,
                diverged: summary.records.compactMap { record in
                    record.diverged.map { Diverged(runID: record.runID, step: $0.step) }
                },
                medianLow: summary.medianInterval?.low, medianHigh: summary.medianInterval?.high,
                comparisons: Dictionary(
                    uniqueKeysWithValues: summary.comparisons.map { ($0.key.rawValue, Against($0.value)) }))
        }
        notes = results.comparisonNotes
    }
}
