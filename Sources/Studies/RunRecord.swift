/// A finished run: what was measured, as one line of `runs.jsonl` keeps it. What was planned stands in `study.yaml`.
package struct RunRecord: Codable, Equatable, Sendable {
    /// The experiment, counted from 1.
    package var experimentID: Int
    /// The run, counted from 1.
    package var runID: Int
    /// The accuracy on the test set in percent; nil where the run diverged.
    package var accuracy: Double?
    /// Test images that were classified rightly; 0 where the run diverged, and null in the file.
    package var correct: Int
    /// Test images.
    package var count: Int
    /// Percent of each class's test images that were classified correctly, null for a class without any; null where the run
    /// diverged, and not in files of format 2.
    package var recall: [Double?]?
    /// The run's own cost: the sum of the three below.
    package var time: Double
    /// Its selection, with its share of the clustering, the score, the score networks and the tuning.
    package var selectionSeconds: Double
    /// Its share of the training.
    package var trainingSeconds: Double
    /// Its share of the evaluation.
    package var evaluationSeconds: Double
    /// How many networks trained together.
    package var replicas: Int
    /// Samples that were asked for.
    package var requested: Int
    /// Samples that were kept; those of an epoch, where every epoch took others.
    package var kept: Int
    /// How many were kept of each class; of the first epoch's, where every epoch took others.
    package var perClass: [Int]
    /// The values that tuning chose, by the settings' names; nil, and not in the file, where nothing was tuned.
    package var tuned: [String: Double]?
    /// The device.
    package var device: String
    /// The number of the device, counted from 1, in a session that had several; nil, and absent from the file, if it had one.
    package var deviceNumber: Int?
    /// Where the run diverged; nil, and not in the file, where it did not.
    package var diverged: Divergence?
    /// Whether its steps were too small to move the network's weights; not in the file where they were not.
    package var isUnmoved: Bool
    /// How many different samples the run has seen in training, where every epoch took others; nil, and not in the file,
    /// where all epochs took the same.
    package var distinct: Int?
    /// The run's steps, if its epochs left samples out; otherwise nil, and not in the file.
    package var steps: Int?
    /// The images in these steps; nil, and not in the file, if every epoch took all samples.
    package var images: Int?

    enum CodingKeys: String, CodingKey {
        case experimentID, runID, accuracy, correct, count, recall, time, selectionSeconds, trainingSeconds,
            evaluationSeconds
        case replicas, requested, kept, distinct, steps, images, perClass, tuned, device, deviceNumber, diverged
        case isUnmoved = "unmoved"
    }

    /// A record of what was measured; `time` is summed here.
    package init(
        experimentID: Int, runID: Int, outcome: TrainingOutcome, selectionSeconds: Double, requested: Int, kept: Int,
        perClass: [Int], tuned: [String: Double]? = nil, device: String, deviceNumber: Int? = nil
    ) {
        self.experimentID = experimentID
        self.runID = runID
        accuracy = outcome.accuracy
        correct = outcome.correct
        count = outcome.count
        recall = outcome.diverged == nil ? outcome.recall : nil
        time = selectionSeconds + outcome.trainingSeconds + outcome.evaluationSeconds
        self.selectionSeconds = selectionSeconds
        trainingSeconds = outcome.trainingSeconds
        evaluationSeconds = outcome.evaluationSeconds
        replicas = outcome.replicas
        self.requested = requested
        self.kept = kept
        self.perClass = perClass
        self.tuned = tuned
        self.device = device
        self.deviceNumber = deviceNumber
        diverged = outcome.diverged
        isUnmoved = outcome.isUnmoved
        distinct = outcome.seen?.count
        steps = outcome.work?.steps
        images = outcome.work?.images
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        experimentID = try values.decode(Int.self, forKey: .experimentID)
        runID = try values.decode(Int.self, forKey: .runID)
        diverged = try values.decodeIfPresent(Divergence.self, forKey: .diverged)
        if diverged == nil {
            accuracy = try values.decode(Double.self, forKey: .accuracy)
            correct = try values.decode(Int.self, forKey: .correct)
        } else {
            accuracy = try values.decodeIfPresent(Double.self, forKey: .accuracy)
            correct = try values.decodeIfPresent(Int.self, forKey: .correct) ?? 0
        }
        count = try values.decode(Int.self, forKey: .count)
        recall = try values.decodeIfPresent([Double?].self, forKey: .recall)
        time = try values.decode(Double.self, forKey: .time)
        selectionSeconds = try values.decode(Double.self, forKey: .selectionSeconds)
        trainingSeconds = try values.decode(Double.self, forKey: .trainingSeconds)
        evaluationSeconds = try values.decode(Double.self, forKey: .evaluationSeconds)
        replicas = try values.decode(Int.self, forKey: .replicas)
        requested = try values.decode(Int.self, forKey: .requested)
        kept = try values.decode(Int.self, forKey: .kept)
        distinct = try values.decodeIfPresent(Int.self, forKey: .distinct)
        steps = try values.decodeIfPresent(Int.self, forKey: .steps)
        images = try values.decodeIfPresent(Int.self, forKey: .images)
        perClass = try values.decode([Int].self, forKey: .perClass)
        tuned = try values.decodeIfPresent([String: Double].self, forKey: .tuned)
        device = try values.decode(String.self, forKey: .device)
        deviceNumber = try values.decodeIfPresent(Int.self, forKey: .deviceNumber)
        isUnmoved = try values.decodeIfPresent(Bool.self, forKey: .isUnmoved) ?? false
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(experimentID, forKey: .experimentID)
        try values.encode(runID, forKey: .runID)
        // Null, not absent: a reader that expects figures is told that there are none.
        try values.encode(accuracy, forKey: .accuracy)
        try values.encode(diverged == nil ? correct : nil, forKey: .correct)
        try values.encode(count, forKey: .count)
        try values.encode(recall, forKey: .recall)
        try values.encode(time, forKey: .time)
        try values.encode(selectionSeconds, forKey: .selectionSeconds)
        try values.encode(trainingSeconds, forKey: .trainingSeconds)
        try values.encode(evaluationSeconds, forKey: .evaluationSeconds)
        try values.encode(replicas, forKey: .replicas)
        try values.encode(requested, forKey: .requested)
        try values.encode(kept, forKey: .kept)
        try values.encodeIfPresent(distinct, forKey: .distinct)
        try values.encodeIfPresent(steps, forKey: .steps)
        try values.encodeIfPresent(images, forKey: .images)
        try values.encode(perClass, forKey: .perClass)
        try values.encodeIfPresent(tuned, forKey: .tuned)
        try values.encode(device, forKey: .device)
        try values.encodeIfPresent(deviceNumber, forKey: .deviceNumber)
        try values.encodeIfPresent(diverged, forKey: .diverged)
        if isUnmoved { try values.encode(true, forKey: .isUnmoved) }
    }

    /// The least of ``recall``.
    package var worstRecall: Double? { recall?.compactMap { $0 }.min() }

    /// The run of a plan that this is the record of.
    package var plannedRun: PlannedRun { PlannedRun(experimentID: experimentID, run: runID - 1) }
}
