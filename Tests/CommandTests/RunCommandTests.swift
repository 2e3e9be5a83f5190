import Compute
import Datasets
import Foundation
import Studies
import Testing
import Support
import TestSupport

@Suite struct RunCommandTests {
    /// The whole set, a random half, and clusters' halves.
    private static let study = """
        dataset: shapes
        runs: 3
        epochs: 2
        batch_size: 20
        pca_components: 8
        experiments:
          - pruning_method: none
          - pruning_method: random
            sizes: 50%
          - pruning_method: cluster
            sizes: [60, 120]
            ks: [5]
            use_pca: [true, false]
            selection_strategies: [closest, furthest, random, hybrid]
        """
    private static let cases = 18
    private static let runs = 54

    private struct Place {
        let folder: TemporaryFolder
        let study: String
        let data: String
        let out: String

        init(_ text: String = RunCommandTests.study, _ data: SyntheticData = SyntheticData()) throws {
            folder = try TemporaryFolder()
            study = folder / "study.yaml"
            self.data = folder / "data"
            out = folder / "out"
            try text.write(toFile: study, atomically: true, encoding: .utf8)
            try data.write(to: self.data)
        }

        func run(
            _ more: [String] = [], environment: [String: String] = [:], interrupting: String? = nil,
            by signal: Int32 = SIGINT
        ) throws -> Outcome {
            try coppice(
                ["run", study, "--data", data, "--out", out] + more, environment: environment,
                interrupting: interrupting, by: signal)
        }

