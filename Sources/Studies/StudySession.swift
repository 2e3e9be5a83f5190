/// What a session holds while it runs.
final class StudySession {
    let plan: StudyPlan
    /// What this session is to run: all of the plan, or a shard of it.
    let part: [PlannedRun]
    /// What is trained on.
    let sets: [TrainingSet: StudyDataset]
    let directory: StudyDirectory
    /// How many runs of the part are finished.
    var finished: Int
    var log: RunLog { directory.log }

    /// The experiments that were tuned, by number.
    private(set) var tuned: [Int: TunedExperiment] = [:]

    private let pending: [PlannedRun]
    private var artifacts: [ArtifactKey: StudyArrays.StoredArtifact] = [:]
    /// How many pending runs are yet to ask for each artifact.
    private var uses: [ArtifactKey: Int] = [:]
    private var nextTables: ContinuousClock.Instant

    init(plan: StudyPlan, part: [PlannedRun], sets: [TrainingSet: StudyDataset], directory: StudyDirectory) {
        self.plan = plan
        self.part = part
        self.sets = sets
        self.directory = directory
        let known = Set(directory.log.records.map(\.plannedRun))
        pending = part.filter { !known.contains($0) }
        finished = part.count - pending.count
        nextTables = .now + Self.tableInterval
        for run in pending {
            for key in plan.experiment(run.experimentID).artifacts(run: run.run) { uses[key, default: 0] += 1 }
        }
        for id in Set(pending.map(\.experimentID)) { uses.merge(plan.experiment(id).tuningUses, uniquingKeysWith: +) }
    }

    // MARK: - Artifacts

    /// The artifacts that pending runs are of, the same order each time.
    var pendingArtifacts: [ArtifactKey] { uses.keys.sorted { $0.kind.fileName < $1.kind.fileName } }

    /// An artifact that is held in memory, for one of the runs that need it.
    func take(_ key: ArtifactKey) -> StudyArrays.StoredArtifact? {
        guard let artifact = artifacts[key] else { return nil }
        return keep(artifact, for: key)
    }

    /// Counts a run's use of an artifact, and holds it for as long as there will be others.
    func keep(_ artifact: StudyArrays.StoredArtifact, for key: ArtifactKey) -> StudyArrays.StoredArtifact {
        let left = (uses[key] ?? 1) - 1
        uses[key] = left
        // Training dynamics and embeddings are large: keep one of each kind in memory, the others on disk.
        if key.kind is DynamicsKey { artifacts = artifacts.filter { !($0.key.kind is DynamicsKey) } }
        if key.kind is EmbeddingKey { artifacts = artifacts.filter { !($0.key.kind is EmbeddingKey) } }
        artifacts[key] = left > 0 ? artifact : nil
        return artifact
    }

    /// Keeps what tuning found, and counts what the pending runs will ask for by it.
    func note(_ found: TunedExperiment, for experiment: Experiment) {
        tuned[experiment.id] = found
        for run in pending where run.experimentID == experiment.id {
            for key in experiment.artifacts(run: run.run) { uses[key, default: 0] -= 1 }
            for key in found.experiment.artifacts(run: run.run) { uses[key, default: 0] += 1 }
        }
    }

    // MARK: - Order

    /// The runs that are left with what they train by, those together that may train together, in the order of the first of
    /// each.
    func pendingByTraining() -> [(recipe: TrainingRecipe, runs: [PlannedRun])] {
        var order: [LaunchGroup] = []
        var groups: [LaunchGroup: [PlannedRun]] = [:]
        for run in pending {
            let group = plan.experiment(run.experimentID).launchGroup
            if groups[group] == nil { order.append(group) }
            groups[group, default: []].append(run)
        }
        return order.map { ($0.recipe, groups[$0] ?? []) }
    }

    // MARK: - Tables

    /// Tables of ever more rows after every batch would take quadratic time; the log is what counts.
    private static let tableInterval = Duration.seconds(5)
    /// Tables may take so much of a session's time: one part in this many.
    private static let tableShare = 20

    /// Writes the tables where the last time is long enough ago.
    func writeTablesNowAndThen(_ write: (StudyResults, String) throws -> Void) throws {
        guard ContinuousClock.now >= nextTables else { return }
        let start = ContinuousClock.now
        _ = try writeTables(write)
        nextTables = .now + max(Self.tableInterval, (ContinuousClock.now - start) * Self.tableShare)
    }

    /// Writes the tables of what is finished.
    func writeTables(_ write: (StudyResults, String) throws -> Void) throws -> StudyResults {
        let results = StudyResults(plan: plan, records: log.records)
        try write(results, directory.path)
        return results
    }
}
