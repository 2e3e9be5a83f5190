/// A finished run: what was measured, as one line of `runs.jsonl` keeps it. What was planned stands in `study.yaml`.
public struct RunRecord: Codable, Equatable, Sendable {
    /// The experiment, counted from 1.
    public var experimentID: Int
    /// The run, counted from 1.
    public var runID: Int
    /// The accuracy on the test set in percent.
    public var accuracy: Double
    /// Test images that were classified rightly.
    public var correct: Int
    /// Test images.
    public var count: Int
    /// The run's own cost: the sum of the three below.
    public var time: Double
    /// Its selection, with its share of the clustering.
    public var selectionSeconds: Double
    /// Its share of the training.
    public var trainingSeconds: Double
    /// Its share of the evaluation.
    public var evaluationSeconds: Double
    /// How many networks trained together.
    public var replicas: Int
    /// Samples that were asked for.
    public var requested: Int
    /// Samples that were kept.
    public var kept: Int
    /// How many were kept of each class.
    public var perClass: [Int]
    /// The device.
    public var device: String

    enum CodingKeys: String, CodingKey {
        case experimentID = "experiment_id"
        case runID = "run_id"
        case accuracy, correct, count, time
        case selectionSeconds = "selection_seconds"
        case trainingSeconds = "training_seconds"
        case evaluationSeconds = "evaluation_seconds"
        case replicas, requested, kept
        case perClass = "per_class"
        case device
    }

    /// A record of what was measured; `time` is summed here.
    public init(
        experimentID: Int, runID: Int, outcome: TrainingOutcome, selectionSeconds: Double, requested: Int, kept: Int,
        perClass: [Int], device: String
    ) {
        self.experimentID = experimentID
        self.runID = runID
        accuracy = outcome.accuracy
        correct = outcome.correct
        count = outcome.count
        time = selectionSeconds + outcome.trainingSeconds + outcome.evaluationSeconds
        self.selectionSeconds = selectionSeconds
        trainingSeconds = outcome.trainingSeconds
        evaluationSeconds = outcome.evaluationSeconds
        replicas = outcome.replicas
        self.requested = requested
        self.kept = kept
        self.perClass = perClass
        self.device = device
    }

    /// The run of a plan that this is the record of.
    public var plannedRun: PlannedRun { PlannedRun(experimentID: experimentID, run: runID - 1) }
}
