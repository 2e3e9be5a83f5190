import Foundation
import Support

/// The lines of a run log, each judged: a finished run of the plan, one that stands there twice, or rubbish.
struct RunLines {
    /// A line that is no finished run of the plan, or the second and different one of a run.
    struct Rejected {
        /// Counted from 1.
        let line: Int
        let bytes: Data
        let isRepetition: Bool
    }

    /// The finished runs in the file's order, each once, those known from elsewhere left out.
    private(set) var records: [RunRecord] = []
    /// The lines of these records, as they stand in the file.
    private(set) var text = ""
    /// Whole lines that cannot be used.
    private(set) var rejected: [Rejected] = []
    /// The number and the first byte of a last line that was cut off.
    private(set) var torn: (line: Int, offset: Int)?
    /// Whether the last line is whole but for its end.
    private(set) var lacksEnd = false

    /// Judges the lines of `bytes`.
    /// - Parameter seen: runs that are known from elsewhere; those that are found are added.
    init(_ bytes: Data, plan: StudyPlan, seen: inout [PlannedRun: RunRecord]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty {
            let isLast = index == lines.count - 1
            let record = try? JSON.value(RunRecord.self, of: line)
            if let record, plan.accepts(record) {
                lacksEnd = isLast
                if let before = seen[record.plannedRun] {
                    // The same line twice is what a crash leaves between two steps of joining logs.
                    if before != record {
                        rejected.append(Rejected(line: index + 1, bytes: Data(line), isRepetition: true))
                    }
                } else {
                    seen[record.plannedRun] = record
                    records.append(record)
                    text += String(decoding: line, as: UTF8.self) + "\n"
                }
            } else if isLast {
                torn = (index + 1, line.startIndex - bytes.startIndex)
            } else {
                rejected.append(Rejected(line: index + 1, bytes: Data(line), isRepetition: false))
            }
        }
    }

    /// What is wrong with whole lines of the file `path`.
    /// - Parameter fate: what is done with those that are no finished run.
    func notices(_ path: String, rejectedAre fate: String) -> [String] {
        rejected.map { line in
            "\(path):\(line.line): "
                + (line.isRepetition
                    ? "this run stands in the log before, with other figures; the first is used"
                    : "this line is no finished run of the study; \(fate)")
        }
    }
}

extension StudyPlan {
    /// Whether a record is of a run of this plan and agrees with itself: a digit that a disk turned is found by it.
    func accepts(_ record: RunRecord) -> Bool {
        guard experiments.indices.contains(record.experimentID - 1), record.deviceNumber ?? 1 >= 1 else {
            return false
        }
        let experiment = experiment(record.experimentID)
        let time = record.selectionSeconds + record.trainingSeconds + record.evaluationSeconds
        return (1...experiment.runs).contains(record.runID)
            && record.count > 0 && agrees(record, experiment) && saw(record, experiment) && trained(record, experiment)
            && isTuned(record, experiment)
            && abs(record.time - time) <= 1e-9 * max(1, time)
            && record.requested == experiment.size && (1...record.requested).contains(record.kept)
            && record.perClass.allSatisfy { (0...record.kept).contains($0) }
            && record.perClass.reduce(0, +) == record.kept
            && record.recall?.allSatisfy { $0.map { (0...100).contains($0) } ?? true } != false
    }

    /// Whether a record has the values of one of the experiment's candidates, and none where there are none.
    private func isTuned(_ record: RunRecord, _ experiment: Experiment) -> Bool {
        guard let values = record.tuned else { return experiment.candidates.isEmpty }
        return experiment.candidates.contains { $0.byName == values }
    }

    /// Whether a record tells how many samples were seen where the experiment takes others every epoch, and as many as may be.
    private func saw(_ record: RunRecord, _ experiment: Experiment) -> Bool {
        guard let distinct = record.distinct else { return !experiment.selection.resamples }
        let recipe = experiment.recipe
        return experiment.selection.resamples && recipe.distinct(kept: record.kept) <= distinct
            && distinct <= recipe.images(kept: record.kept)
    }

    /// True if the record has plausible numbers of steps and images, or neither if every epoch takes all samples. The
    /// first epoch always does.
    private func trained(_ record: RunRecord, _ experiment: Experiment) -> Bool {
        let recipe = experiment.recipe
        guard recipe.dynamic != nil else { return record.steps == nil && record.images == nil }
        guard let steps = record.steps, let images = record.images else { return false }
        return 1 <= steps && steps <= recipe.steps(kept: record.kept) && record.kept <= images
            && images <= recipe.images(kept: record.kept) && (images + recipe.batchSize - 1) / recipe.batchSize <= steps
    }

    /// Whether a record's accuracy is that of its count of right answers; or, of a run that diverged, there is none.
    private func agrees(_ record: RunRecord, _ experiment: Experiment) -> Bool {
        if let diverged = record.diverged {
            return record.accuracy == nil && record.correct == 0
                && diverged.step >= 1 && diverged.step <= record.steps ?? experiment.recipe.steps(kept: record.kept)
        }
        guard let accuracy = record.accuracy, (0...record.count).contains(record.correct) else { return false }
        return abs(accuracy - 100 * Double(record.correct) / Double(record.count)) < 1e-9
    }
}
