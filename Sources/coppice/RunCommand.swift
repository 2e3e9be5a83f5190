import ArgumentParser
import Compute
import Datasets
import Foundation
import Networks
import Reports
import Studies
import Support

/// `coppice run`
struct RunCommand: AsyncParsableCommand {
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
            "The data set, in place of the study's: one that it describes, \(KnownDataset.all.map(\.name).joined(separator: ", ")), or any name"
                + " with --data or --features.", valueName: "name"))
    var dataset: String?
    @OptionGroup var orientation: TransposedOption
    @OptionGroup var features: FeatureSetOptions
    @Option(
        help: ArgumentHelp(
            "--features: a line per training row that says what it is, text or JSONL; the report shows them.",
            valueName: "X.jsonl"))
    var ids: String?
    @OptionGroup var devices: StudyDeviceOptions
    @OptionGroup var shape: ProfileOption
    @Option(help: ArgumentHelp("Output directory; results/STUDY unless given.", valueName: "dir"))
    var out: String?
    @Option(help: "Runs per experiment (overrides the study).", transform: wholeNumber)
    var runs: Int?
    @Option(help: "Seed of all random numbers (overrides the study).", transform: seedNumber)
    var seed: UInt64?
    @Option(
        help: "Networks to train side by side on each device; by default as many as suit it.", transform: wholeNumber)
    var replicas: Int?
    @Option(
        help: ArgumentHelp(
            "Run one of n equal parts. Those of one directory may run at the same time, on several machines too. In a job array: auto (Slurm), or auto/n.",
            valueName: "i/n"))
    var shard: String?
    @OptionGroup var memory: MemoryOption
    @OptionGroup var images: ImageFileOptions
    @Flag(help: "Print the plan and how long it should take, and stop; writes nothing.")
    var dryRun = false
    @Flag(inversion: .prefixedNo, help: "Make plots and report.html when the study is done.")
    var report = true
    @Flag(help: "Print one JSON object with every case's figures.")
    var json = false
    @Flag(help: "No progress and no notes on stderr.")
    var quiet = false

    func validate() throws {
        if let replicas, replicas < 1 {
            throw ValidationError("--replicas must be at least 1, got \(replicas).")
        }
        if let dataset, !Study.isName(dataset) {
            throw ValidationError("--dataset is '\(dataset)'; a name of \(Study.acceptedName) is needed.")
        }
        if dataset == Study.givenFeatures, data != nil {
            throw ValidationError(
                "--dataset \(Study.givenFeatures) is reserved for --features; choose another name for the images of --data."
            )
        }
        do { _ = try devices.request } catch { throw ValidationError("\(error).") }
        if let shard {
            do { _ = try ShardRequest(written: shard) } catch {
                throw ValidationError("--shard is '\(excerpt(shard))'; \(error).")
            }
        }
    }

    func run() async throws {
        Signals.expectPreemption(inBatchJob: Signals.isInBatchJob)
        let locator = DatasetLocator()
        let memory = try memory.bytes
        let given = try features.named(besides: (data != nil, orientation.transposed), identifiers: ids)
        if given != nil { try images.refuse(because: "--features are none") }
        if given != nil, let dataset, KnownDataset.all.contains(where: { $0.name == dataset }) {
            Terminal.note(
                "note: the results call these features \(dataset), as they do the images of that name; --dataset gives another",
                quiet: quiet)
        }
        var study = try StudyLibrary.load(self.study, acceptsAnyDataset: data != nil || given != nil)
        let replacement =
            try given == nil
            ? dataset ?? substitute(locator) ?? otherName(locator, of: study.datasets)
            : dataset ?? Study.givenFeatures
        let directory = out ?? defaultDirectory(replacement, of: study.datasets)
        let source = try data == nil && given == nil ? describedSource(of: dataset, in: study) : nil
        study = try study.overriding(runs: runs, seed: seed, dataset: given == nil ? replacement : nil, from: source)
            .overriding(features: given, name: replacement ?? "", scaling: features.scaling)
        if data != nil { study = study.withoutFolders() }
        let descriptions = study.datasetDescriptions
        try check(descriptions)
        for notice in study.notices { Terminal.note(notice, quiet: quiet) }
        let locations = try imageLocations(of: descriptions, locator)
        try checkOutputs(
            [NamedFile("--out", directory, kind: .folder(levels: 2))],
            against: [NamedFile("--data", data)] + locations.values.map { NamedFile("the data set", $0.directory) }
                + descriptions.flatMap(\.files).map { NamedFile("the data set", $0) })
        let part = try part(in: directory)
        let cancellation = CancellationFlag()
        let load = { (name: String) -> Dataset in
            let description = descriptions.first { $0.name == name }
            let dataset: Dataset
            if let description, case .features(let files) = description.source {
                dataset = try loadFeatures(name, files, description.scaling, quiet: quiet)
            } else {
                let location = try locations[name] ?? locator.find(name, dataDirectory: data)
                Terminal.note("data: \(name) in \(location.directory)", quiet: quiet)
                dataset = try images.load(location, transposed: orientation.transposed, quiet: quiet) {
                    cancellation.isCancelled
                }
            }
            if let note = dataset.emptyClassesNote { Terminal.note("note: \(note)", quiet: quiet) }
            return dataset
        }
        if dryRun { return try printPlan(study, part, load, memory, directory: directory) }
        // Rather now than after the last run, when drivers and watches have taken some.
        if report, let shortage = StudyReport.descriptorShortage(others: 8) {
            throw Failure("\(shortage); --no-report leaves the plots out", exitCode: 74)
        }
        let progress = StudyProgress(quiet: quiet)
        let executor = try StudyDevices(devices, shape, replicas: replicas, memory: memory, quiet: quiet, load: load) {
            progress.training(images: $0)
        }
        defer { executor.close() }
        let interrupt = Interrupt { cancellation.cancel() }
        defer { withExtendedLifetime(interrupt) {} }
        let runner = StudyRunner(
            study, directory: directory, shard: part, executor: executor.executor, replicas: replicas,
            environment: environment(
                part, executor.descriptions, locator, of: descriptions.filter { $0.source == nil }.map(\.name)),
            cancellation: cancellation,
            writeTables: StudyTables.write, report: progress.hear)
        defer { progress.finish() }
        var results = try runner.run()
        results.command = Shell.command(Array(CommandLine.arguments.dropFirst()))
        progress.finish()
        if report, runner.othersAtWork.isEmpty {
            do {
                try await ReportCommand.write(
                    StoredStudy(reading: directory), data: data, transposed: orientation.transposed, quiet: quiet)
            } catch is CancellationError {
                throw Failure(
                    "interrupted while the report was made; every run is kept, and `coppice report` makes it",
                    exitCode: 130)
            }
        }
        if json {
            try printJSON(RunReport(results, directory: directory, device: executor.descriptions.first))
        } else if let part, !runner.othersAtWork.isEmpty {
            let others = runner.othersAtWork.map(\.description).joined(separator: ", ")
            print("shard \(part) is done; at work still: \(others). The last of them writes the tables in \(directory)")
        } else {
            print(StudyText.summary(results), terminator: "")
            let count = results.records.count
            print(
                "\(count) run\(count == 1 ? "" : "s") in \(directory): \(report ? "report.html, plots/, " : "")results.csv, summary.csv,"
                    + " runs.jsonl, selections/")
            let left = results.plan.runs.count - count
            if left > 0 { print("\(left) run\(left == 1 ? " is" : "s are") left for other shards") }
        }
    }

    /// The part that --shard names, or that the task of a job array has.
    private func part(in directory: String) throws -> Shard? {
        guard let shard else { return nil }
        do { return try ShardRequest(written: shard).shard(in: directory) } catch {
            throw Failure("--shard \(excerpt(shard)): \(error)", exitCode: 64)
        }
    }

    /// Where the study says that the files of the data set of --dataset are; nil where its name alone says so.
    private func describedSource(of name: String?, in study: Study) throws -> DatasetSource? {
        guard let name else { return nil }
        if let source = study.source(of: name) { return source }
        let known = KnownDataset.all.map(\.name)
        guard known.contains(name) else {
            let described = study.datasetDescriptions.filter { $0.source != nil }.map(\.name)
            throw Failure(
                "--dataset \(name) is not known; \((described + known).joined(separator: " and ")) are, and with --data DIR"
                    + " or --features any name is", exitCode: 64)
        }
        return nil
    }

    /// Refuses what the study's data sets have no use for, and those that need files of the command line.
    private func check(_ descriptions: [DatasetDescription]) throws {
        let ofFeatures = descriptions.first(where: \.isOfFeatures)
        for (name, isGiven) in [
            ("--standardize", features.scaling.standardize), ("--normalize", features.scaling.normalize),
        ]
        where isGiven && ofFeatures == nil {
            throw Failure("\(name) is for features, and the study is of images", exitCode: 64)
        }
        guard let ofFeatures else { return }
        if descriptions.allSatisfy(\.isOfFeatures) {
            try images.refuse(because: "the study is of features")
            if orientation.transposed {
                throw Failure(
                    "--transposed is for the images of a data set, and the study is of features", exitCode: 64)
            }
        }
        if ofFeatures.source == nil {
            throw Failure(
                "\(study) is a study of features, which the command line names: give --features, --labels,"
                    + " --test-features and --test-labels", exitCode: 64)
        }
        if data != nil, descriptions.allSatisfy(\.isOfFeatures) {
            throw Failure(
                "--data is for images, and the data set \(ofFeatures.name) is of features; --features takes others",
                exitCode: 64)
        }
    }

    /// Where the data sets of images are: in --data, where the study says, or where they are looked for.
    private func imageLocations(
        of descriptions: [DatasetDescription], _ locator: DatasetLocator
    ) throws -> [String: DatasetLocation] {
        let images = descriptions.filter { !$0.isOfFeatures }
        var locations = try locator.find(
            images.filter { $0.folder == nil }.map(\.name), dataDirectory: data)
        for description in images where locations[description.name] == nil {
            locations[description.name] = try locator.find(description.name, dataDirectory: description.folder)
        }
        return locations
    }

    /// Named after the study, and after the data where they are not those that the study names, so that results of one
    /// do not meet those of the other.
    private func defaultDirectory(_ dataset: String?, of named: [String]) -> String {
        let name = URL(fileURLWithPath: study).deletingPathExtension().lastPathComponent
        let folder = data.map { URL(fileURLWithPath: $0).standardizedFileURL.lastPathComponent }
        guard let other = dataset ?? folder.flatMap({ named.contains($0) ? nil : $0 }) else { return "results/\(name)" }
        return "results/\(name)-\(other)"
    }

    /// Prints what the study would do and how long it should take, by a rate that is measured here and now.
    private func printPlan(
        _ study: Study, _ part: Shard?, _ load: @escaping (String) throws -> Dataset, _ memory: Int?, directory: String
    ) throws {
        let (backend, deviceCount) = try devices.firstBackend(profile: try shape.forced, quiet: quiet)
        let executor = BackendExecutor(on: backend, clusteringMemory: memory, load: load)
        var shapes: [String: DatasetShape] = [:]
        for name in study.datasets { shapes[name] = try executor.dataset(TrainingSet(name)).shape }
        let plan = try StudyPlan(study, shapes: shapes)
        try executor.checkMemory(of: plan, in: study)
        // A directory of another study, or none, has nothing that is finished; `run` itself would say so.
        let stored = try? StoredStudy(reading: directory)
        let mine = Set(part.map(plan.runs(of:)) ?? plan.runs)
        let finished = mine.intersection(stored?.finishedRuns(of: study) ?? [])
        let rates = try executor.measureRates(for: plan, replicas: replicas ?? backend.suggestedReplicas)
        let estimate = plan.estimate(rates, of: mine.subtracting(finished))
        if json {
            let report = PlanReport(
                plan, estimate, shardRuns: mine.count, finished: finished.count, device: backend.device,
                devices: deviceCount)
            return try printJSON(report)
        }
        print(StudyText.plan(plan, estimate: estimate), terminator: "")
        if deviceCount > 1 {
            print(
                "the time is for one device; on \(deviceCount) that are as fast, about "
                    + clockTime(seconds: estimate.seconds(on: deviceCount)))
        }
        if let part {
            print("shard \(part) has \(mine.count) of \(plan.runs.count) runs; the time is for these")
        }
        if !finished.isEmpty {
            print("\(finished.count) of \(mine.count) runs are finished in \(directory); the time is for the others")
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

    /// The name to take where the folder of --data, by its layout, holds another data set than the known one that the study
    /// names: results must not say that they are MNIST's.
    private func otherName(_ locator: DatasetLocator, of named: [String]) throws -> String? {
        guard let data, let name = named.first, named.count == 1,
            let other = locator.otherName(than: name, dataDirectory: data), other != name
        else { return nil }
        guard Study.isName(other) else {
            throw Failure(
                "\(data) does not hold \(name), which the study is of; give what it holds a name by --dataset",
                exitCode: 64)
        }
        Terminal.note(
            "\(data) does not hold \(name): the study is run on it under the name \(other) (--dataset NAME gives another)",
            quiet: quiet)
        return other
    }

    /// What `environment.json` keeps of this session.
    private func environment(
        _ part: Shard?, _ found: [DeviceDescription], _ locator: DatasetLocator, of datasets: [String]
    ) -> [String: String] {
        var session = [
            "coppice": Coppice.version,
            "system": ProcessInfo.processInfo.operatingSystemVersionString,
            "started": ISO8601DateFormatter().string(from: Date()),
            "command": Shell.command(Array(CommandLine.arguments.dropFirst())),
        ]
        if let folder = dataFolder(locator, of: datasets) { session["data"] = folder }
        if let part { session["shard"] = part.description }
        if orientation.transposed { session["transposed"] = "true" }
        session.merge(devices.session) { $1 }
        if let profile = shape.profile { session["option_profile"] = profile }
        if let description = found.first {
            session["backend"] = description.backend
            session["device"] = StudyDevices.names(of: found)
            if found.count > 1 { session["devices"] = "\(found.count)" }
            session["platform"] = description.platform
            session["driver"] = description.driver
        }
        return session
    }

    /// The folder that --data takes to find the same data again; nil where they are found by name alone.
    private func dataFolder(_ locator: DatasetLocator, of datasets: [String]) -> String? {
        if let data { return URL(fileURLWithPath: data).standardizedFileURL.path }
        // $COPPICE_DATA comes before the places that everybody has.
        guard let folder = EnvironmentVariables.process["COPPICE_DATA"],
            datasets.contains(where: { name in
                (try? locator.find(name))?.directory.hasPrefix(folder + "/") ?? false
            })
        else { return nil }
        return URL(fileURLWithPath: folder).standardizedFileURL.path
    }
}
