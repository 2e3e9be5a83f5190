import Pruning
import Scoring
import Support

/// An experiment as its runs are made, once the validation split has decided on its settings.
struct SettledExperiment {
    let experiment: Experiment
    /// What was decided, by the settings' names; nil where there was nothing to decide.
    let tuned: [String: Double]?
    /// Each run's share of what deciding took.
    let seconds: Double
}

extension StudyRunner {
    /// The experiment with the best of its candidates, decided now where it is not known yet.
    func settled(_ experiment: Experiment, _ session: StudySession) throws -> SettledExperiment {
        if experiment.candidates.isEmpty {
            return SettledExperiment(experiment: experiment, tuned: nil, seconds: 0)
        }
        if let known = session.settled[experiment.id] { return known }
        let outcome = try tuning(experiment, session)
        let best = outcome.best
        let settled = SettledExperiment(
            experiment: experiment.choosing(experiment.candidates[best]), tuned: outcome.trials[best].values,
            seconds: outcome.seconds / Double(experiment.runs))
        session.settled[experiment.id] = settled
        return settled
    }

    private func tuning(_ experiment: Experiment, _ session: StudySession) throws -> TuningOutcome {
        let key = experiment.tuningKey(fingerprint: try dataset(of: experiment, session).fingerprint)
        let arrays = session.directory.arrays
        if let stored = arrays.tuning(of: experiment, key: key) { return stored }
        // Another shard may be about to decide, or at it.
        let lock = try arrays.tuningLock(of: experiment)
        try lock.wait(.exclusive, cancellation: cancellation) {
            report(.notice("waiting for another process that tunes experiment \(experiment.id)"))
        }
        defer { lock.release() }
        if let stored = arrays.tuning(of: experiment, key: key) { return stored }
        report(.tuning(experiment))
        let outcome = try decide(experiment, key: key, session)
        try arrays.store(outcome, of: experiment)
        return outcome
    }

    /// Trains the first runs of every candidate, and judges them on the validation split.
    private func decide(_ experiment: Experiment, key: String, _ session: StudySession) throws -> TuningOutcome {
        var trials = experiment.candidates.map { candidate in
            let values = candidate.values.map { ($0.setting.rawValue, $0.value) }
            return TuningOutcome.Trial(values: Dictionary(uniqueKeysWithValues: values), accuracies: [])
        }
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
                jobs.append(
                    (
                        place,
                        TrainingJob(
                            experimentID: experiment.id, run: run, indices: selected.kept.indices,
                            seed: experiment.seed, recipe: experiment.recipe, judge: .validation)
                    ))
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
        return TuningOutcome(key: key, trials: trials, seconds: seconds)
    }
}

extension StudyArrays {
    private func file(of experiment: Experiment) -> String { "\(directory)/tuning/experiment\(experiment.id).json" }

    /// The lock of whoever decides for an experiment. It makes the folder.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func tuningLock(of experiment: Experiment) throws(StudyError) -> FileLock {
        try OutputFile.makeDirectory("\(directory)/tuning")
        return try FileLock("\(directory)/tuning/.lock.experiment\(experiment.id)")
    }

    /// What was decided before; nil where nothing was, or between other candidates or by other data.
    func tuning(of experiment: Experiment, key: String) -> TuningOutcome? {
        guard let outcome = read(TuningOutcome.self, from: file(of: experiment)), outcome.key == key,
            outcome.trials.count == experiment.candidates.count,
            outcome.trials.allSatisfy({ $0.accuracies.count == TuningCandidate.runs })
        else { return nil }
        return outcome
    }

    /// Keeps what was decided.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func store(_ outcome: TuningOutcome, of experiment: Experiment) throws(StudyError) {
        try write(outcome, to: file(of: experiment))
    }
}
