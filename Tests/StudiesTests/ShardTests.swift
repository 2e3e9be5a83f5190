import Compute
import Datasets
import Foundation
import Pruning
import Synchronization
import Testing

@testable import Studies
import Support

@Suite struct ShardTests {
    @discardableResult
    private func run(
        _ shard: String?, _ executor: FakeExecutor = FakeExecutor(), _ yaml: String = everything, in path: String,
        cancellation: CancellationFlag = CancellationFlag(), tables: @escaping (Int) -> Void = { _ in },
        report: @escaping (StudyEvent) -> Void = { _ in }
    ) throws -> (results: StudyResults, others: [Shard]) {
        let runner = StudyRunner(
            try study(yaml), directory: path, shard: shard.flatMap(Shard.init), executor: executor, replicas: 4,
            cancellation: cancellation, writeTables: { results, _ in tables(results.records.count) }, report: report)
        return (try runner.run(), runner.othersAtWork)
    }

    /// What is left of shards in a directory.
    private func remains(_ temporary: TemporaryDirectory) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: temporary.results).filter { $0.contains("-of-") }
    }

    @Test(arguments: ["1/1", "1/4", "4/4", "1000/1000"])
    func partsThatThereAre(text: String) { #expect(Shard(text)?.description == text) }

    @Test(arguments: ["0/4", "5/4", "x", "", "1/0", "1/1001", "-1/4", "1/4 ", "1", "1/", "/4", "1/2/3", "99999/99999"])
    func partsThatThereAreNot(text: String) { #expect(Shard(text) == nil) }

    @Test(arguments: [1, 2, 3, 4, 7, 57, 100])
    func shardsAreCompleteDisjointAndBalanced(count: Int) throws {
        let texts = [
            everything,
            "{runs: 5, experiments: [{pruning_method: none}, {pruning_method: random, sizes: [1, 60, 150]}]}",
            "{runs: 9, steps: 7, experiments: [{pruning_method: random, sizes: [3, 5]}]}",
        ]
        for text in texts {
            let plan = try StudyPlan(
                study(text), shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
            func cost(_ run: PlannedRun) -> Int {
                let experiment = plan.experiment(run.experimentID)
                return experiment.recipe.images(kept: experiment.size)
            }
            let parts = try (1...count).map { plan.runs(of: try #require(Shard(index: $0, count: count))) }
            #expect(parts.reduce(0) { $0 + $1.count } == plan.runs.count)
            #expect(Set(parts.joined()) == Set(plan.runs))
            let loads = parts.map { $0.reduce(0) { $0 + cost($1) } }
            let dearest = plan.runs.map(cost).max() ?? 0
            #expect((loads.max() ?? 0) - (loads.min() ?? 0) <= dearest)
        }
    }

    /// Shards of equal runs have clusterings of their own where there are enough.
    @Test func fewClusteringsAreShared() throws {
        let plan = try StudyPlan(
            study(
                "{runs: 4, experiments: [{pruning_method: cluster, sizes: 20, ks: [3, 5], selection_strategies: [closest, random]}]}"
            ), shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
        let keys = try (1...4).map { index in
            let runs = plan.runs(of: try #require(Shard(index: index, count: 4)))
            return Set(runs.compactMap { plan.experiment($0.experimentID).clustering(run: $0.run) })
        }
        #expect(keys.map(\.count) == [2, 2, 2, 2])
        #expect(Set(keys.joined()).count == 8)
    }

    @Test(arguments: [2, 3, 7])
    func shardsOneAfterAnotherComeToTheWhole(count: Int) throws {
        let whole = try run(nil, in: TemporaryDirectory().results).results
        let temporary = try TemporaryDirectory()
        var trained = 0
        var tables: [Int] = []
        for index in (1...count).reversed() {
            let executor = FakeExecutor()
            let (results, others) = try run(
                "\(index)/\(count)", executor, in: temporary.results, tables: { tables.append($0) })
            trained += executor.batches.reduce(0) { $0 + $1.count }
            #expect(results.records.count == trained && others.isEmpty)
            #expect(tables.last == trained)
        }
        #expect(trained == 57)
        let stored = try StoredStudy(reading: temporary.results)
        #expect(essence(stored.results.records) == essence(whole.records))
        #expect(try remains(temporary).isEmpty)
        #expect(try temporary.text("runs.jsonl").split(separator: "\n").count == 57)
        let executor = FakeExecutor()
        try run(nil, executor, in: temporary.results)
        #expect(executor.batches.isEmpty)
    }

    /// The second begins and ends while the first is at work; the last of them joins the logs.
    @Test func shardsAtTheSameTimeMergeByThemselves() throws {
        let whole = try run(nil, in: TemporaryDirectory().results).results
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        var tables: [Int] = []
        executor.beforeTraining = { count, _, _ in
            guard count == 2 else { return }
            let inner = try run("2/2", in: temporary.results, tables: { _ in Issue.record("not the last") })
            #expect(inner.others == [Shard("1/2")])
            #expect(!temporary.exists("runs.jsonl"))
            // What is finished is read from everybody's log.
            let stored = try StoredStudy(reading: temporary.results)
            let done = executor.batches.reduce(0) { $0 + $1.count }
            let other = stored.results.plan.runs(of: try #require(Shard("2/2"))).count
            #expect(stored.results.records.count == done + other)
        }
        let (results, others) = try run("1/2", executor, in: temporary.results, tables: { tables.append($0) })
        #expect(others.isEmpty && tables == [57])
        #expect(essence(results.records) == essence(whole.records))
        #expect(try remains(temporary).isEmpty)
    }

    @Test func whoMayWorkBesideWhom() throws {
        let temporary = try TemporaryDirectory()
        func refusal(_ shard: String?, _ yaml: String = everything) -> String {
            let error = studyError { try run(shard, FakeExecutor(), yaml, in: temporary.results) }
            #expect(error?.category == .temporary)
            return error?.description ?? "none"
        }
        let executor = FakeExecutor()
        executor.beforeTraining = { count, _, _ in
            guard count == 1 else { return }
            #expect(refusal("1/3").contains("shard 1/3 is at work in it; try again"))
            #expect(refusal("1/2").contains("shard 1/3 is at work in it"))
            #expect(refusal(nil).contains("shard 1/3 is at work in it"))
            let more = everything.replacingOccurrences(of: "runs: 3", with: "runs: 4")
            #expect(refusal("2/3", more).contains("its study cannot be changed now"))
        }
        try run("1/3", executor, in: temporary.results)
        let alone = FakeExecutor()
        alone.beforeTraining = { count, _, _ in
            if count == 1 { #expect(refusal("2/3").contains("another process is writing to it")) }
        }
        try run(nil, alone, in: temporary.results)
        #expect(executor.batches.count > 1 && alone.batches.count > 1)
    }

    /// What is left where a process is killed between two steps of joining logs, or while it appends.
    @Test func aCrashInBetweenLosesAndRepeatsNothing() throws {
        let temporary = try TemporaryDirectory()
        let whole = try run(nil, in: temporary.results).results
        let log = try temporary.text("runs.jsonl")
        let lines = log.split(separator: "\n").map { $0 + "\n" }
        // Appended to the one log, and not yet taken from the other.
        try temporary.write(lines[10..<30].joined(), to: "runs.2-of-3.jsonl")
        try run(nil, in: temporary.results, report: { if case .notice(let notice) = $0 { Issue.record("\(notice)") } })
        #expect(try temporary.text("runs.jsonl") == log && remains(temporary).isEmpty)
        // Not yet appended; another shard's last line cut off; one with rubbish.
        try temporary.write(lines[..<20].joined(), to: "runs.jsonl")
        try temporary.write(lines[20..<40].joined(), to: "runs.1-of-3.jsonl")
        try temporary.write(lines[40..<50].joined() + lines[50].prefix(40), to: "runs.2-of-3.jsonl")
        try temporary.write("rubbish\n" + lines[52...].joined(), to: "runs.3-of-3.jsonl")
        let executor = FakeExecutor()
        var notices: [String] = []
        let results = try run(
            nil, executor, in: temporary.results,
            report: { if case .notice(let notice) = $0 { notices.append(notice) } }
        ).results
        #expect(essence(results.records) == essence(whole.records))
        #expect(executor.batches.reduce(0) { $0 + $1.count } == 2)
        #expect(notices.count == 2, "\(notices)")
        #expect(notices.first?.contains("runs.2-of-3.jsonl:11: the last line was cut off") == true)
        #expect(notices.last?.contains("runs.3-of-3.jsonl:1: this line is no finished run") == true)
        #expect(try remains(temporary).isEmpty)
        #expect(try temporary.text("runs.jsonl").split(separator: "\n").count == 57)
        #expect(try temporary.text("runs.rejected.jsonl") == "rubbish\n")
    }

    @Test func aClusteringIsFittedOnceByShardsAtTheSameTime() throws {
        let temporary = try TemporaryDirectory()
        let path = temporary.results
        // One clustering for all runs, so that the shards meet.
        let yaml = everything + "\n    clustering_seeds: 1"
        let fits = Mutex<[ClusteringKey]>([])
        let trained = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 3) { index in
            do {
                let executor = FakeExecutor()
                executor.fitSeconds = 0.05
                try run("\(index + 1)/3", executor, yaml, in: path)
                fits.withLock { $0 += executor.fits }
                trained.withLock { $0 += executor.batches.reduce(0) { $0 + $1.count } }
            } catch {
                Issue.record("\(error)")
            }
        }
        #expect(fits.withLock { $0 }.count == 2 && Set(fits.withLock { $0 }).count == 2)
        #expect(trained.withLock { $0 } == 57)
        #expect(try remains(temporary).isEmpty)
        let alone = try run(nil, FakeExecutor(), yaml, in: TemporaryDirectory().results).results
        #expect(try essence(StoredStudy(reading: path).results.records) == essence(alone.records))
    }

    @Test func waitingForAClusteringCanBeInterrupted() throws {
        let temporary = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: temporary.results, withIntermediateDirectories: true)
        let plan = try StudyPlan(
            study(everything), shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
        let locks = try plan.clusteringUses.keys.map {
            try StudyArrays(directory: temporary.results).lock(of: ArtifactKey($0))
        }
        for lock in locks { #expect(try lock.take(.exclusive)) }
        let flag = CancellationFlag()
        let executor = FakeExecutor()
        let error = studyError {
            try run(
                "1/2", executor, in: temporary.results, cancellation: flag,
                report: { if case .notice(let notice) = $0, notice.hasPrefix("waiting for") { flag.cancel() } })
        }
        #expect(error?.category == .cancelled && executor.fits.isEmpty)
        for lock in locks { lock.release() }
        try run("1/2", executor, in: temporary.results)
        #expect(!executor.fits.isEmpty)
    }
}
