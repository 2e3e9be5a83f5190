import Reports
import Studies

/// What happens in a study, as lines and one bar on stderr.
final class StudyProgress {
    private let quiet: Bool
    private var bar: ProgressBar?
    private var plan: StudyPlan?
    private var names: CaseNames?
    /// Images of the part that is run: those that were seen by networks which are finished, and by all.
    private var finished = 0.0
    private var total = 0.0
    /// Those of `total` that are for artifacts which are still to be made.
    private var awaited = 0.0
    /// Images of the networks under way that tune settings or make an artifact, which no run's end will count.
    private var underway = 0.0
    private var best = BestCase()

    init(quiet: Bool) { self.quiet = quiet }

    func hear(_ event: StudyEvent) {
        if case .advanced(let images) = event { return training(images: images) }
        finished += underway
        underway = 0
        switch event {
        case .notice(let line): note(line)
        case .warning(let line):
            bar?.finish()
            Terminal.note("warning: \(line)", quiet: false)
        case .advanced: break
        case .began(let plan, let part, let finished, let artifactImages):
            awaited = Double(artifactImages)
            total += awaited
            begin(plan, part, finished)
        case .making(let key, let images):
            underway = Double(images)
            // What was stored but found to be damaged or stale comes on top.
            total += max(0, underway - awaited)
            awaited = max(0, awaited - underway)
            note(key.kind.title)
        case .tuning(let experiment):
            total += experiment.tuningImages
            note("tuning experiment \(experiment.id): \(names?.name(experiment) ?? "")")
        case .training(let jobs):
            for job in jobs where job.evaluatedOn == .validation {
                underway += Double(job.recipe.images(kept: job.indices.count))
            }
        case .finished(let record, let experiment, let done, let all):
            let images = Double(record.images ?? experiment.recipe.images(kept: record.kept))
            finished += images
            // The article's quota may keep fewer than were planned.
            total += images - Double(experiment.recipe.images(kept: experiment.size))
            best.add([record])
            note(
                "[\(done)/\(all)] \(names?.name(experiment) ?? ""), \(record.kept) kept, run \(record.runID): "
                    + "\(StudyText.outcome(record)), \(fixed(record.time, 2)) s"
                    + (record.deviceNumber.map { ", device \($0)" } ?? ""))
        }
    }

    private func begin(_ plan: StudyPlan, _ part: [PlannedRun], _ records: [RunRecord]) {
        self.plan = plan
        names = CaseNames(plan)
        for run in part {
            let experiment = plan.experiment(run.experimentID)
            total += Double(experiment.recipe.images(kept: experiment.size))
        }
        let part = Set(part)
        var count = 0
        for record in records where part.contains(record.plannedRun) {
            let experiment = plan.experiment(record.experimentID)
            let images = Double(record.images ?? experiment.recipe.images(kept: record.kept))
            finished += images
            total += images - Double(experiment.recipe.images(kept: experiment.size))
            count += 1
        }
        best.add(records)
        let share = part.count == plan.runs.count ? "" : " of \(plan.runs.count)"
        let done = count == 0 ? "" : ", \(count) are finished"
        note("\(plan.experiments.count) experiments, \(part.count)\(share) runs\(done)")
        bar = ProgressBar("study", unit: "\(plan.unit)s", quiet: quiet, done: finished)
    }

    func training(images: Int) { bar?.update(finished + Double(images), of: total, note: bestSoFar) }

    private var bestSoFar: String {
        guard let plan, let names, let id = best.experimentID else { return "" }
        return "best \(fixed(best.medianAccuracy, 2))% (\(names.label(plan.experiment(id))))"
    }

    func finish() { bar?.finish() }

    private func note(_ line: String) {
        bar?.finish()
        Terminal.note(line, quiet: quiet)
    }
}
