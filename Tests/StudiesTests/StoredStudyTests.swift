import Compute
import Datasets
import Foundation
import Pruning
import Studies
import Testing
import Support

private let withPCA = """
    runs: 2
    pca_components: 4
    experiments:
      - pruning_method: random
        sizes: 10
      - pruning_method: cluster
        sizes: 10
        ks: 3
        use_pca: [true, false]
        selection_strategies: [closest, hybrid]
    """

@Suite struct StoredStudyTests {
    @discardableResult
    private func run(_ executor: FakeExecutor = FakeExecutor(), in path: String) throws -> StudyResults {
        try StudyRunner(
            study(withPCA), directory: path, executor: executor, replicas: 3,
            environment: ["coppice": "0.0.1", "device": "fake"]
        ).run()
    }

    @Test func aDirectoryIsReadWithoutItsData() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        let results = try run(executor, in: temporary.results)
        let stored = try StoredStudy(reading: temporary.results)
        #expect(stored.study == (try study(withPCA).resolved))
        #expect(stored.results.records == results.records)
        #expect(stored.results.plan.experiments == results.plan.experiments)
        #expect(stored.notices.isEmpty)
        let dataset = try #require(stored.environment.datasets["mnist"])
        #expect(
            dataset.fingerprint == "fake data"
                && dataset.shape == DatasetShape(count: 200, featureCount: 16, classCount: 10))
        #expect(dataset.classCount == 10)
        #expect([dataset.channels, dataset.height, dataset.width] == [1, 4, 4])
        #expect(stored.environment.sessions == [["coppice": "0.0.1", "device": "fake"]])
        for key in stored.results.plan.clusteringUses.keys {
            let fitted = FakeExecutor().fit(key)
            let read = try #require(stored.clustering(key))
            #expect(read.labels == fitted.labels && read.squaredDistances == fitted.squaredDistances)
            #expect(read.k == key.k)
        }
        for job in executor.batches.flatMap({ $0 }) {
            let run = try #require(
                stored.results.plan.runs.first { $0.experimentID == job.experimentID && $0.run == job.run })
            #expect(stored.selection(of: run) == job.indices)
        }
        #expect(stored.spectrum(of: TrainingSet("mnist"), components: 4)?.variances == [9, 8.5, 8, 7.5])
        #expect(stored.spectrum(of: TrainingSet("mnist"), components: 4)?.totalVariance == 100)
        #expect(stored.spectrum(of: TrainingSet("mnist"), components: 3) == nil)
        #expect(stored.spectrum(of: TrainingSet("fashion-mnist"), components: 4) == nil)
    }

    /// One bit of a clustering turned would be another clustering; it is not there, and fitted again.
    @Test(arguments: ["labels.npy", "distances.npy"])
    func aClusteringWithABitTurnedIsNone(file: String) throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        let stored = try StoredStudy(reading: temporary.results)
        let key = try #require(stored.results.plan.clusteringUses.keys.first)
        let path = temporary.results + "/clusterings/\(key.fileName)/\(file)"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        // The lowest byte of the last element.
        bytes[bytes.count - 4] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(stored.clustering(key) == nil)
        try FileManager.default.removeItem(atPath: temporary.results + "/runs.jsonl")
        let executor = FakeExecutor()
        try run(executor, in: temporary.results)
        #expect(executor.fits == [key])
        #expect(stored.clustering(key) != nil)
    }

    @Test func selectionsThatAreGoneOrDamagedAreNone() throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        let stored = try StoredStudy(reading: temporary.results)
        let runs = stored.results.plan.runs
        let folder = temporary.results + "/selections/"
        try NumPy.write([Int64](0..<9), shape: [9], to: folder + "experiment1-run1.npy")
        try NumPy.write([Int64](195..<205), shape: [10], to: folder + "experiment1-run2.npy")
        try NumPy.write([Int64](repeating: 1, count: 10), shape: [10], to: folder + "experiment2-run1.npy")
        try FileManager.default.removeItem(atPath: folder + "experiment2-run2.npy")
        #expect(runs.prefix(4).allSatisfy { stored.selection(of: $0) == nil })
        #expect(runs.dropFirst(4).allSatisfy { stored.selection(of: $0) != nil })
    }

    @Test(arguments: [("\"format\" : 4,", ""), ("\"format\" : 4,", "\"format\" : 5,")])
    func anotherVersionsDirectoryIsRefused(here: String, there: String) throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        let text = try temporary.text("environment.json")
        #expect(text.contains(here))
        try temporary.write(text.replacingOccurrences(of: here, with: there), to: "environment.json")
        let number = there.isEmpty ? 1 : 5
        let start = "\(temporary.results) was made by another version of the program (coppice 0.0.1, format \(number);"
        let reading = studyError { _ = try StoredStudy(reading: temporary.results) }
        #expect(reading?.category == .badData)
        #expect(reading?.description.hasPrefix(start) == true, "\(reading?.description ?? "")")
        let log = try temporary.text("runs.jsonl")
        let writing = studyError { try run(in: temporary.results) }
        #expect(writing?.category == .cannotCreate)
        #expect(writing?.description.hasPrefix(start) == true && writing?.description.contains("--out") == true)
        #expect(try temporary.text("runs.jsonl") == log)
    }

    @Test func theSecondFormatIsReadAndNotGoneOnWith() throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        let text = try temporary.text("environment.json")
        try temporary.write(text.replacing("\"format\" : 4,", with: "\"format\" : 2,"), to: "environment.json")
        let log = try temporary.text("runs.jsonl").replacing(/"recall":\[[^\]]*\],/, with: "")
        #expect(!log.contains("recall"))
        try temporary.write(log, to: "runs.jsonl")
        let stored = try StoredStudy(reading: temporary.results)
        #expect(stored.results.records.count == stored.results.plan.runs.count && stored.notices.isEmpty)
        #expect(stored.results.records.allSatisfy { $0.recall == nil && $0.worstRecall == nil })
        let error = studyError { try run(in: temporary.results) }
        #expect(error?.category == .cannotCreate && error?.description.contains("format 2") == true)
        #expect(try temporary.text("runs.jsonl") == log)
    }

    /// Clusterings of the third format have no format number: reports show them, but runs are not mixed with them.
    @Test func theFormatBeforeKeepsItsClusterings() throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        let plan = try StoredStudy(reading: temporary.results).results.plan
        let key = try #require(plan.clusteringUses.keys.first)
        let description = "clusterings/\(key.fileName)/clustering.json"
        let facts = try temporary.text(description)
        let former = facts.replacing(/\s*"format" : 2,/, with: "")
        #expect(former != facts)
        try temporary.write(former, to: description)
        // In a directory of this format, a clustering without a number does not belong to this study.
        #expect(try StoredStudy(reading: temporary.results).clustering(key) == nil)
        let text = try temporary.text("environment.json")
        try temporary.write(text.replacing("\"format\" : 4,", with: "\"format\" : 3,"), to: "environment.json")
        #expect(try StoredStudy(reading: temporary.results).clustering(key) != nil)
        let error = studyError { try run(in: temporary.results) }
        #expect(error?.category == .cannotCreate && error?.description.contains("format 3") == true)
    }

    /// A clustering of the previous form in a directory of this format is fitted again.
    @Test func aClusteringWithoutANumberIsFittedAgain() throws {
        let temporary = try TemporaryDirectory()
        try run(in: temporary.results)
        let plan = try StoredStudy(reading: temporary.results).results.plan
        let key = try #require(plan.clusteringUses.keys.first)
        let description = "clusterings/\(key.fileName)/clustering.json"
        try temporary.write(
            try temporary.text(description).replacing(/\s*"format" : 2,/, with: ""), to: description)
        try FileManager.default.removeItem(atPath: temporary.results + "/runs.jsonl")
        let executor = FakeExecutor()
        try run(executor, in: temporary.results)
        #expect(executor.fits == [key])
    }

    @Test func whatIsNoStudyIsSaidInASentence() throws {
        let temporary = try TemporaryDirectory()
        func error() -> StudyError? { studyError { _ = try StoredStudy(reading: temporary.results) } }
        #expect(error()?.category == .noInput)
        #expect(error()?.description.contains("there is no such directory") == true)
        try "text".write(toFile: temporary.results, atomically: true, encoding: .utf8)
        #expect(error()?.category == .noInput)
        #expect(error()?.description.contains("it is a file") == true)
        try FileManager.default.removeItem(atPath: temporary.results)
        try FileManager.default.createDirectory(atPath: temporary.results, withIntermediateDirectories: true)
        #expect(error()?.category == .noInput)
        #expect(error()?.description.contains("neither study.yaml nor environment.json") == true)
        try run(in: temporary.results)
        #expect(error() == nil)
        let files = ["study.yaml", "environment.json"]
        let texts = try files.map(temporary.text)
        for (file, text) in zip(files, texts) {
            try FileManager.default.removeItem(atPath: temporary.results + "/" + file)
            #expect(error()?.description.contains("is gone") == true, "\(error()?.description ?? "")")
            try temporary.write(String(text.prefix(text.count / 2)), to: file)
            #expect(error()?.category == .badData)
            #expect(error()?.description.contains(file) == true, "\(error()?.description ?? "")")
            try temporary.write(text, to: file)
        }
        #expect(error() == nil)
    }

    /// Whoever reads while a study writes may see half a line; that is no fault and no run.
    @Test func readingSkipsWhatIsNotWholeAndChangesNothing() throws {
        let temporary = try TemporaryDirectory()
        let results = try run(in: temporary.results)
        let log = try temporary.text("runs.jsonl")
        var lines = log.split(separator: "\n").map(String.init)
        lines[3] = "rubbish"
        // A digit that turned: the figures of the line no longer agree.
        lines[4] = lines[4].replacing(/"correct":\d+/) { "\($0.output)0" }
        let text = lines.joined(separator: "\n") + "\n{\"accuracy\":97."
        try temporary.write(text, to: "runs.jsonl")
        let stored = try StoredStudy(reading: temporary.results)
        #expect(stored.results.records.count == results.records.count - 2)
        #expect(Set(stored.results.records.map(\.accuracy)).isSubset(of: results.records.map(\.accuracy)))
        #expect(
            stored.notices
                == [4, 5].map {
                    "\(temporary.results)/runs.jsonl:\($0): this line is no finished run of the study; it is not used"
                })
        #expect(try temporary.text("runs.jsonl") == text)
    }
}
