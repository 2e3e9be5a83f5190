import Datasets
import Foundation
import Studies
import Testing

private let small = "{runs: 2, experiments: [{pruning_method: random, sizes: [5, 10]}]}"

@Suite struct StudyDirectoryTests {
    @discardableResult
    private func run(
        _ yaml: String = small, _ executor: FakeExecutor = FakeExecutor(), in path: String,
        writeTables: @escaping (StudyResults, String) throws -> Void = { _, _ in },
        notices: @escaping (String) -> Void = { _ in }
    ) throws -> StudyResults {
        try StudyRunner(
            study(yaml), directory: path, executor: executor, replicas: 1, writeTables: writeTables,
            report: { if case .notice(let notice) = $0 { notices(notice) } }
        ).run()
    }

    @Test(arguments: [
        ("{runs: 1, experiments: [{pruning_method: random, sizes: [5, 10]}]}", "runs is 2 there and 1 here"),
        (
            "{runs: 2, experiments: [{pruning_method: random, sizes: [5, 11]}]}",
            "sizes is [5, 10] there and [5, 11] here"
        ),
        (
            "{runs: 2, steps: 9, experiments: [{pruning_method: random, sizes: [5, 10]}]}",
            "epochs is 5 there and not given"
        ),
        ("{runs: 2, experiments: [{pruning_method: none}]}", "pruning_method is random there and none here"),
        (
            "{runs: 2, experiments: [{pruning_method: random, sizes: [5, 10]}, {pruning_method: none}]}",
            "experiments has 1 entries there and 2 here"
        ),
    ])
    func aDirectoryOfAnotherStudyIsRefused(yaml: String, difference: String) throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        let log = try temporary.text("runs.jsonl")
        let error = studyError { try run(yaml, in: temporary.results) }
        #expect(error?.category == .cannotCreate)
        #expect(error?.description.contains(difference) == true, "\(error?.description ?? "no error")")
        #expect(error?.description.contains("choose another --out") == true)
        #expect(try temporary.text("runs.jsonl") == log)
    }

    @Test func theSameStudyWrittenOtherwiseIsAccepted() throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        let executor = FakeExecutor()
        try run(
            "# again\nexperiments:\n- sizes: [5, 1e1]\n  pruning_method: random\n  runs: 2\n  epochs: 5", executor,
            in: temporary.results)
        #expect(executor.batches.isEmpty)
        let resolved = try temporary.text("study.yaml")
        try run(resolved, executor, in: temporary.results)
        #expect(executor.batches.isEmpty)
    }

    @Test func otherDataAreRefused() throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        let executor = FakeExecutor()
        executor.fingerprint = "other data"
        let error = studyError { try run(small, executor, in: temporary.results) }
        #expect(error?.category == .cannotCreate)
        #expect(error?.description.contains("another data set mnist: fake data there, other data here") == true)
    }

    @Test func theFingerprintKnowsShapesAndLabels() throws {
        func fingerprint(_ height: Int, _ width: Int, labels: [UInt8] = [0, 1, 2, 3], test: Int = 2) throws -> String {
            let pixels = (0..<4 * height * width).map { UInt8($0 % 251) }
            let train = try SampleSet(pixels: pixels, labels: labels, height: height, width: width)
            let part = Array(pixels[..<(test * height * width)])
            return BackendExecutor.fingerprint(
                of: try Dataset(
                    name: "any", train: train,
                    test: SampleSet(
                        pixels: part, labels: Array(labels[..<test]), height: height, width: width)))
        }
        let whole = try fingerprint(6, 4)
        #expect(try fingerprint(6, 4) == whole && whole.count == 64)
        #expect(try fingerprint(4, 6) != whole)
        #expect(try fingerprint(6, 4, labels: [0, 1, 3, 2]) != whole)
        #expect(try fingerprint(6, 4, test: 3) != whole)
    }

    @Test func resultsWithoutTheirStudyAreRefused() throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        try temporary.write("runs: [", to: "study.yaml")
        #expect(studyError { try run(in: temporary.results) }?.category == .cannotCreate)
        try FileManager.default.removeItem(atPath: temporary.results + "/study.yaml")
        #expect(studyError { try run(in: temporary.results) }?.description.contains("no study.yaml") == true)
    }

    @Test func aDirectoryWithoutResultsMayBeTakenOver() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.beforeTraining = { _, _, _ in throw DeviceLost() }
        #expect(throws: DeviceLost.self) { try run(small, executor, in: temporary.results) }
        let results = try run("{runs: 1, experiments: [{pruning_method: none}]}", in: temporary.results)
        #expect(results.records.count == 1)
        #expect(try temporary.text("study.yaml").contains("pruning_method: none"))
    }

    @Test func aTornLastLineIsDroppedAndRepeated() throws {
        let temporary = try TemporaryDirectory()
        let whole = try run(in: temporary.results)
        let log = try temporary.text("runs.jsonl")
        let last = try #require(log.split(separator: "\n").last)
        let kept = log.utf8.count - last.utf8.count - 1
        // Cut within the last line, at its beginning, and just before its end.
        for length in [kept + 1, kept + last.utf8.count / 2, kept + last.utf8.count - 1] {
            try temporary.write(String(decoding: log.utf8.prefix(length), as: UTF8.self), to: "runs.jsonl")
            let executor = FakeExecutor()
            var notices: [String] = []
            let results = try run(small, executor, in: temporary.results, notices: { notices.append($0) })
            #expect(essence(results.records) == essence(whole.records))
            #expect(executor.batches.count == 1)
            #expect(
                notices == [
                    "\(temporary.results)/runs.jsonl:4: the last line was cut off; it is dropped and its run repeated"
                ])
            #expect(try temporary.text("runs.jsonl").split(separator: "\n").count == 4)
        }
        // A line that lacks only its end is whole.
        try temporary.write(String(log.dropLast()), to: "runs.jsonl")
        let executor = FakeExecutor()
        #expect(try run(small, executor, in: temporary.results).records == whole.records)
        #expect(executor.batches.isEmpty)
        #expect(try temporary.text("runs.jsonl") == log)
    }

    @Test func rubbishInTheMiddleIsSetAside() throws {
        let temporary = try TemporaryDirectory()
        let whole = try run(in: temporary.results)
        var lines = try temporary.text("runs.jsonl").split(separator: "\n").map(String.init)
        let lost = lines[1]
        let foreign = lines[2].replacingOccurrences(of: "\"run_id\":1", with: "\"run_id\":99")
        #expect(foreign != lines[2])
        lines[1] = "{\"experiment_id\": 1, rubbish"
        lines.insert(contentsOf: [lines[0], foreign, "", "\u{0}\u{0}"], at: 2)
        try temporary.write(lines.joined(separator: "\n") + "\n", to: "runs.jsonl")
        let executor = FakeExecutor()
        var notices: [String] = []
        let results = try run(small, executor, in: temporary.results, notices: { notices.append($0) })
        #expect(essence(results.records) == essence(whole.records))
        #expect(executor.batches.count == 1)
        let path = temporary.results + "/runs.jsonl"
        let fate = "this line is no finished run of the study; it is moved to runs.rejected.jsonl and its run repeated"
        #expect(notices == [2, 4, 6].map { "\(path):\($0): \(fate)" })
        #expect(
            try temporary.text("runs.rejected.jsonl") == [lines[1], foreign, "\u{0}\u{0}\n"].joined(separator: "\n"))
        // The lost run now stands at the end.
        let after = try temporary.text("runs.jsonl").split(separator: "\n").map(String.init)
        #expect(after.prefix(3) == [lines[0], lines[6], lines[7]] && after.count == 4)
        #expect(after[3].contains("\"experiment_id\":1") && lost.contains("\"experiment_id\":1"))
        // Nothing is left to be said.
        try run(in: temporary.results, notices: { Issue.record("\($0)") })
    }

    @Test func aRunThatStandsTwiceWithOtherFiguresCountsOnce() throws {
        let temporary = try TemporaryDirectory()
        let whole = try run(in: temporary.results)
        let log = try temporary.text("runs.jsonl")
        let first = try #require(log.split(separator: "\n").first)
        let other = first.replacing("\"replicas\":1", with: "\"replicas\":2")
        try temporary.write(log + other + "\n", to: "runs.jsonl")
        var notices: [String] = []
        #expect(try run(in: temporary.results, notices: { notices.append($0) }).records == whole.records)
        #expect(notices.count == 1 && notices[0].contains("runs.jsonl:5: this run stands in the log before"))
        #expect(try temporary.text("runs.jsonl") == log)
        #expect(try temporary.text("runs.rejected.jsonl") == other + "\n")
    }

    @Test func aSecondProcessIsKeptOut() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        var inner: StudyError?
        executor.beforeTraining = { count, _, _ in
            if count == 1 { inner = studyError { try run(in: temporary.results) } }
        }
        try run(small, executor, in: temporary.results)
        #expect(inner?.category == .temporary)
        #expect(inner?.description.contains("another process is writing to it") == true)
        // And let in once the first is done.
        try run(in: temporary.results)
    }

    @Test func tablesWithoutTheirRunsAreKeptAndTheRunsRepeated() throws {
        let temporary = try TemporaryDirectory()
        let tables = { (results: StudyResults, path: String) in
            for name in ["results.csv", "summary.csv"] {
                try OutputFile.write(
                    "header\n" + results.records.map { "\($0.runID)\n" }.joined(), to: path + "/" + name)
            }
        }
        try run(in: temporary.results, writeTables: tables)
        try FileManager.default.removeItem(atPath: temporary.results + "/runs.jsonl")
        try temporary.write("header\nof before", to: "results.csv")
        try temporary.write("header\nolder", to: "results.csv.before")
        let other = studyError { try run("{experiments: [{pruning_method: none}]}", in: temporary.results) }
        #expect(other?.category == .cannotCreate)
        let executor = FakeExecutor()
        var notices: [String] = []
        try run(small, executor, in: temporary.results, writeTables: tables, notices: { notices.append($0) })
        #expect(executor.batches.count == 4)
        #expect(notices.count == 1 && notices[0].contains("runs.jsonl is gone or empty"), "\(notices)")
        // What was kept before is not lost.
        #expect(try temporary.text("results.csv.before") == "header\nolder")
        #expect(try temporary.text("results.csv.before2") == "header\nof before")
        #expect(try temporary.text("results.csv").split(separator: "\n").count == 5)
        // A header alone is what a session leaves that was stopped before its first run.
        try FileManager.default.removeItem(atPath: temporary.results + "/runs.jsonl")
        try temporary.write("header\n", to: "results.csv")
        notices = []
        try run(small, in: temporary.results, writeTables: tables, notices: { notices.append($0) })
        #expect(notices.isEmpty, "\(notices)")
        #expect(!FileManager.default.fileExists(atPath: temporary.results + "/results.csv.before3"))
    }

    @Test func whatIsGoneIsMendedOrSaid() throws {
        let temporary = try TemporaryDirectory()
        let whole = try run(everything, in: temporary.results)
        try FileManager.default.removeItem(atPath: temporary.results + "/clusterings")
        try FileManager.default.removeItem(atPath: temporary.results + "/selections")
        let log = try temporary.text("runs.jsonl").split(separator: "\n").dropLast(2).joined(separator: "\n") + "\n"
        try temporary.write(log, to: "runs.jsonl")
        var notices: [String] = []
        let results = try run(everything, in: temporary.results, notices: { notices.append($0) })
        #expect(essence(results.records) == essence(whole.records))
        #expect(notices.count == 1 && notices[0].contains("the files of 55 finished runs are gone"), "\(notices)")
        // Without what says which data they are of, results are nobody's.
        try FileManager.default.removeItem(atPath: temporary.results + "/environment.json")
        let error = studyError { try run(everything, in: temporary.results) }
        #expect(error?.category == .cannotCreate)
        #expect(error?.description.contains("environment.json is gone or damaged") == true)
    }

    @Test func aLogThatIsRemovedAtWorkEndsTheStudy() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.beforeTraining = { count, _, _ in
            if count == 2 { try FileManager.default.removeItem(atPath: temporary.results + "/runs.jsonl") }
        }
        let error = studyError { try run(small, executor, in: temporary.results) }
        #expect(error?.category == .writeFailed)
        #expect(error?.description.contains("somebody removed it") == true)
    }

    @Test func tablesAreNotWrittenAfterEveryBatch() throws {
        var written: [Int] = []
        try run(
            everything, in: TemporaryDirectory().results,
            writeTables: { results, _ in written.append(results.records.count) })
        #expect(written == [57])
        let executor = FakeExecutor()
        executor.beforeTraining = { count, _, _ in if count == 9 { throw DeviceLost() } }
        written = []
        // What is done is in the tables also where the study ends early.
        #expect(throws: DeviceLost.self) {
            try run(
                everything, executor, in: TemporaryDirectory().results,
                writeTables: { results, _ in written.append(results.records.count) })
        }
        #expect(written == [9])
    }

    @Test func placesThatCannotBeWrittenAreRefused() throws {
        let temporary = try TemporaryDirectory()
        let file = temporary.path + "/file"
        try "text".write(toFile: file, atomically: true, encoding: .utf8)
        for path in [file, file + "/below", "/proc/none"] {
            let error = studyError { try run(in: path) }
            #expect(error?.category == .cannotCreate)
            #expect(error?.description.hasPrefix("/") == true)
            #expect(error?.description.contains("cannot be created: ") == true, "\(error?.description ?? "no error")")
        }
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "text")
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func aFullDiskIsAnErrorAndNothingIsLost() throws {
        let temporary = try TemporaryDirectory()
        let whole = try run(in: temporary.path + "/other")
        // The log on a full disk: the run's line is not kept, so the run is not finished.
        try FileManager.default.createDirectory(atPath: temporary.results, withIntermediateDirectories: true)
        let log = temporary.results + "/runs.jsonl"
        try FileManager.default.createSymbolicLink(atPath: log, withDestinationPath: "/dev/full")
        let full = studyError { try run(in: temporary.results) }
        #expect(full?.category == .writeFailed)
        #expect(
            full?.description.hasPrefix("\(log): writing failed: No space left on device; what was finished") == true)
        try FileManager.default.removeItem(atPath: log)
        // A selection that has no room: three runs are finished, the fourth is not begun.
        let selection = temporary.results + "/selections/experiment2-run2.npy"
        try FileManager.default.createSymbolicLink(atPath: selection, withDestinationPath: "/dev/full")
        let second = studyError { try run(in: temporary.results) }
        #expect(second?.category == .writeFailed)
        #expect(try temporary.text("runs.jsonl").split(separator: "\n").count == 3)
        try FileManager.default.removeItem(atPath: selection)
        // A table that has no room: the run behind it is kept all the same.
        let table = temporary.results + "/results.csv"
        try FileManager.default.createSymbolicLink(atPath: table, withDestinationPath: "/dev/full")
        let third = studyError {
            try run(in: temporary.results, writeTables: { try OutputFile.write("table", to: $1 + "/results.csv") })
        }
        #expect(third?.category == .writeFailed)
        #expect(try temporary.text("runs.jsonl").split(separator: "\n").count == 4)
        try FileManager.default.removeItem(atPath: table)
        let executor = FakeExecutor()
        #expect(essence(try run(small, executor, in: temporary.results).records) == essence(whole.records))
        #expect(executor.batches.isEmpty)
    }
}
