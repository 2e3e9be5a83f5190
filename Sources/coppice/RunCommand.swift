import ArgumentParser
import Compute
import Datasets
import Foundation
import Networks
import Reports
import Studies

/// `coppice run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a study: selections, trainings and tests, into a directory that can be resumed.",
        discussion: """
            STUDY is a YAML file or the name of a built-in study (coppice study list). Every finished run is on disk \
            before it is reported; running the same command again goes on where it stopped.

            \(Stalls.help)
            """)

    @Argument(help: "A YAML file, or a built-in study: \(StudyLibrary.names.joined(separator: ", ")).")
    var study: String
    @Option(help: ArgumentHelp("The data set's folder, or a folder that holds data sets by name.", valueName: "dir"))
    var data: String?
    @Option(help: "What to compute on: \(DeviceSelection.accepted).")
    var device = "auto"
    @Option(help: ArgumentHelp("Output directory; results/STUDY unless given.", valueName: "dir"))
    var out: String?
    @Option(help: "Runs an experiment, in place of the study's.")
    var runs: Int?
    @Option(help: "Seed of all random numbers, in place of the study's.")
    var seed: UInt64?
    @Option(help: "Networks to train side by side; what the device likes unless given.")
    var replicas: Int?
    @Option(
        help: ArgumentHelp(
            "Run one of n equal parts. Those of one directory may run at the same time, on several machines too.",
            valueName: "i/n"))
    var shard: String?
    @Flag(help: "Print the plan and stop.")
    var dryRun = false
    @Flag(help: "Print one JSON object with every case's figures.")
    var json = false
    @Flag(help: "No progress and no notes on stderr.")
    var quiet = false

    private var part: Shard? { shard.flatMap(Shard.init) }

    func validate() throws {
        if let replicas, replicas < 1 {
            throw ValidationError("--replicas must be at least 1, got \(replicas).")
        }
        if let shard, part == nil {
            throw ValidationError(
                "--shard is '\(shard)'; i/n is accepted, i from 1 to n and n up to \(Shard.mostShards), 1/4 for one.")
        }
    }

    func run() throws {
        let locator = DatasetLocator()
        var study = try StudyLibrary.load(self.study, acceptsAnyDataset: data != nil)
        study = try study.overriding(runs: runs, seed: seed, dataset: try substitute(locator))
        for notice in study.notices { Terminal.note(notice, quiet: quiet) }
        let load = { (name: String) -> Dataset in
            let location = try locator.find(name, dataDirectory: data)
            Terminal.note("data: \(name) in \(location.directory)", quiet: quiet)
            return try Dataset.load(location)
        }
        if dryRun {
            var shapes: [String: DatasetShape] = [:]
            for name in study.datasets {
                let train = try load(name).train
                shapes[name] = DatasetShape(
                    count: train.count, featureCount: train.channels * train.height * train.width)
            }
            print(StudyText.plan(try StudyPlan(study, shapes: shapes)), terminator: "")
            return
        }

        let directory = out ?? "results/\(URL(fileURLWithPath: self.study).deletingPathExtension().lastPathComponent)"
        let progress = StudyProgress(quiet: quiet)
        let executor = LeNet5Executor(onDemand: makeBackend, load: load) { progress.training(images: $0) }
        let cancellation = CancellationFlag()
        let interrupt = Interrupt { cancellation.cancel() }
        defer { withExtendedLifetime(interrupt) {} }
        let runner = StudyRunner(
            study, directory: directory, shard: part, executor: executor, replicas: replicas,
            environment: environment(executor.backend?.device), cancellation: cancellation,
            writeTables: StudyTables.write, report: progress.hear)
        defer { progress.finish() }
        let results = try runner.run()
        progress.finish()
        if json {
            try printJSON(RunReport(results, directory: directory, device: executor.backend?.device))
        } else if let part, !runner.othersAtWork.isEmpty {
            let others = runner.othersAtWork.map(\.description).joined(separator: ", ")
            print("shard \(part) is done; at work still: \(others). The last of them writes the tables in \(directory)")
        } else {
            print(StudyText.summary(results), terminator: "")
            let count = results.records.count
            print(
                "\(count) run\(count == 1 ? "" : "s") in \(directory): results.csv, summary.csv, runs.jsonl, selections/"
            )
            let left = results.plan.runs.count - count
            if left > 0 { print("\(left) run\(left == 1 ? " is" : "s are") left for other shards") }
        }
    }

    private func makeBackend() throws -> any Backend {
        let (backend, reason) = try DeviceSelection.make(spec: device)
        Terminal.note("device: \(reason)", quiet: quiet)
        return backend
    }

    /// The data set to take in place of the study's: only `quickstart` has a choice.
    private func substitute(_ locator: DatasetLocator) throws -> String? {
        guard study == "quickstart", data == nil, (try? locator.find("mnist")) == nil,
            let other = try? locator.find("fashion-mnist")
        else { return nil }
        Terminal.note(
            "quickstart: MNIST was not found (coppice data fetch mnist brings it), taking Fashion-MNIST", quiet: quiet)
        return other.name
    }

    /// What `environment.json` keeps of this session.
    private func environment(_ device: DeviceDescription?) -> [String: String] {
        var session = [
            "coppice": Coppice.version,
            "system": ProcessInfo.processInfo.operatingSystemVersionString,
            "started": ISO8601DateFormatter().string(from: Date()),
            "command": CommandLine.arguments.dropFirst().joined(separator: " "),
        ]
        if let device {
            session["backend"] = device.backend
            session["device"] = device.name
            session["platform"] = device.platform
            session["driver"] = device.driver
        }
        return session
    }
}

/// `run --json`.
private struct RunReport: Encodable {
    struct Case: Encodable {
        var experiment_id: Int
        var name: String
        var requested: Int
        var kept: [Int]
        var accuracies: [Double]
        var median_accuracy: Double?
        var mean: Double?
        var sd: Double?
        var best: Double?
        var median_time: Double?
        var count_runs: Int
    }
    var directory: String
    /// Nil where every run was finished before.
    var device: DeviceDescription?
    var cases: [Case]

    init(_ results: StudyResults, directory: String, device: DeviceDescription?) {
        self.directory = directory
        self.device = device
        cases = results.summaries.map { summary in
            Case(
                experiment_id: summary.experiment.id, name: StudyText.name(summary.experiment),
                requested: summary.experiment.size, kept: summary.records.map(\.kept), accuracies: summary.accuracies,
                median_accuracy: Statistics.median(summary.accuracies), mean: Statistics.mean(summary.accuracies),
                sd: Statistics.standardDeviation(summary.accuracies), best: summary.accuracies.max(),
                median_time: Statistics.median(summary.times), count_runs: summary.records.count)
        }
    }
}