        func lines(_ name: String) throws -> [String] {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: out + "/" + name)), as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }

        /// Each row's experiment, run, right answers and requested and kept sizes.
        func rows() throws -> [String] {
            let lines = try lines("results.csv")
            let header = try #require(lines.first).split(separator: ",", omittingEmptySubsequences: false)
            let columns = try ["experiment_id", "run_id", "accuracy", "requested", "kept"].map { name in
                try #require(header.firstIndex { $0 == name })
            }
            return lines.dropFirst().map { line in
                let fields = line.split(separator: ",", omittingEmptySubsequences: false)
                return columns.map { String(fields[$0]) }.joined(separator: ",")
            }
        }
    }

    private static let devices = ["cpu"] + (hasOpenCL ? ["opencl-cpu"] : [])

    @Test func oneFolderIsNotTwoDataSets() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 40, test: 20).write(to: folder / "flat")
        let yaml =
            "{runs: 1, epochs: 1, experiments: [{pruning_method: none}, {pruning_method: none, dataset: fashion-mnist}]}"
        try Data(yaml.utf8).write(to: URL(fileURLWithPath: folder / "two.yaml"))
        let arguments = [
            "run", folder / "two.yaml", "--out", folder / "out", "--no-report", "--quiet", "--device", "cpu",
        ]
        let flat = try coppice(arguments + ["--data", folder / "flat"])
        expectComplaint(flat, code: 64, mentions: ["mnist and fashion-mnist", folder / "flat"])
        #expect(try folder.names() == ["flat", "two.yaml"])
        try SyntheticData(train: 40, test: 20).write(to: folder / "both/mnist")
        try SyntheticData(train: 40, test: 20, seed: 3).write(to: folder / "both/fashion-mnist")
        #expect(try coppice(arguments + ["--data", folder / "both"]).status == 0)
        try FileManager.default.removeItem(atPath: folder / "out")
        let single = try coppice(arguments + ["--data", folder / "flat", "--dataset", "mine"])
        #expect(single.status == 0, "\(single.stderr)")
    }

    @Test(arguments: devices, SyntheticData.all)
    func aStudyRunsFromYAMLToTables(device: String, data: SyntheticData) throws {
        let place = try Place(Self.study, data)
        let outcome = try place.run(["--device", device, "--quiet", "--json"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stderr.isEmpty, "\(outcome.stderr)")
        let report = try #require(try outcome.json()["cases"] as? [[String: Any]])
        #expect(report.count == Self.cases)
        for entry in report {
            let kept = try #require(entry["kept"] as? [Int])
            #expect(kept == Array(repeating: try #require(entry["requested"] as? Int), count: 3))
        }
        #expect(try place.rows().count == Self.runs)
        #expect(try place.lines("runs.jsonl").count == Self.runs)
        #expect(try place.lines("summary.csv").count == Self.cases + 1)
        let header = try #require(try place.lines("results.csv").first)
        #expect(
            header.hasPrefix(
                "run_id,accuracy,time,pruning_method,dataset_size,selection_strategy,apply_pca,k,n_closest,n_furthest,"
                    + "num_epochs,batch_size,learning_rate,experiment_id"))
        let selection = try NumPyArray.read(place.out + "/selections/experiment2-run1.npy")
        #expect(selection.type == .int64)
        #expect(Set(try selection.integers()).count == data.train / 2)
    }

    /// Without --out the results of other data than the study names do not meet those of its own.
    @Test func resultsAreNamedAfterTheStudyAndItsData() throws {
        let place = try Place(Self.tiny.replacing("runs: 100", with: "runs: 2"))
        let other = place.folder / "holiday"
        for folder in ["shapes", "holiday"] {
            try SyntheticData().write(to: place.folder / folder)
        }
        func run(_ more: String...) throws -> Outcome {
            try coppice(
                ["run", place.study, "--device", "cpu", "--quiet", "--no-report"] + more,
                directory: place.folder.path)
        }
        for (data, name) in [("shapes", "study"), (other, "study-holiday"), ("./holiday/../holiday/", "study-holiday")]
        {
            let outcome = try run("--data", data)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            #expect(outcome.stdout.contains("results/\(name):"), "\(outcome.stdout)")
        }
        #expect(try place.folder.names(in: "results") == ["study", "study-holiday"])
    }

    @Test func replicasDoNotChangeResultsAndRunsDiffer() throws {
        let (alone, together) = (try Place(), try Place())
        #expect(try alone.run(["--replicas", "1", "--quiet"]).status == 0)
        #expect(try together.run(["--replicas", "7", "--quiet"]).status == 0)
        #expect(try alone.rows() == together.rows())
    }

    @Test(arguments: endingSignals) func anInterruptedStudyGoesOnWhereItStopped(signal: Int32) throws {
        let (whole, cut) = (try Place(), try Place())
        #expect(try whole.run(["--quiet", "--replicas", "2"]).status == 0)
        let outcome = try cut.run(["--replicas", "2"], interrupting: "[4/54]", by: signal)
        #expect(outcome.status == 130, "\(outcome.stderr)")
        #expect(outcome.secondsAfterInterrupt < 5)
        #expect(outcome.complaints.last?.hasPrefix("coppice: stopped after ") == true)
        #expect(outcome.complaints.last?.contains("what is finished is kept") == true)
        let finished = try cut.lines("runs.jsonl").count
        #expect((4..<Self.runs).contains(finished))
        let rest = try cut.run(["--replicas", "2"])
        #expect(rest.status == 0)
        #expect(rest.stderr.contains("\(finished) are finished"))
        #expect(try cut.rows() == whole.rows())
    }

    /// kill -9 twenty-five times, at moments from a process's start to a few runs later (tools/torture does 200): no run
    /// that was reported is lost, and none is made again.
    @Test func aKilledStudyGoesOnWhereItStopped() throws {
        let (whole, killed) = (try Place(Self.tiny), try Place(Self.tiny))
        #expect(try whole.run(["--quiet", "--device", "cpu"]).status == 0)
        var random = RandomStream(seed: 1, run: 0, purpose: .testing)
        var reported: Set<String> = []
        let log = killed.folder / "stderr"
        for _ in 0..<25 {
            #expect(FileManager.default.createFile(atPath: log, contents: nil))
            let process = Process()
            process.executableURL = program
            process.arguments = [
                "run", killed.study, "--data", killed.data, "--out", killed.out, "--device", "cpu", "--replicas", "2",
            ]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
            try process.run()
            // Most of them once it is at work, however long that takes on this machine.
            let start = ContinuousClock.now
            let working = random.nextIndex(below: 4) > 0
            while working, !(try text(log).contains("\n[")), ContinuousClock.now - start < .seconds(60) { usleep(500) }
            usleep(UInt32(random.nextIndex(below: 30_000)))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(process.terminationReason == .uncaughtSignal, "the study is too short")
            let finished = try text(log).split(separator: "\n").filter { $0.hasPrefix("[") }
                .map { String($0.drop { $0 != " " }.prefix { $0 != ":" }) }
            for run in finished { #expect(reported.insert(run).inserted, "\(run) was made again") }
            let lines = (try? killed.lines("runs.jsonl"))?.count ?? 0
            #expect(lines >= reported.count)
        }
        #expect(reported.count > 25)
        let rest = try killed.run(["--device", "cpu"])
        #expect(rest.status == 0)
        let again = rest.complaints.filter { $0.hasPrefix("[") }.map {
            String($0.drop { $0 != " " }.prefix { $0 != ":" })
        }
        #expect(reported.isDisjoint(with: again))
        #expect(try killed.rows() == whole.rows())
    }

    /// Many short runs, each of which is reported in words of its own.
    private static let tiny = """
        dataset: shapes
        runs: 100
        steps: 1
        batch_size: 8
        experiments:
          - {pruning_method: random, sizes: [4, 5, 6, 7]}
          - {pruning_method: cluster, sizes: 8, ks: 3, selection_strategies: [closest, furthest]}
        """

    private func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    }

    /// Entries of the same size train side by side, each by its own seed.
    @Test func everyEntryKeepsItsSeed() throws {
        let entries = [1, 2].map { "{pruning_method: random, sizes: 64, seed: \($0)}" }
        func accuracies(_ entries: [String], _ options: String...) throws -> [String] {
            let place = try Place("runs: 2\nsteps: 5\nexperiments: [\(entries.joined(separator: ", "))]")
            #expect(try place.run(["--quiet", "--no-report"] + options).status == 0)
            return try place.rows().map { $0.split(separator: ",").dropFirst().joined(separator: ",") }
        }
        let together = try accuracies(entries)
        #expect(together == (try accuracies(entries, "--replicas", "1")))
        #expect(together == (try entries.flatMap { try accuracies([$0]) }))
        #expect(together[..<2] != together[2...])
    }

    /// What a test reads of a plan.
    private struct Plan: Decodable {
        var runs: Int
        var shard_runs: Int
        var finished: Int
        var seconds: Double
        var images_per_second: Double
    }

    @Test func dryRunPlansAndWritesNothing() throws {
        let place = try Place()
        let outcome = try place.run(["--dry-run", "--quiet"])
        #expect(outcome.status == 0)
        #expect(outcome.stdout.contains("\(Self.cases) experiments, \(Self.runs) runs, 6 distinct clusterings"))
        #expect(outcome.stdout.contains("images/s"))
        #expect(!FileManager.default.fileExists(atPath: place.out))
        func plan(_ options: [String]) throws -> Plan {
            let outcome = try place.run(["--dry-run", "--quiet", "--json"] + options)
            return try JSONDecoder().decode(Plan.self, from: Data(outcome.stdout.utf8))
        }
        let whole = try plan([])
        #expect(whole.runs == Self.runs && whole.shard_runs == Self.runs && whole.finished == 0)
        #expect(whole.seconds > 0 && whole.images_per_second > 0)
        let shards = try (1...3).map { try plan(["--shard", "\($0)/3"]) }
        #expect(shards.allSatisfy { $0.runs == Self.runs && $0.shard_runs < Self.runs })
        #expect(shards.reduce(0) { $0 + $1.shard_runs } == Self.runs)
    }

    /// A plan with more runs counts the finished ones that the study can resume from; runs of another study do not
    /// count.
    @Test func dryRunWithMoreRunsGoesOnFromTheFinishedOnes() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let yaml = "{epochs: 1, runs: 2, model: linear, experiments: [{pruning_method: random, sizes: [9, 20]}]}"
        let study = try folder.file("study.yaml", Array(yaml.utf8))
        let run = ["run", study, "--data", folder / "data", "--out", folder / "out", "--device", "cpu", "--quiet"]
        #expect(try coppice(run + ["--no-report"]).status == 0)
        for (runs, finished) in [("2", 4), ("5", 4), ("1", 0)] {
            let plan = try coppice(run + ["--dry-run", "--json", "--runs", runs]).json()
            #expect(plan["finished"] as? Int == finished && plan["runs"] as? Int == 2 * (Int(runs) ?? 0), "\(plan)")
        }
    }

    @Test(
        arguments: [
            ("runs: 2", "experiments"), ("selection_strategies: [closest", "YAML"),
            ("experiments: [{pruning_method: random, sizes: 0}]", "0"),
            ("experiments: [{pruning_method: random, sizes: 301}]", "301"),
            ("experiments: [{pruning_method: clusters, sizes: 9}]", "cluster"),
            ("experimets: []", "experiments"),
            (
                "experiments: [{pruning_method: cluster, sizes: 9, ks: 301, selection_strategies: closest}]", "301"
            ),
            (
                "experiments: [{pruning_method: cluster, sizes: 9, ks: 3, selection_strategies: closets}]", "closest"
            ),
            ("learning_rate: -1\nexperiments: [{pruning_method: none}]", "learning_rate"),
        ] as [(String, String)])
    func badStudies(text: String, word: String) throws {
        let place = try Place(text)
        let outcome = try place.run(["--quiet"])
        expectComplaint(outcome, code: 65, mentions: ["study.yaml", word])
        #expect(!FileManager.default.fileExists(atPath: place.out))
    }

    @Test func badOutputsAndNames() throws {
        let place = try Place()
        #expect(try place.run(["--quiet", "--runs", "1"]).status == 0)
        let rows = try place.rows()
        // Another study's directory.
        expectComplaint(try place.run(["--quiet", "--runs", "1", "--seed", "9"]), code: 73, mentions: ["seed"])
        #expect(try place.rows() == rows)
        expectComplaint(
            try coppice("run", place.study, "--data", place.data, "--out", "/proc/none", "--quiet"), code: 73,
            mentions: ["/proc/none"])
        expectComplaint(try coppice("run", "quickstrat", "--quiet"), code: 66, mentions: ["quickstart"])
        expectComplaint(
            try coppice("run", "article", "--data", place.out, "--quiet"), code: 66, mentions: [place.out])
        expectComplaint(try place.run(["--quiet", "--runs", "0"]), code: 64, mentions: ["--runs"])
        #expect(try coppice("run", place.study, "--replicas", "0").status == 64)
    }

    @Test func studiesCanBeListedAndShown() throws {
        #expect(try coppice("study", "list").stdout.split(separator: "\n").count == StudyLibrary.names.count)
        #expect(try coppice("study", "show", "article").stdout.contains("clustering_seeds: 1"))
        expectComplaint(try coppice("study", "show", "articel"), code: 66, mentions: ["article"])
    }
}
