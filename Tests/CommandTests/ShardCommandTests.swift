import Foundation
import Testing
import TestSupport

/// Several processes in one directory, and what is seen of them from another.
@Suite struct ShardCommandTests {
    private static let runs = 36

    private struct Place {
        let folder: TemporaryFolder
        let study: String
        let data: String
        let out: String

        init() throws {
            folder = try TemporaryFolder()
            study = folder / "study.yaml"
            data = folder / "data"
            out = folder / "out"
            try """
            dataset: shapes
            runs: 4
            epochs: 1
            batch_size: 20
            pca_components: 4
            experiments:
              - {pruning_method: none}
              - {pruning_method: random, sizes: [10, 20]}
              - {pruning_method: cluster, sizes: [10, 30], ks: 3, use_pca: true, selection_strategies: [closest, furthest, random]}
            """.write(toFile: study, atomically: true, encoding: .utf8)
            try SyntheticData(train: 60, test: 20).write(to: data)
        }

        func run(_ more: String...) throws -> Outcome { try coppice(arguments(more)) }

        private func arguments(_ more: [String]) -> [String] {
            ["run", study, "--data", data, "--out", out, "--device", "cpu", "--replicas", "2"] + more
        }

        /// Starts a process and leaves it; what it says goes to `log`.
        func start(_ more: String..., log: String) throws -> Process {
            #expect(FileManager.default.createFile(atPath: log, contents: nil))
            let process = Process()
            process.executableURL = program
            process.arguments = arguments(more)
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
            try process.run()
            return process
        }

        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: out + "/" + name)), as: UTF8.self)
        }

        /// The rows of results.csv without times and replicas, which depend on who was at work beside.
        func rows() throws -> [[String]] {
            try rowsWithoutTimes(of: text("results.csv"))
        }

        func shardFiles() throws -> [String] {
            try folder.names(in: "out").filter { $0.contains("-of-") }
        }
    }

    private func wait(_ limit: Double = 120, until condition: () throws -> Bool) throws {
        let start = ContinuousClock.now
        while try !condition() {
            if (ContinuousClock.now - start) / .seconds(1) > limit {
                Issue.record("waited \(limit) s in vain")
                return
            }
            usleep(2_000)
        }
    }

    @Test(arguments: [2, 3])
    func processesShareAStudyAndOneIsKilled(count: Int) throws {
        let (whole, parts) = (try Place(), try Place())
        #expect(try whole.run("--quiet").status == 0)
        let processes = try (1...count).map { index in
            try parts.start("--shard", "\(index)/\(count)", log: parts.folder / "stderr\(index)")
        }
        // The first is killed once it has reported a run.
        try wait {
            let said = try Data(contentsOf: URL(fileURLWithPath: parts.folder / "stderr1"))
            return String(decoding: said, as: UTF8.self).contains("\n[2/")
        }
        kill(processes[0].processIdentifier, SIGKILL)
        for (index, process) in processes.enumerated() {
            process.waitUntilExit()
            #expect(
                process.terminationReason == .uncaughtSignal && index == 0 || process.terminationStatus == 0,
                "shard \(index + 1)")
        }
        // The others went on; what the killed one had finished counts.
        let status = try coppice("status", parts.out, "--json").json()
        let finished = try #require(status["finished"] as? Int)
        #expect(finished > Self.runs * (count - 1) / count / 2)
        #expect(status["at_work"] as? Bool == false)
        let last = try parts.run("--shard", "1/\(count)")
        #expect(last.status == 0, "\(last.stderr)")
        #expect(try parts.rows() == whole.rows())
        #expect(try parts.shardFiles().isEmpty)
        #expect(try parts.text("runs.jsonl").split(separator: "\n").count == Self.runs)
        // No run was made twice.
        #expect(!FileManager.default.fileExists(atPath: parts.out + "/runs.rejected.jsonl"))
    }

    @Test func whoIsAtWorkIsSeenAndKeptApart() throws {
        let place = try Place()
        let log = place.folder / "stderr"
        let process = try place.start("--runs", "400", "--shard", "1/2", log: log)
        defer { process.waitUntilExit() }
        try wait { String(decoding: try Data(contentsOf: URL(fileURLWithPath: log)), as: UTF8.self).contains("\n[3/") }
        let status = try coppice("status", place.out, "--json").json()
        #expect(status["at_work"] as? Bool == true)
        #expect(status["shards"] as? [String] == ["1/2"])
        #expect(status["runs"] as? Int == 3600)
        #expect((status["finished"] as? Int ?? 0) >= 3)
        #expect((status["images_per_second"] as? Double ?? 0) > 0)
        let text = try coppice("status", place.out)
        #expect(text.status == 0 && text.stderr.isEmpty)
        for words in ["of 3600 runs", "at work: shard 1/2", "images/s", "best: ", "last: "] {
            #expect(text.stdout.contains(words), "\(text.stdout)")
        }
        expectComplaint(
            try place.run("--runs", "400", "--quiet"), code: 75, mentions: [place.out, "shard 1/2 is at work in it"])
        expectComplaint(
            try place.run("--runs", "400", "--quiet", "--shard", "1/2"), code: 75, mentions: ["shard 1/2 is at work"])
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        // Nobody else was at work: its runs are in the one log already.
        #expect(try place.shardFiles().isEmpty)
        #expect(try coppice("status", place.out).stdout.contains("at work: nobody; coppice run goes on"))
    }

    @Test func partsThatThereAreNotAreRefused() throws {
        let place = try Place()
        for shard in ["0/4", "5/4", "x", "1/1001"] {
            let outcome = try place.run("--shard", shard)
            #expect(outcome.status == 64)
            #expect(outcome.stderr.contains("--shard is '\(shard)'; i/n is accepted"), "\(outcome.stderr)")
            #expect(!FileManager.default.fileExists(atPath: place.out))
        }
    }

    @Test func runsAreRaisedAndAFinishedStudyNeedsNoDevice() throws {
        let (place, fresh) = (try Place(), try Place())
        #expect(try place.run("--quiet", "--runs", "2").status == 0)
        let before = try place.text("runs.jsonl")
        let more = try place.run("--runs", "3")
        #expect(more.status == 0 && more.stderr.contains("18 are finished"), "\(more.stderr)")
        #expect(try place.text("runs.jsonl").hasPrefix(before))
        #expect(try fresh.run("--quiet", "--runs", "3").status == 0)
        #expect(try place.rows() == fresh.rows())
        expectComplaint(
            try place.run("--quiet", "--runs", "2"), code: 73, mentions: ["runs is 3 there and 2 here"])
        try FileManager.default.removeItem(atPath: place.out + "/results.csv")
        // It would not be found.
        let outcome = try coppice(
            "run", place.study, "--data", place.data, "--out", place.out, "--runs", "3", "--device", "no such device")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(try place.rows() == fresh.rows())
    }

    @Test func foldersThatAreNoStudys() throws {
        let folder = try TemporaryFolder()
        expectComplaint(try coppice("status", folder / "none"), code: 66, mentions: ["there is no such directory"])
        expectComplaint(try coppice("status", folder.path), code: 66, mentions: ["neither study.yaml"])
        let place = try Place()
        #expect(try place.run("--quiet", "--runs", "1").status == 0)
        // The first format had no number.
        try damage(place.out + "/environment.json") { bytes in
            bytes = Data(String(decoding: bytes, as: UTF8.self).replacing("\"format\" : 4,", with: "").utf8)
        }
        expectComplaint(
            try coppice("status", place.out), code: 65, mentions: ["another version of the program", "format 1"])
        expectComplaint(
            try place.run("--quiet", "--runs", "1"), code: 73, mentions: ["another version of the program", "--out"])
    }
}
