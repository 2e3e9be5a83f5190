import Compute
import Pruning

/// What happens while a study runs.
public enum StudyEvent {
    /// A line for whoever watches.
    case notice(String)
    /// The plan stands, and these runs were finished in earlier sessions.
    case began(StudyPlan, finished: [RunRecord])
    /// A clustering is being fitted.
    case fitting(ClusteringKey)
    /// These networks are being trained together.
    case training([TrainingJob])
    /// A run is finished and on the disk.
    case finished(RunRecord, experiment: Experiment, done: Int, total: Int)
}

/// Runs a study into its directory and goes on where an earlier session stopped.
///
/// Runs of one kept size that train alike share their launches, up to `replicas` of them. A run counts as finished
/// once its line in `runs.jsonl` is on the disk; whatever ends the program later cannot take it back.
public final class StudyRunner {
    private let study: Study
    private let path: String
    private let executor: any StudyExecutor
    private var replicas: Int
    private let environment: [String: String]
    private let cancellation: CancellationFlag
    private let writeTables: (StudyResults, String) throws -> Void
    private let report: (StudyEvent) -> Void

    /// Prepares a run; nothing is read or written yet.
    /// - Parameters:
    ///   - directory: the output directory.
    ///   - replicas: how many networks may train together; halved where the device has no room for them.
    ///   - environment: versions, device, driver and the like, kept in `environment.json`.
    ///   - cancellation: once raised, the study stops before its next step, and the executor as soon as it can.
    ///   - writeTables: writes the tables of the results so far into the directory; called whenever runs have finished.
    ///   - report: hears of every event.
    public init(
        _ study: Study, directory: String, executor: any StudyExecutor, replicas: Int,
        environment: [String: String] = [:], cancellation: CancellationFlag = CancellationFlag(),
        writeTables: @escaping (StudyResults, String) throws -> Void = { _, _ in },
        report: @escaping (StudyEvent) -> Void = { _ in }
    ) {
        self.study = study
        path = directory
        self.executor = executor
        self.replicas = max(1, replicas)
        self.environment = environment
        self.cancellation = cancellation
        self.writeTables = writeTables
        self.report = report
    }

    /// Runs what is not finished yet.
    /// - Returns: all results, those of earlier sessions included.
    /// - Throws: ``StudyError``, `.interrupted` where the flag was raised, `.device` where the device failed; and the
    ///   executor's own errors.
    public func run() throws -> StudyResults {
        var datasets: [String: StudyDataset] = [:]
        for name in study.datasets { datasets[name] = try executor.dataset(name) }
        // Before the directory, which a study that cannot run must not claim.
        let plan = try StudyPlan(study, shapes: datasets.mapValues(\.shape))
        let directory = try StudyDirectory(path, for: study)
        return try withExtendedLifetime(directory) { try run(plan, datasets, directory) }
    }

    private func run(
        _ plan: StudyPlan, _ datasets: [String: StudyDataset], _ directory: StudyDirectory
    ) throws -> StudyResults {
        try directory.enter(datasets: datasets, environment: environment)
        let log = try RunLog(path: directory.file("runs.jsonl"), plan: plan)
        for notice in plan.notices + log.notices { report(.notice(notice)) }
        if let other = log.records.first(where: { $0.device != executor.device }) {
            report(
                .notice(
                    "earlier runs were made on \(other.device), these are made on \(executor.device); rows say which"))
        }
        report(.began(plan, finished: log.records))
        let session = Session(plan: plan, datasets: datasets, directory: directory, log: log)
        do {
            for batch in session.pendingByTraining() { try run(batch, session) }
        } catch is CancellationError {
            throw StudyError.interrupted(finished: log.records.count, total: plan.runs.count)
        } catch let error as ComputeError {
            throw StudyError.device(error, finished: log.records.count, total: plan.runs.count)
        }
        // Also where nothing was left to do: the tables may be of an older make, or missing.
        let results = StudyResults(plan: plan, records: log.records)
        try writeTables(results, path)
        return results
    }

    /// Selects for runs that were requested alike and trains those together that keep alike.
    private func run(_ runs: [PlannedRun], _ session: Session) throws {
        var waiting: [Int: [Prepared]] = [:]
        for run in runs {
            try cancellation.check()
            let prepared = try prepare(run, session)
            waiting[prepared.selection.kept, default: []].append(prepared)
            if let full = waiting[prepared.selection.kept], full.count >= replicas {
                waiting[prepared.selection.kept] = nil
                try train(full, session)
            }
        }
        for kept in waiting.keys.sorted() { try train(waiting[kept] ?? [], session) }
    }

    private struct Prepared {
        let run: PlannedRun
        let selection: Selection
        let selectionSeconds: Double
        let job: TrainingJob
    }

