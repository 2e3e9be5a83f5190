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
    @OptionGroup var memory: MemoryOption
    @Flag(help: "Print the plan and stop.")
    var dryRun = false
    @Flag(help: "Print one JSON object with every case's figures.")
    var json = false
    @Flag(help: "No progress and no notes on stderr.")
    var quiet = false

    func validate() throws {
        if let replicas, replicas < 1 {
            throw ValidationError("--replicas must be at least 1, got \(replicas).")
        }
    }

    func run() throws {
        let locator = DatasetLocator()
        let memory = try memory.bytes
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

        let (backend, reason) = try DeviceSelection.make(spec: device, startsOften: true)
        Terminal.note("device: \(reason)", quiet: quiet)
        let directory = out ?? "results/\(URL(fileURLWithPath: self.study).deletingPathExtension().lastPathComponent)"
        let progress = StudyProgress(quiet: quiet)
        let executor = LeNet5Executor(on: backend, clusteringMemory: memory, load: load) {
            progress.training(images: $0)
        }
        let cancellation = CancellationFlag()
        let interrupt = Interrupt { cancellation.cancel() }
        defer { withExtendedLifetime(interrupt) {} }
        let runner = StudyRunner(
            study, directory: directory, executor: executor, replicas: replicas ?? backend.suggestedReplicas,
            environment: environment(backend), cancellation: cancellation, writeTables: StudyTables.write,
            report: progress.hear)
        defer { progress.finish() }
        let results = try runner.run()
        progress.finish()
        if json {
            try printJSON(RunReport(results, directory: directory, device: backend.device))
        } else {
            print(StudyText.summary(results), terminator: "")
            let count = results.records.count
            print(
                "\(count) run\(count == 1 ? "" : "s") in \(directory): results.csv, summary.csv, runs.jsonl, selections/"
            )
        }
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
    private func environment(_ backend: any Backend) -> [String: String] {
        [
            "coppice": Coppice.version, "backend": backend.device.backend, "device": backend.device.name,
            "platform": backend.device.platform, "driver": backend.device.driver,
            "system": ProcessInfo.processInfo.operatingSystemVersionString,
            "started": ISO8601DateFormatter().string(from: Date()),
            "command": CommandLine.arguments.dropFirst().joined(separator: " "),
        ]
    }
}

/// What happens in a study, as lines and one bar on stderr.
private final class StudyProgress {
    private let quiet: Bool
    private var bar: ProgressBar?
    private var total = 0.0
    private var finishedImages = 0.0
    private var best: (accuracy: Double, name: String)?

    init(quiet: Bool) { self.quiet = quiet }

    func hear(_ event: StudyEvent) {
        switch event {
        case .notice(let line): note(line)
        case .began(let plan, let finished):
            total = plan.trainedImages
            for record in finished {
                total -= Double(plan.experiment(record.experimentID).trainedImages(kept: record.kept))
            }
            let done = finished.isEmpty ? "" : ", \(finished.count) are finished"
            note("\(plan.experiments.count) experiments, \(plan.runs.count) runs\(done)")
            bar = ProgressBar("study", unit: "images", quiet: quiet)
        case .fitting(let key):
            note(
                "clustering \(key.dataset), k \(key.k), "
                    + (key.pcaComponents.map { "PCA \($0)" } ?? "pixels") + ", \(key.kmeans) \(key.index + 1)")
        case .training: break
        case .finished(let record, let experiment, let done, let all):
            finishedImages += Double(experiment.trainedImages(kept: record.kept))
            let name = StudyText.name(experiment)
            if record.accuracy > best?.accuracy ?? 0 { best = (record.accuracy, name) }
            note(
                "[\(done)/\(all)] \(name), \(record.kept) kept, run \(record.runID): \(fixed(record.accuracy, 2))%, "
                    + "\(fixed(record.time, 2)) s")
        }
    }

    func training(images: Int) {
        bar?.update(
            finishedImages + Double(images), of: total,
            note: best.map { "best \(fixed($0.accuracy, 2))% (\($0.name))" } ?? "")
    }

    func finish() { bar?.finish() }

    private func note(_ line: String) {
        bar?.finish()
        Terminal.note(line, quiet: quiet)
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
    var device: DeviceDescription
    var cases: [Case]

    init(_ results: StudyResults, directory: String, device: DeviceDescription) {
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
