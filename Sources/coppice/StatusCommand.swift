import ArgumentParser
import Foundation
import Reports
import Studies

/// `coppice status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says how far a study is: from another terminal while it runs, or afterwards.",
        discussion:
            "Reads only the results directory: it needs neither the data nor a device, and runs in progress go on as before."
    )

    @Argument(help: ArgumentHelp("The study's results directory.", valueName: "dir"))
    var directory: String
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let status = try StudyStatus(reading: directory)
        for notice in status.notices { Terminal.note(notice, quiet: false) }
        if json { try printJSON(StatusReport(status)) } else { print(text(status), terminator: "") }
    }

    private func text(_ status: StudyStatus) -> String {
        let plan = status.plan
        let names = CaseNames(plan)
        let total = plan.runs.count
        let datasets = Set(plan.experiments.map(\.recipe.dataset)).sorted().joined(separator: ", ")
        var lines = ["\(status.directory): \(plan.experiments.count) experiments, \(total) runs on \(datasets)"]
        let share = total == 0 ? 100 : Int(100 * Double(status.finished) / Double(total))
        lines.append("finished: \(status.finished) of \(total) runs (\(share)%)")
        if status.diverged > 0 {
            lines.append("diverged: \(status.diverged) of the finished runs; they have no accuracy")
        }
        if status.finished < total {
            lines.append("left: \(plan.hasDynamicRuns ? "at most " : "")\(status.imagesLeft) \(plan.unit)s to train on")
        }
        if !status.shards.isEmpty {
            lines.append(
                "at work: shard\(status.shards.count == 1 ? "" : "s") "
                    + status.shards.map(\.description).joined(separator: ", "))
        } else if status.isAtWork {
            lines.append("at work: one process")
        } else {
            lines.append("at work: nobody" + (status.finished < total ? "; coppice run goes on" : ""))
        }
        if let rate = status.imagesPerSecond, let left = status.secondsLeft, status.finished < total {
            lines.append("rate: \(Int(rate)) \(plan.unit)s/s, \(clockTime(seconds: left)) left")
        }
        for device in status.devices {
            lines.append("device \(device.number): \(device.name), \(device.runs) run\(device.runs == 1 ? "" : "s")")
        }
        if let id = status.best.experimentID {
            let count = status.best.runs
            lines.append(
                "best: \(fixed(status.best.medianAccuracy, 2))% (\(names.label(plan.experiment(id))), median of \(count) "
                    + "run\(count == 1 ? "" : "s"))")
        }
        if let last = status.last {
            lines.append(
                "last: \(names.label(plan.experiment(last.record.experimentID))), run \(last.record.runID): "
                    + "\(StudyText.outcome(last.record)), \(clockTime(seconds: last.secondsAgo)) ago")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// `status --json`.
private struct StatusReport: Encodable {
    struct Case: Encodable {
        var experimentID: Int
        var name: String
        var requested: Int
        var medianAccuracy: Double
        var runs: Int
    }
    struct Run: Encodable {
        var experimentID: Int
        var runID: Int
        var name: String
        var accuracy: Double?
        var diverged: Divergence?
        var secondsAgo: Double

        enum CodingKeys: String, CodingKey { case experimentID, runID, name, accuracy, diverged, secondsAgo }

        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(experimentID, forKey: .experimentID)
            try values.encode(runID, forKey: .runID)
            try values.encode(name, forKey: .name)
            // Null where the run diverged, as in runs.jsonl.
            try values.encode(accuracy, forKey: .accuracy)
            try values.encodeIfPresent(diverged, forKey: .diverged)
            try values.encode(secondsAgo, forKey: .secondsAgo)
        }
    }
    struct Device: Encodable {
        var number: Int
        var name: String
        var runs: Int
    }
    var directory: String
    var datasets: [String]
    var experiments: Int
    var runs: Int
    var finished: Int
    var countDiverged: Int
    var imagesLeft: Int
    var atWork: Bool
    var shards: [String]
    /// The devices of sessions with several devices.
    var devices: [Device]
    var imagesPerSecond: Double?
    var secondsLeft: Double?
    var best: Case?
    var last: Run?

    init(_ status: StudyStatus) {
        let plan = status.plan
        let names = CaseNames(plan)
        directory = status.directory
        datasets = Set(plan.experiments.map(\.recipe.dataset)).sorted()
        experiments = plan.experiments.count
        runs = plan.runs.count
        finished = status.finished
        countDiverged = status.diverged
        imagesLeft = status.imagesLeft
        atWork = status.isAtWork
        shards = status.shards.map(\.description)
        devices = status.devices.map { Device(number: $0.number, name: $0.name, runs: $0.runs) }
        imagesPerSecond = status.imagesPerSecond
        secondsLeft = status.secondsLeft
        best = status.best.experimentID.map { id in
            let experiment = plan.experiment(id)
            return Case(
                experimentID: id, name: names.name(experiment), requested: experiment.size,
                medianAccuracy: status.best.medianAccuracy, runs: status.best.runs)
        }
        last = status.last.map { last in
            Run(
                experimentID: last.record.experimentID, runID: last.record.runID,
                name: names.name(plan.experiment(last.record.experimentID)), accuracy: last.record.accuracy,
                diverged: last.record.diverged, secondsAgo: last.secondsAgo)
        }
    }
}