    private func prepare(_ run: PlannedRun, _ session: Session) throws -> Prepared {
        let experiment = session.plan.experiment(run.experimentID)
        let settings = experiment.settings
        guard let dataset = session.datasets[settings.dataset] else {
            throw StudyError.executor(reason: "the data set \(settings.dataset) went missing")
        }
        var shared = 0.0
        var assignment: ClusterAssignment?
        if let key = experiment.clustering(run: run.run) {
            let clustering = try clustering(key, of: dataset, session)
            shared = clustering.seconds / Double(session.plan.clusteringUses[key] ?? 1)
            assignment = clustering.assignment
        }
        var random = RandomStream(seed: settings.seed, run: run.run, purpose: .selection)
        let clock = ContinuousClock()
        let start = clock.now
        let selection: Selection
        do {
            selection = try experiment.selection.select(
                count: dataset.shape.count, assignment: assignment, classes: dataset.classes, random: &random)
        } catch {
            throw StudyError.pruning(error)
        }
        let seconds = shared + (clock.now - start) / .seconds(1)
        try session.directory.arrays.store(selection, for: run)
        let job = TrainingJob(
            experimentID: run.experimentID, run: run.run, dataset: settings.dataset, indices: selection.indices,
            seed: settings.seed, duration: settings.duration, batchSize: settings.batchSize,
            learningRate: settings.learningRate)
        return Prepared(run: run, selection: selection, selectionSeconds: seconds, job: job)
    }

    private func clustering(
        _ key: ClusteringKey, of dataset: StudyDataset, _ session: Session
    ) throws -> StudyArrays.StoredClustering {
        if let clustering = session.clusterings[key] { return clustering }
        let clustering: StudyArrays.StoredClustering
        if let stored = session.directory.arrays.clustering(key, fingerprint: dataset.fingerprint) {
            clustering = stored
        } else {
            report(.fitting(key))
            let clock = ContinuousClock()
            let start = clock.now
            let assignment = try executor.fit(key, cancellation: cancellation)
            clustering = .init(assignment: assignment, seconds: (clock.now - start) / .seconds(1))
            try session.directory.arrays.store(clustering, for: key, fingerprint: dataset.fingerprint)
            if let components = key.pcaComponents, let spectrum = executor.lastSpectrum {
                try session.directory.arrays.store(
                    spectrum, dataset: key.dataset, components: components, fingerprint: dataset.fingerprint)
            }
        }
        session.clusterings[key] = clustering
        return clustering
    }

    private func train(_ prepared: [Prepared], _ session: Session) throws {
        var rest = prepared[...]
        while !rest.isEmpty {
            try cancellation.check()
            let batch = Array(rest.prefix(replicas))
            let jobs = batch.map(\.job)
            report(.training(jobs))
            let outcomes: [TrainingOutcome]
            do {
                outcomes = try executor.train(jobs, cancellation: cancellation)
            } catch let error as ComputeError {
                guard error.isOutOfMemory, batch.count > 1 else { throw error }
                replicas = batch.count / 2
                report(.notice("\(error); going on with \(replicas) at once"))
                continue
            }
            try record(outcomes, of: batch, session)
            rest = rest.dropFirst(batch.count)
        }
    }

    private func record(_ outcomes: [TrainingOutcome], of batch: [Prepared], _ session: Session) throws {
        guard outcomes.count == batch.count, outcomes.allSatisfy({ $0.count > 0 }) else {
            throw StudyError.executor(reason: "\(outcomes.count) outcomes came back for \(batch.count) jobs")
        }
        let records = zip(batch, outcomes).map { prepared, outcome in
            RunRecord(
                experimentID: prepared.run.experimentID, runID: prepared.run.runID, outcome: outcome,
                selectionSeconds: prepared.selectionSeconds, requested: prepared.selection.requested,
                kept: prepared.selection.kept, perClass: prepared.selection.perClass, device: executor.device)
        }
        let before = session.log.records.count
        try session.log.append(records)
        for (index, record) in records.enumerated() {
            report(
                .finished(
                    record, experiment: session.plan.experiment(record.experimentID), done: before + index + 1,
                    total: session.plan.runs.count))
        }
        try writeTables(StudyResults(plan: session.plan, records: session.log.records), path)
    }
}

/// What a session holds while it runs.
private final class Session {
    let plan: StudyPlan
    let datasets: [String: StudyDataset]
    let directory: StudyDirectory
    let log: RunLog
    var clusterings: [ClusteringKey: StudyArrays.StoredClustering] = [:]

    init(plan: StudyPlan, datasets: [String: StudyDataset], directory: StudyDirectory, log: RunLog) {
        self.plan = plan
        self.datasets = datasets
        self.directory = directory
        self.log = log
    }

    private struct Training: Hashable {
        let dataset: String
        let size: Int
        let duration: TrainingDuration
        let batchSize: Int
        let learningRate: Double
    }

    /// The runs that are left, those together that may train together, in the order of the first of each.
    func pendingByTraining() -> [[PlannedRun]] {
        let finished = Set(log.records.map(\.plannedRun))
        var order: [Training] = []
        var groups: [Training: [PlannedRun]] = [:]
        for run in plan.runs where !finished.contains(run) {
            let experiment = plan.experiment(run.experimentID)
            let settings = experiment.settings
            let training = Training(
                dataset: settings.dataset, size: experiment.size, duration: settings.duration,
                batchSize: settings.batchSize, learningRate: settings.learningRate)
            if groups[training] == nil { order.append(training) }
            groups[training, default: []].append(run)
        }
        return order.compactMap { groups[$0] }
    }
}
