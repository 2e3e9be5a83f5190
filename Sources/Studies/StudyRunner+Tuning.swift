import Pruning
import Scoring
import Support

/// An experiment with its settings as tuning left them.
struct TunedExperiment {
    let experiment: Experiment
    /// The values that tuning chose, by the settings' names; nil where there was nothing to tune.
    let values: [String: Double]?
    /// What tuning needed, and has paid its share of.
    var paid: Set<ArtifactKey> = []
    /// What tuning took.
    var seconds = 0.0
    /// How many runs were planned when these were shared out. Runs that are added later take as large a share.
    var sharers = 1

    /// A run's share of what tuning took.
    var share: Double { seconds / Double(sharers) }
}

extension StudyRunner {
    /// The experiment with the best of its candidates, tuned now where that is not known yet.
    ///
    /// Where runs are finished, what they were made with is kept to, even if the file of tuning is lost.
    func tuned(_ experiment: Experiment, _ session: StudySession) throws -> TunedExperiment {
        if experiment.candidates.isEmpty { return TunedExperiment(experiment: experiment, values: nil) }
        if let known = session.tuned[experiment.id] { return known }
        let arrays = session.directory.arrays
        let key = experiment.tuningKey(fingerprint: try dataset(of: experiment, session).fingerprint)
        let finished = session.log.records.lazy.filter { $0.experimentID == experiment.id }.compactMap(\.tuned).first
        var tuned: TunedExperiment
        if let finished, let candidate = experiment.candidates.first(where: { $0.byName == finished }) {
            tuned = TunedExperiment(experiment: experiment.choosing(candidate), values: finished)
            if let outcome = arrays.tuning(of: experiment) {
                (tuned.seconds, tuned.sharers) = (outcome.seconds, outcome.runs)
            } else {
                report(
                    .notice(
                        "experiment \(experiment.id) was tuned before, and its file in tuning/ is gone or damaged: the runs"
                            + " that are left carry no share of what tuning took"))
            }
        } else {
            let outcome = try tuning(experiment, key: key, session)
            let best = outcome.best
            tuned = TunedExperiment(
                experiment: experiment.choosing(experiment.candidates[best]), values: outcome.trials[best].values,
                seconds: outcome.seconds, sharers: outcome.runs)
        }
        tuned.paid = Set(experiment.tuningUses.keys)
        session.note(tuned, for: experiment)
        return tuned
    }

    private func tuning(_ experiment: Experiment, key: String, _ session: StudySession) throws -> TuningOutcome {
        let arrays = session.directory.arrays
        if let stored = arrays.tuning(of: experiment, key: key) { return stored }
        // Another shard may be about to tune it, or at it.
        let lock = try arrays.tuningLock(of: experiment)
        try lock.wait(.exclusive, cancellation: cancellation) {
            report(.notice("waiting for another process that tunes experiment \(experiment.id)"))
        }
        defer { lock.release() }
        if let stored = arrays.tuning(of: experiment, key: key) { return stored }
        report(.tuning(experiment))
        let outcome = try tune(experiment, key: key, session)
        if outcome.trials[outcome.best].median < 0 {
            report(
                .notice(
                    "experiment \(experiment.id): the networks of every candidate diverged on the validation split; the first"
                        + " values are used"))
        }
        try arrays.store(outcome, of: experiment)
        return outcome
    }

    /// Trains the first runs of every candidate, and evaluates them on the validation split.
    private func tune(_ experiment: Experiment, key: String, _ session: StudySession) throws -> TuningOutcome {
        var trials = experiment.candidates.map { TuningOutcome.Trial(values: $0.byName, accuracies: []) }
        var seconds = 0.0
        var jobs: [(candidate: Int, job: TrainingJob)] = []
        // All candidates of a run before the next run: what they share is then made, or read, once.
        for run in 0..<TuningCandidate.runs {
            for (place, candidate) in experiment.candidates.enumerated() {
                try cancellation.check()
                let selected = try select(run: run, of: experiment.choosing(candidate), session) { key, stored in
                    stored.seconds / Double(session.plan.artifactUses[key] ?? 1)
                }
                seconds += selected.seconds
                let job = TrainingJob(
                    experimentID: experiment.id, run: run, indices: selected.kept.indices, seed: experiment.seed,
                    recipe: experiment.recipe, evaluatedOn: .validation)
                jobs.append((place, job))
            }
        }
        // What keeps alike trains together.
        for (_, alike) in Dictionary(grouping: jobs, by: \.job.indices.count).sorted(by: { $0.key < $1.key }) {
            var rest = alike[...]
            while !rest.isEmpty {
                let outcomes = try trainTogether(rest.map(\.job))
                for (job, outcome) in zip(rest, outcomes) {
                    trials[job.candidate].accuracies.append(outcome.accuracy)
                    seconds += outcome.trainingSeconds + outcome.evaluationSeconds
                }
                rest = rest.dropFirst(outcomes.count)
            }
        }
        return TuningOutcome(key: key, runs: experiment.runs, trials: trials, seconds: seconds).sealed
    }
}

extension TuningCandidate {
    /// Its values by the settings' names.
    var byName: [String: Double] {
        Dictionary(uniqueKeysWithValues: values.map { ($0.setting.rawValue, $0.value) })
    }
}

extension StudyArrays {
    private func file(of experiment: Experiment) -> String { "\(directory)/tuning/experiment\(experiment.id).json" }

    /// The lock of whoever tunes an experiment. It makes the folder.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func tuningLock(of experiment: Experiment) throws(StudyError) -> FileLock {
        try OutputFile.makeDirectory("\(directory)/tuning")
        return try FileLock("\(directory)/tuning/.lock.experiment\(experiment.id)")
    }

    /// What tuning found before; nil where there is nothing that is whole, or it is of other candidates or data.
    /// - Parameter key: what it must be of; anything where nil.
    func tuning(of experiment: Experiment, key: String? = nil) -> TuningOutcome? {
        guard let outcome = read(TuningOutcome.self, from: file(of: experiment)), key == nil || outcome.key == key,
            outcome == outcome.sealed, outcome.runs > 0,
            outcome.trials.map(\.values) == experiment.candidates.map(\.byName),
            outcome.trials.allSatisfy({ $0.accuracies.count == TuningCandidate.runs })
        else { return nil }
        return outcome
    }

    /// Keeps what tuning found.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func store(_ outcome: TuningOutcome, of experiment: Experiment) throws(StudyError) {
        try write(outcome, to: file(of: experiment))
    }
}
