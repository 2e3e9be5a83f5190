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
    @Option(
        help: ArgumentHelp(
            "The data set, in place of the study's: \(KnownDataset.all.map(\.name).joined(separator: ", ")), or any name"
                + " with --data.", valueName: "name"))
    var dataset: String?
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
    @Flag(help: "Print the plan and how long it should take, and stop; writes nothing.")
    var dryRun = false
    @Flag(help: "Print one JSON object with every case's figures.")
    var json = false
    @Flag(help: "No progress and no notes on stderr.")
    var quiet = false

    func validate() throws {
        if let replicas, replicas < 1 {
            throw ValidationError("--replicas must be at least 1, got \(replicas).")
        }
        if let dataset, data == nil, !KnownDataset.all.map(\.name).contains(dataset) {
            throw ValidationError(
                "--dataset \(dataset) is not known; \(KnownDataset.all.map(\.name).joined(separator: " and ")) are, and with"
                    + " --data DIR any name is.")
        }
    }

    func run() throws {
        let locator = DatasetLocator()
        var study = try StudyLibrary.load(self.study, acceptsAnyDataset: data != nil)
        study = try study.overriding(runs: runs, seed: seed, dataset: try dataset ?? substitute(locator))
        for notice in study.notices { Terminal.note(notice, quiet: quiet) }
        let load = { (name: String) -> Dataset in
            let location = try locator.find(name, dataDirectory: data)
            Terminal.note("data: \(name) in \(location.directory)", quiet: quiet)
            return try Dataset.load(location)
        }
        let (backend, reason) = try DeviceSelection.make(spec: device)
        Terminal.note("device: \(reason)", quiet: quiet)
        let directory = out ?? defaultDirectory
        if dryRun {
            return try printPlan(study, LeNet5Executor(on: backend, load: load), backend, directory: directory)
        }
        let progress = StudyProgress(quiet: quiet)
        let executor = LeNet5Executor(on: backend, load: load) { progress.training(images: $0) }
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

    /// Named after the study, and after the data set where another is taken than the study names.
    private var defaultDirectory: String {
        let name = URL(fileURLWithPath: study).deletingPathExtension().lastPathComponent
        return "results/\(name)" + (dataset.map { "-\($0)" } ?? "")
    }

    /// Prints what the study would do and how long it should take, by a rate that is measured here and now.
    private func printPlan(
        _ study: Study, _ executor: LeNet5Executor, _ backend: any Backend, directory: String
    ) throws {
        var shapes: [String: DatasetShape] = [:]
        for name in study.datasets { shapes[name] = try executor.dataset(name).shape }
        let plan = try StudyPlan(study, shapes: shapes)
        // A directory of another study, or none, has nothing that is finished; `run` itself would say so.
        let stored = (try? StoredStudy(reading: directory)).flatMap { $0.study == study.resolved ? $0 : nil }
        let finished = Set((stored?.results.records ?? []).map(\.plannedRun))
        let rates = try executor.measureRates(for: plan, replicas: replicas ?? backend.suggestedReplicas)
        let estimate = plan.estimate(rates, finished: finished)
        if json {
            try printJSON(PlanReport(plan, estimate, finished: finished.count, device: backend.device))
        } else {
            print(StudyText.plan(plan, estimate: estimate), terminator: "")
            if !finished.isEmpty {
                print(
                    "\(finished.count) of \(plan.runs.count) runs are finished in \(directory); the time is for the others"
                )
            }
        }
    }

    /// The data set to take in place of the study's: only `quickstart` has a choice.
    private func substitute(_ locator: DatasetLocator) throws -> String? {
        guard study == "quickstart", data == nil, dataset == nil, (try? locator.find("mnist")) == nil,
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

/// `run --dry-run --json`.
private struct PlanReport: Encodable {
    struct Case: Encodable {
        var experiment_id: Int
        var name: String
        var requested: Int
        var runs: Int
    }
    var experiments: [Case]
    var runs: Int
    var finished: Int
    var clusterings: Int
    var trained_images: Double
    var images_per_second: Double
    var replicas: Int
    var training_seconds: Double
    var evaluation_seconds: Double
    var clustering_seconds: Double
    var seconds: Double
    var device: DeviceDescription

    init(_ plan: StudyPlan, _ estimate: StudyEstimate, finished: Int, device: DeviceDescription) {
        experiments = plan.experiments.map {
            Case(experiment_id: $0.id, name: StudyText.name($0), requested: $0.size, runs: $0.settings.runs)
        }
        runs = plan.runs.count
        self.finished = finished
        clusterings = plan.clusteringCount
        trained_images = plan.trainedImages
        images_per_second = estimate.rates.imagesPerSecond
        replicas = estimate.rates.replicas
        training_seconds = estimate.training
        evaluation_seconds = estimate.evaluation
        clustering_seconds = estimate.clustering
        seconds = estimate.total
        self.device = device
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
        var median_low: Double?
        var median_high: Double?
        var comparisons: [String: Against]
    }
    struct Against: Encodable {
        var experiment_id: Int
        var pairs: Int
        var diff: Double
        var diff_low: Double?
        var diff_high: Double?
        var p: Double
        var p_holm: Double
        var verdict: String
        var runs_to_decide: Int?

        init(_ comparison: Comparison) {
            experiment_id = comparison.baselineID
            pairs = comparison.pairs
            diff = comparison.difference
            diff_low = comparison.interval95?.low
            diff_high = comparison.interval95?.high
            p = comparison.p
            p_holm = comparison.pHolm
            verdict = comparison.verdict.rawValue
            runs_to_decide = comparison.runsToDecide
        }
    }
    var directory: String
    var device: DeviceDescription
    var cases: [Case]
    var notes: [String]

    init(_ results: StudyResults, directory: String, device: DeviceDescription) {
        self.directory = directory
        self.device = device
        cases = results.summaries.map { summary in
            Case(
                experiment_id: summary.experiment.id, name: StudyText.name(summary.experiment),
                requested: summary.experiment.size, kept: summary.records.map(\.kept), accuracies: summary.accuracies,
                median_accuracy: Statistics.median(summary.accuracies), mean: Statistics.mean(summary.accuracies),
                sd: Statistics.standardDeviation(summary.accuracies), best: summary.accuracies.max(),
                median_time: Statistics.median(summary.times), count_runs: summary.records.count,
                median_low: summary.medianInterval?.low, median_high: summary.medianInterval?.high,
                comparisons: Dictionary(
                    uniqueKeysWithValues: summary.comparisons.map { ($0.key.rawValue, Against($0.value)) }))
        }
        notes = results.comparisonNotes
    }
}
