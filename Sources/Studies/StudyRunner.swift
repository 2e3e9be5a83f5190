import Compute
import Datasets
import Networks
import Pruning
import Scoring
import Support

/// What happens while a study runs.
package enum StudyEvent {
    /// A line for whoever watches.
    case notice(String)
    /// A line that is printed even with `--quiet`.
    case warning(String)
    /// The plan stands, this is the part of it to run, and these runs of the plan were finished before. Networks that are
    /// trained for artifacts which are still to be made will see so many images.
    case began(StudyPlan, part: [PlannedRun], finished: [RunRecord], artifactImages: Int)
    /// An artifact is being made, whose networks see so many images.
    case making(ArtifactKey, images: Int)
    /// An experiment's settings are being tuned on the validation split.
    case tuning(Experiment)
    /// These networks are being trained together.
    case training([TrainingJob])
    /// The networks that train on several devices have seen this many images.
    case advanced(images: Int)
    /// A run is finished and on the disk; `done` and `total` count the part that is run.
    case finished(RunRecord, experiment: Experiment, done: Int, total: Int)
}

/// Runs a study, or one shard of it, into its directory and goes on where an earlier session stopped.
///
/// Runs of one kept size that train alike share their launches, up to `replicas` of them. A run counts as finished
/// once its line in the run log is on the disk; whatever ends the program later cannot take it back.
package final class StudyRunner {
    /// The shards that were still at work when this one was done. The last of them writes the tables.
    package private(set) var othersAtWork: [Shard] = []

    private let study: Study
    private let path: String
    private let shard: Shard?
    private let executor: any StudyExecutor
    private let wantedReplicas: Int?
    private let mounts: MountTable
    private var replicas = 1
    /// SHA-256 of the files of scores that are there, by their names.
    private var scoreChecksums: [String: String] = [:]
    /// The experiments whose small classes were noted.
    private var noted: Set<Int> = []
    private let environment: () -> [String: String]
    let cancellation: CancellationFlag
    private let writeTables: (StudyResults, String) throws -> Void
    let report: (StudyEvent) -> Void

    /// Prepares a run; nothing is read or written yet.
    /// - Parameters:
    ///   - directory: the output directory.
    ///   - shard: the part to run; nil for all of it.
    ///   - replicas: how many networks may train together; what the executor likes where nil. Halved where the device
    ///     has no room for them.
    ///   - mounts: the file systems that this process sees, whose locks several shards need.
    ///   - environment: versions, device, driver and the like, kept in `environment.json`; asked for once the executor
    ///     is prepared.
    ///   - cancellation: once raised, the study stops before its next step, and the executor as soon as it can.
    ///   - writeTables: writes the tables of the results so far into the directory; called at the end, and now and then
    ///     before. Shards leave it to the last of them.
    ///   - report: hears of every event.
    package init(
        _ study: Study, directory: String, shard: Shard? = nil, executor: any StudyExecutor, replicas: Int? = nil,
        mounts: MountTable = .ofThisProcess,
        environment: @escaping @autoclosure () -> [String: String] = [:],
        cancellation: CancellationFlag = CancellationFlag(),
        writeTables: @escaping (StudyResults, String) throws -> Void = { _, _ in },
        report: @escaping (StudyEvent) -> Void = { _ in }
    ) {
        self.study = study
        path = directory
        self.shard = shard
        self.executor = executor
        wantedReplicas = replicas
        self.mounts = mounts
        self.environment = environment
        self.cancellation = cancellation
        self.writeTables = writeTables
        self.report = report
    }

    /// Runs what is not finished yet.
    /// - Returns: all results that are known, those of earlier sessions and other shards included.
    /// - Throws: ``StudyError``, `.interrupted` where the flag was raised, `.device` where the device failed; and the
    ///   executor's own errors.
    package func run() throws -> StudyResults {
        (executor as? DevicePool)?.hear = announce
        defer { (executor as? DevicePool)?.hear = { _ in } }
        if let shard, shard.count > 1 { try StudyDirectory.checkLocks(of: path, mounts) }
        var datasets: [String: StudyDataset] = [:]
        for name in study.datasets { datasets[name] = try executor.dataset(TrainingSet(name)) }
        let plan = try StudyPlan(study, shapes: datasets.mapValues(\.shape))
        var sets: [TrainingSet: StudyDataset] = [:]
        for set in plan.trainingSets { sets[set] = try executor.dataset(set) }
        let part = shard.map(plan.runs) ?? plan.runs
        // Before the directory, which a study that cannot run must not claim.
        scoreChecksums = try checksums(of: plan)
        if let run = firstUnfinished(of: part) {
            try checkScoreFiles(of: plan, datasets)
            try executor.checkMemory(of: plan, in: study)
            try executor.prepare(for: plan.experiment(run.experimentID).recipe, later: [])
        }
        let directory: StudyDirectory
        do {
            directory = try StudyDirectory(
                path, for: study, plan: plan, datasets: datasets, scoreFiles: scoreChecksums, shard: shard,
                cancellation: cancellation)
        } catch is CancellationError {
            throw StudyError.interrupted(finished: 0, total: part.count)
        }
        let session = StudySession(plan: plan, part: part, sets: sets, directory: directory)
        return try withExtendedLifetime(directory) { try run(session) }
    }

    /// The first run that is left to compute, as far as a look without a lock can tell; nil where there is none.
    private func firstUnfinished(of part: [PlannedRun]) -> PlannedRun? {
        guard let stored = try? StudyContents(reading: path), case .same = stored.study.continuation(as: study) else {
            return part.first
        }
        return part.first { stored.records[$0] == nil }
    }

    /// SHA-256 of the files of scores that are there, by their names.
    private func checksums(of plan: StudyPlan) throws -> [String: String] {
        var checksums: [String: String] = [:]
        for key in plan.artifactUses.keys {
            guard let score = key.kind as? ScoreKey, let file = score.file, checksums[score.score] == nil, file.exists
            else { continue }
            checksums[score.score] = try checksum(ofFile: file.path)
        }
        return checksums
    }

    /// Reads the files of scores that no copy was made of yet, so that nothing is computed or changed before one is found
    /// missing or damaged.
    private func checkScoreFiles(of plan: StudyPlan, _ datasets: [String: StudyDataset]) throws {
        for key in plan.artifactUses.keys {
            guard let score = key.kind as? ScoreKey, let file = score.file, let dataset = datasets[score.dataset] else {
                continue
            }
            if StudyArrays(directory: path).artifact(key, fingerprint: dataset.fingerprint) != nil { continue }
            _ = try ScoreFile.scores(file.path, count: dataset.shape.count)
        }
    }

    private func run(_ session: StudySession) throws -> StudyResults {
        let data = session.plan.trainingSets.flatMap { session.sets[$0]?.notices ?? [] }
        for notice in data + session.plan.notices + session.directory.notices { report(.notice(notice)) }
        let artifactImages = session.pendingArtifacts.reduce(0) { $0 + imagesToTrain(for: $1, session) }
        report(
            .began(
                session.plan, part: session.part, finished: session.log.records, artifactImages: artifactImages))
        do {
            if let pool = executor as? DevicePool {
                try spread(session, over: pool)
            } else {
                try runInTurn(session)
            }
        } catch {
            // The log has what is finished. Tables and joined logs are for whoever looks before the study goes on, and
            // what keeps them from being written must not hide what ended the study.
            _ = try? finish(session)
            switch error {
            case is CancellationError:
                throw StudyError.interrupted(finished: session.finished, total: session.part.count)
            case let error as ComputeError:
                throw StudyError.device(error, finished: session.finished, total: session.part.count)
            default: throw error
            }
        }
        return try finish(session)
    }

    /// Trains the remaining runs on one device.
    private func runInTurn(_ session: StudySession) throws {
        let pending = session.pendingByTraining()
        let recipes = pending.map(\.recipe)
        var lastUse: [TrainingRecipe: Int] = [:]
        for (index, recipe) in recipes.enumerated() { lastUse[recipe] = index }
        for (index, group) in pending.enumerated() {
            if index == 0 || recipes[index] != recipes[index - 1] {
                let later = lastUse.filter { $0.value > index }.keys
                try executor.prepare(for: group.recipe, later: Set(later))
            }
            if index == 0 {
                try begin(session)
                try checkArtifacts(session)
            }
            try run(group.runs, session)
        }
    }

    /// Images that networks will see that are trained for an artifact; 0 where it is stored.
    private func imagesToTrain(for key: ArtifactKey, _ session: StudySession) -> Int {
        guard let dataset = session.sets[key.kind.trainingSet], let images = session.plan.imagesOfArtifacts[key],
            session.directory.arrays.artifact(key, fingerprint: dataset.fingerprint) == nil
        else { return 0 }
        return images
    }

    /// Records the session once the device is known.
    func begin(_ session: StudySession) throws {
        replicas = max(1, wantedReplicas ?? executor.suggestedReplicas)
        try session.directory.note(session: environment())
        let devices = (executor as? DevicePool)?.devices ?? [executor.device]
        if let other = session.log.records.first(where: { !devices.contains($0.device) }) {
            let names = devices.joined(separator: " and ")
            report(.notice("earlier runs were made on \(other.device), these are made on \(names); rows say which"))
        }
    }

    /// Checks the artifacts that are to be made, before the first of them takes its time.
    func checkArtifacts(_ session: StudySession) throws {
        for key in session.pendingArtifacts {
            guard key.kind.canBeChecked, let dataset = session.sets[key.kind.trainingSet],
                session.directory.arrays.artifact(key, fingerprint: dataset.fingerprint) == nil
            else { continue }
            let found = ScoreInput(count: dataset.shape.count, classes: dataset.classes)
            do { try executor.check(key, from: found, cancellation: cancellation) } catch let error as ScoringError {
                throw StudyError.invalid(place(of: key), reason: "\(error)")
            }
        }
    }

    /// Where the study gives the `gamma` of a score; the entry of the first experiment that has it nowhere.
    private func place(of key: ArtifactKey) -> SourcePlace {
        let gamma = (key.kind as? ScoreKey)?.parameters.gamma
        let group = study.groups.first { group in
            group.settings.scores.gamma == gamma
                || group.settings.tuningValues[.gamma]?.contains { $0 == gamma } == true
        }
        return (group ?? study.groups[0]).places["gamma"]
    }

    /// Writes the tables, also where nothing was left to do: they may be of an older make, or missing.
    private func finish(_ session: StudySession) throws -> StudyResults {
        guard shard != nil else { return try session.writeTables(writeTables) }
        var results: StudyResults?
        let before = session.directory.notices
        othersAtWork = try session.directory.leave { log in
            let whole = StudyResults(plan: session.plan, records: log.records)
            try writeTables(whole, path)
            results = whole
        }
        for notice in session.directory.notices where !before.contains(notice) { report(.notice(notice)) }
        return results ?? StudyResults(plan: session.plan, records: session.log.records)
    }

    /// Selects for runs that were requested alike and trains those together that keep alike.
    private func run(_ runs: [PlannedRun], _ session: StudySession) throws {
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

    /// A run and the samples that it keeps.
    struct Prepared {
        let run: PlannedRun
        let selection: KeptSamples
        let selectionSeconds: Double
        let tuned: [String: Double]?
        let job: TrainingJob
    }

    func prepare(_ run: PlannedRun, _ session: StudySession) throws -> Prepared {
        let planned = session.plan.experiment(run.experimentID)
        let tuned = try tuned(planned, session)
        let experiment = tuned.experiment
        let common = Set(tuned.values == nil ? [] : planned.commonArtifacts(run: run.run))
        let selected = try select(run: run.run, of: experiment, session) { key, stored in
            let uses = session.plan.artifactUses[key] ?? 0
            if tuned.values == nil || common.contains(key) { return stored.seconds / Double(max(1, uses)) }
            if tuned.paid.contains(key) { return 0 }
            // Which runs will need the others was not known to those that have paid: the shares may come to more than it took,
            // never to less.
            let sharers = (0..<experiment.runs).count { experiment.artifacts(run: $0).contains(key) }
            return stored.seconds / Double(max(1, uses + sharers))
        }
        let selection = selected.kept
        if let note = selection.shortClassesNote, noted.insert(run.experimentID).inserted {
            report(.notice("experiment \(run.experimentID): \(note)"))
        }
        let dataset = try dataset(of: experiment, session)
        var job = TrainingJob(
            experimentID: run.experimentID, run: run.run, indices: selection.indices, seed: experiment.seed,
            recipe: experiment.recipe)
        if experiment.selection.resamples {
            job.resampling = RepeatedSampling(
                of: Array(0..<dataset.shape.count), size: selection.kept, seed: experiment.seed, run: run.run)
        } else {
            try session.directory.arrays.store(selection.indices, for: run, origins: dataset.origins)
        }
        return Prepared(
            run: run, selection: selection, selectionSeconds: tuned.share + selected.seconds,
            tuned: tuned.values, job: job)
    }

    /// The training set of an experiment.
    func dataset(of experiment: Experiment, _ session: StudySession) throws -> StudyDataset {
        guard let dataset = session.sets[experiment.recipe.trainingSet] else {
            throw StudyError.executor(reason: "the data set \(experiment.recipe.dataset) went missing")
        }
        return dataset
    }

    /// What run `run` (from 0) of an experiment keeps, and the seconds that this took with its share of what it needs.
    func select(
        run: Int, of experiment: Experiment, _ session: StudySession,
        share: (ArtifactKey, StudyArrays.StoredArtifact) -> Double
    ) throws -> (kept: KeptSamples, seconds: Double) {
        let dataset = try dataset(of: experiment, session)
        var shared = 0.0
        var found = ScoreInput(
            count: dataset.shape.count, classes: dataset.classes, size: experiment.size,
            parameters: experiment.scoring?.parameters ?? ScoreParameters())
        for key in experiment.artifacts(run: run) {
            let stored = try artifact(key, of: dataset, from: found, session)
            shared += share(key, stored)
            key.kind.provide(stored.artifact, to: &found)
        }
        var random = RandomStream(seed: experiment.seed, run: run, purpose: .selection)
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let input = try experiment.selection.input(
                count: dataset.shape.count, classes: dataset.classes, from: found)
            let kept = try experiment.selection.select(experiment.requested, from: input, random: &random)
            return (kept, shared + (clock.now - start) / .seconds(1))
        } catch let error as PruningError {
            throw StudyError.pruning(error)
        }
    }

    /// An artifact from memory, from the disk, or made now.
    private func artifact(
        _ key: ArtifactKey, of dataset: StudyDataset, from found: ScoreInput, _ session: StudySession
    ) throws -> StudyArrays.StoredArtifact {
        if let artifact = session.take(key) { return artifact }
        let arrays = session.directory.arrays
        if let stored = arrays.artifact(key, fingerprint: dataset.fingerprint) {
            guard let change = key.kind.change(since: stored.artifact) else { return session.keep(stored, for: key) }
            // Where no run was selected by what is kept, it is made anew.
            guard session.log.records.isEmpty else {
                throw StudyError.otherStudy(directory: path, difference: change)
            }
        }
        // Another shard may be about to make it, or at it.
        let lock = try arrays.lock(of: key)
        try lock.wait(.exclusive, cancellation: cancellation) {
            report(.notice("waiting for another process that \(key.making)"))
        }
        defer { lock.release() }
        if let stored = arrays.artifact(key, fingerprint: dataset.fingerprint),
            key.kind.change(since: stored.artifact) == nil
        {
            return session.keep(stored, for: key)
        }
        report(.making(key, images: key.kind.trainedImages(count: dataset.shape.count)))
        let clock = ContinuousClock()
        let start = clock.now
        let artifact = try executor.make(key, from: found, cancellation: cancellation)
        if let score = key.kind as? ScoreKey, let file = score.file,
            let before = scoreChecksums[score.score], try checksum(ofFile: file.path) != before
        {
            throw StudyError.otherStudy(directory: path, difference: ScoreFile.change(of: score.score))
        }
        let seconds = (clock.now - start) / .seconds(1) - artifact.uncountedSeconds
        let stored = StudyArrays.StoredArtifact(artifact: artifact, seconds: max(0, seconds))
        try arrays.store(stored, for: key, count: dataset.shape.count, fingerprint: dataset.fingerprint)
        return session.keep(stored, for: key)
    }

    private func train(_ prepared: [Prepared], _ session: StudySession) throws {
        var rest = prepared[...]
        while !rest.isEmpty {
            try cancellation.check()
            let outcomes = try trainTogether(rest.map(\.job))
            try record(outcomes, of: Array(rest.prefix(outcomes.count)), session, on: executor.device)
            rest = rest.dropFirst(outcomes.count)
        }
    }

    /// Trains the first of `jobs`, as many as go together.
    /// - Returns: their outcomes, one at the least.
    func trainTogether(_ jobs: [TrainingJob]) throws -> [TrainingOutcome] {
        while true {
            try cancellation.check()
            let batch = Array(jobs.prefix(replicas))
            report(.training(batch))
            do {
                let outcomes = try executor.train(batch, cancellation: cancellation)
                guard outcomes.count == batch.count, outcomes.allSatisfy({ $0.count > 0 }) else {
                    throw StudyError.executor(reason: "\(outcomes.count) outcomes came back for \(batch.count) jobs")
                }
                return outcomes
            } catch let error as ComputeError {
                guard error.isOutOfMemory, batch.count > 1 else { throw error }
                replicas = batch.count / 2
                report(.notice("\(error); going on with \(replicas) at once"))
            }
        }
    }

    /// Puts finished runs on the disk.
    /// - Parameters:
    ///   - device: the device that they were made on.
    ///   - number: its number, counted from 1; nil if the study has one device.
    func record(
        _ outcomes: [TrainingOutcome], of batch: [Prepared], _ session: StudySession, on device: String,
        number: Int? = nil
    ) throws {
        for (prepared, outcome) in zip(batch, outcomes) {
            guard (prepared.job.resampling == nil) == (outcome.seen == nil) else {
                throw StudyError.executor(
                    reason:
                        "the executor named the samples seen of a run that does not resample, or none of one that does")
            }
            guard (prepared.job.recipe.dynamic == nil) == (outcome.work == nil) else {
                throw StudyError.executor(
                    reason:
                        "the executor counted the steps of a run whose epochs take all samples, or not those of one whose do not"
                )
            }
            guard let seen = outcome.seen else { continue }
            let experiment = session.plan.experiment(prepared.run.experimentID)
            try session.directory.arrays.store(
                seen, for: prepared.run, origins: dataset(of: experiment, session).origins)
        }
        let records = zip(batch, outcomes).map { prepared, outcome in
            RunRecord(
                experimentID: prepared.run.experimentID, runID: prepared.run.runID, outcome: outcome,
                selectionSeconds: prepared.selectionSeconds, requested: prepared.selection.requested,
                kept: prepared.selection.kept, perClass: prepared.selection.perClass, tuned: prepared.tuned,
                device: device, deviceNumber: number)
        }
        // A finished run's selection is on the disk before the run is, under its name.
        OutputFile.sync(directory: path + "/selections")
        try session.log.append(records)
        for record in records {
            session.finished += 1
            report(
                .finished(
                    record, experiment: session.plan.experiment(record.experimentID), done: session.finished,
                    total: session.part.count))
        }
        if shard == nil { try session.writeTablesNowAndThen(writeTables) }
    }
}
