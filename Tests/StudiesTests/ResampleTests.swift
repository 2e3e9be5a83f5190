import Compute
import Datasets
import Networks
import Pruning
import Support
import TestSupport
import Testing

@testable import Studies

/// Studies whose random samples are drawn anew for every epoch.
@Suite struct ResampleTests {
    /// Cases 1 to 4: the whole set, `random` of 30 and 90, and 30 resampled.
    private static let yaml = """
        runs: 3
        epochs: 8
        experiments:
          - {pruning_method: none}
          - {pruning_method: random, sizes: [30, 90]}
          - {pruning_method: random, sizes: 30, resample: epoch}
        """

    @Test func aRunHasTheSamplesOfItsEpochs() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        let results = try StudyRunner(
            study(Self.yaml), directory: temporary.results, executor: executor, replicas: 8
        ).run()
        let jobs = executor.batches.joined()
        let records = results.records.filter { $0.experimentID == 4 }
        #expect(records.count == 3 && results.records.allSatisfy { ($0.distinct == nil) == ($0.experimentID != 4) })
        let stored = try StoredStudy(reading: temporary.results)
        for record in records {
            let (run, random) = (record.runID - 1, jobs.first { $0.experimentID == 2 && $0.run == record.runID - 1 })
            let job = try #require(jobs.first { $0.experimentID == 4 && $0.run == run })
            // The first epoch is what `random` keeps; six blocks of 30 fit into 200, and the seventh epoch shuffles anew.
            let sampling = try #require(job.resampling)
            let epochs = Array(sampling.prefix(8))
            #expect(job.indices == random?.indices && job.indices == epochs[0] && random?.resampling == nil)
            #expect(sampling.samples == Array(0..<200) && sampling.size == 30)
            let seen = Set(epochs.joined())
            #expect(seen.count > 180 && record.distinct == seen.count && record.kept == 30 && record.requested == 30)
            let file = try #require(stored.selection(of: record.plannedRun))
            #expect(Set(file) == seen && file.count == seen.count && Array(file.prefix(30)) == job.indices)
            let line = try temporary.text("runs.jsonl").split(separator: "\n").count {
                $0.contains("\"distinct\":\(seen.count),")
            }
            #expect(line > 0)
        }
        #expect(stored.results.records == results.records && stored.notices.isEmpty)
        #expect(stored.selection(of: PlannedRun(experimentID: 2, run: 0))?.count == 30)
        // Networks of one size train in the same launches, whatever they take their samples from.
        #expect(executor.batches.contains { batch in Set(batch.map(\.experimentID)) == [2, 4] })
    }

    @Test func itComparesWithRandomSamplesAndIsNoBaseline() throws {
        let temporary = try TemporaryDirectory()
        let results = try StudyRunner(
            study(
                Self.yaml + "\n  - {pruning_method: cluster, sizes: 90, ks: 3, selection_strategies: closest}"
                    + "\n  - {pruning_method: random, sizes: 60, resample: epoch}"
                    + "\n  - {pruning_method: cluster, sizes: 60, ks: 3, selection_strategies: closest}"),
            directory: temporary.results, executor: FakeExecutor()
        ).run()
        let baselines = results.summaries.map { summary in
            Baseline.allCases.map { summary.comparisons[$0]?.baselineID }
        }
        #expect(baselines == [[nil, nil], [1, nil], [1, nil], [1, 2], [1, 3], [1, nil], [1, nil]])
        let pairings = Set(results.plan.experiments.map(\.pairing))
        #expect(pairings.count == 1)
    }

    /// A line that says nothing of what a run has seen, or more than it can have, is no finished run.
    @Test(arguments: [
        ("\"distinct\":", "\"other\":"), ("\"distinct\":1", "\"distinct\":9"), ("\"distinct\":1", "\"distinct\":-1"),
        ("\"kept\":60,", "\"kept\":60,\"distinct\":60,"),
    ])
    func lossesAreFound(old: String, new: String) throws {
        let temporary = try TemporaryDirectory()
        let yaml = """
            {runs: 1, epochs: 3, experiments: [{pruning_method: random, sizes: 60},
             {pruning_method: random, sizes: 40, resample: epoch}]}
            """
        _ = try StudyRunner(study(yaml), directory: temporary.results, executor: FakeExecutor()).run()
        let log = try temporary.text("runs.jsonl")
        #expect(log.contains(old) && log.contains("\"distinct\":120,"))
        try temporary.write(log.replacing(old, with: new), to: "runs.jsonl")
        let stored = try StoredStudy(reading: temporary.results)
        #expect(stored.results.records.count == 1)
    }

    @Test func studiesReadBackAndAreOthersWithout() throws {
        let some = try study(Self.yaml)
        #expect(try study(some.yaml) == some.resolved)
        #expect(some.yaml.components(separatedBy: "resample: epoch").count == 2)
        #expect(some.groups.map(\.settings.resample) == [.none, .none, .epoch])
        let top = try study("{resample: epoch, experiments: [{pruning_method: random, sizes: [5, 6]}]}")
        #expect(try study(top.yaml) == top.resolved && top.groups[0].settings.resample == .epoch)
        let mixed = try study(
            """
            resample: epoch
            experiments:
              - {pruning_method: random, sizes: 5}
              - {pruning_method: none, resample: none}
            """)
        #expect(mixed.groups.map(\.settings.resample) == [.epoch, .none])
        #expect(try study(mixed.yaml) == mixed.resolved)
        let without = try study(Self.yaml.replacing(", resample: epoch", with: ""))
        #expect(!without.yaml.contains("resample"))
        #expect(
            some.difference(from: without) == "in entry 3 of experiments, resample is epoch there and not given here")
        // No twins: the cases of size 30 differ.
        let shapes = ["mnist": DatasetShape(count: 200, featureCount: 16)]
        #expect(try StudyPlan(some, shapes: shapes).notices.isEmpty)
        #expect(try StudyPlan(without, shapes: shapes).notices == ["experiment 4 is the same as experiment 2"])
    }

    private func dataset(_ name: String) throws -> Dataset {
        try Dataset(name: name, train: noise(31, classes: 3, run: 0), test: noise(97, classes: 3, run: 1))
    }

    /// Real networks: the CPU path and OpenCL devices are given the same samples; a single epoch is one of `random`.
    @Test func everyPathSeesTheSameSamples() throws {
        var seen: [String: [[Int]?]] = [:]
        for name in TestBackends.names {
            let temporary = try TemporaryDirectory()
            let executor = BackendExecutor(on: try TestBackends.make(name), load: dataset)
            let results = try StudyRunner(
                try StudyReader(file: "test.yaml", acceptsAnyDataset: true).read(
                    """
                    {dataset: made, model: linear, runs: 2, batch_size: 4, experiments: [
                      {pruning_method: random, sizes: 10, epochs: 1},
                      {pruning_method: random, sizes: 10, epochs: 1, resample: epoch},
                      {pruning_method: random, sizes: 10, steps: 11, resample: epoch}]}
                    """),
                directory: temporary.results, executor: executor, replicas: 4
            ).run()
            let stored = try StoredStudy(reading: temporary.results)
            seen[name] = stored.results.plan.runs.map { stored.selection(of: $0).map { $0.sorted() } }
            let correct = results.records.map(\.correct)
            #expect(correct[0..<2] == correct[2..<4], "\(name)")
            // Three epochs of three batches, and two batches of the fourth, whose shuffle has an unseen sample at the most.
            #expect(results.records.map(\.distinct)[2..<4] == [10, 10])
            for record in results.records.suffix(2) {
                let blocks = Array(
                    RepeatedSampling(of: Array(0..<31), size: 10, seed: 1, run: record.runID - 1).prefix(4))
                let first = Set(blocks[0..<3].joined())
                let file = Set(try #require(stored.selection(of: record.plannedRun)))
                #expect(first.count == 30 && file.isSuperset(of: first) && file.count == record.distinct)
                #expect(file.isSubset(of: first.union(blocks[3])))
            }
        }
        #expect(Set(seen.values).count == 1)
    }
}
