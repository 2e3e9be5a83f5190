import Foundation
import Testing

@testable import Studies

@Suite struct DivergedStudyTests {
    /// Experiments 1 to 4; run 2 of every experiment but the first diverges, and every run of experiment 4.
    private static let yaml = """
        runs: 4
        epochs: 2
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: 20}
          - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: [closest, random]}
        """

    private func executor() -> FakeExecutor {
        let executor = FakeExecutor()
        executor.diverges = { job in job.experimentID == 4 || (job.experimentID > 1 && job.run == 1) ? 2 : nil }
        return executor
    }

    @discardableResult
    private func run(
        _ executor: FakeExecutor, _ yaml: String = Self.yaml, shard: Shard? = nil, in path: String
    ) throws -> StudyResults {
        try StudyRunner(study(yaml), directory: path, shard: shard, executor: executor, replicas: 3).run()
    }

    private func expectFigures(_ results: StudyResults) throws {
        #expect(results.records.count == 16 && results.records.count { $0.diverged == Divergence(step: 2) } == 6)
        #expect(results.records.allSatisfy { ($0.accuracy == nil) == ($0.diverged != nil) })
        let summaries = results.summaries
        #expect(summaries.map(\.divergedCount) == [0, 1, 1, 4] && summaries.map(\.records.count) == [4, 4, 4, 4])
        #expect(summaries.map(\.accuracies.count) == [4, 3, 3, 0] && summaries.map(\.times.count) == [4, 3, 3, 0])
        #expect(summaries[3].medianInterval == nil && summaries[2].medianInterval != nil)
        // A case with a diverged run, against a baseline with one or none.
        let random = try #require(summaries[1].comparisons[.full])
        #expect(random.verdict == .diverged && random.pairs == 3 && random.p != nil && random.runsToDecide == nil)
        #expect(!random.isBaselineDiverged)
        let closest = try #require(summaries[2].comparisons[.random])
        #expect(closest.verdict == .diverged && closest.pairs == 3 && closest.isBaselineDiverged)
        for baseline in Baseline.allCases {
            let none = try #require(summaries[3].comparisons[baseline])
            #expect(none.verdict == .diverged && none.pairs == 0 && none.difference == nil && none.pHolm == nil)
            #expect(none.interval95 == nil && none.interval90 == nil && none.runsToDecide == nil)
        }
        let note = try #require(results.comparisonNotes.first)
        #expect(note.hasPrefix("6 runs of 3 cases diverged (learning rate 0.001)"))
        #expect(note.hasSuffix("nothing is decided against a baseline with such a run"))
    }

    @Test func runsThatDivergeAreFinishedAndHaveNoAccuracy() throws {
        let temporary = try TemporaryDirectory()
        try expectFigures(try run(executor(), in: temporary.results))
        let lines = try temporary.text("runs.jsonl").split(separator: "\n")
        let diverged = lines.filter { $0.contains("\"diverged\"") }
        #expect(diverged.count == 6 && lines.count == 16)
        for line in diverged {
            #expect(line.contains("\"accuracy\":null,") && line.contains("\"correct\":null,"))
            #expect(line.contains("\"diverged\":{\"step\":2}"))
        }
        // Lines of other runs are as they always were.
        #expect(
            lines.allSatisfy { $0.contains("diverged") || !$0.contains("null") } && !lines.joined().contains("unmoved"))
        // Again, and read from the directory.
        let again = executor()
        try expectFigures(try run(again, in: temporary.results))
        #expect(again.batches.isEmpty)
        try expectFigures(try StoredStudy(reading: temporary.results).results)
        let status = try StudyStatus(reading: temporary.results)
        #expect(status.finished == 16 && status.diverged == 6 && status.notices.isEmpty)
        #expect(status.best.experimentID != 4 && status.best.experimentID != nil)
        #expect(!temporary.exists("runs.rejected.jsonl"))
    }

    @Test func interruptionsShardsAndMoreRunsKeepThem() throws {
        let whole = try TemporaryDirectory()
        let expected = try run(executor(), in: whole.results).records
        let cut = try TemporaryDirectory()
        let first = executor()
        first.beforeTraining = { count, _, flag in if count == 4 { flag.cancel(); try flag.check() } }
        #expect(studyError { try run(first, in: cut.results) }?.category == .cancelled)
        #expect(essence(try run(executor(), in: cut.results).records) == essence(expected))

        let parts = try TemporaryDirectory()
        for index in 1...3 { try run(executor(), shard: Shard(index: index, count: 3), in: parts.results) }
        try expectFigures(try StoredStudy(reading: parts.results).results)

        let more = executor()
        let raised = try run(more, Self.yaml.replacing("runs: 4", with: "runs: 6"), in: whole.results)
        #expect(more.batches.flatMap { $0 }.allSatisfy { $0.run >= 4 })
        #expect(raised.records.filter { $0.runID <= 4 } == expected)
        #expect(raised.summaries.map(\.divergedCount) == [0, 1, 1, 6])
    }

    @Test func aStudyOfWhichEveryRunDivergedHasNoBest() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.diverges = { _ in 1 }
        let results = try run(executor, in: temporary.results)
        #expect(results.summaries.count == 4 && results.summaries.allSatisfy { $0.accuracies.isEmpty })
        #expect(results.summaries.dropFirst().allSatisfy { $0.comparisons[.full]?.verdict == .diverged })
        let status = try StudyStatus(reading: temporary.results)
        #expect(status.best.experimentID == nil && status.best.runs == 0 && status.diverged == 16)
        #expect(status.last?.record.diverged == Divergence(step: 1))
    }

    @Test func againstABaselineWithOneNothingIsDecided() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.diverges = { $0.experimentID == 1 && $0.run == 0 ? 7 : nil }
        let results = try run(executor, in: temporary.results)
        for summary in results.summaries.dropFirst() {
            let full = try #require(summary.comparisons[.full])
            #expect(full.verdict == .notDecided && full.isBaselineDiverged && full.pairs == 3)
            #expect(full.runsToDecide == nil && full.difference != nil)
        }
        // Too few runs are no reason then.
        #expect(!results.comparisonNotes.contains { $0.hasPrefix("against the whole set") })
        #expect(results.comparisonNotes.contains { $0.hasPrefix("against random") })
        executor.diverges = { $0.experimentID == 1 ? 7 : nil }
        let other = try TemporaryDirectory()
        let none = try run(executor, in: other.results).summaries[1].comparisons[.full]
        #expect(none?.verdict == .notDecided && none?.pairs == 0 && none?.p == nil)
    }

    /// The least difference must not be called equal for the runs that are left.
    @Test func aDivergedCaseIsNeverEqualOrBetter() throws {
        let plan = try StudyPlan(
            study("{runs: 12, experiments: [{pruning_method: none}, {pruning_method: random, sizes: [100, 90]}]}"),
            shapes: ["mnist": DatasetShape(count: 1000, featureCount: 16)])
        var records = plan.runs.map { run in
            let size = plan.experiment(run.experimentID).size
            return record(
                run.experimentID, run.run, correct: run.experimentID == 3 ? 9700 + run.run : 9600, requested: size,
                kept: size)
        }
        #expect(
            StudyResults(plan: plan, records: records).summaries.map { $0.comparisons[.full]?.verdict }
                == [nil, .equal, .better])
        for index in records.indices where records[index].experimentID > 1 && records[index].runID == 12 {
            (records[index].diverged, records[index].accuracy) = (Divergence(step: 1), nil)
        }
        #expect(
            StudyResults(plan: plan, records: records).summaries.map { $0.comparisons[.full]?.verdict }
                == [nil, .diverged, .diverged])
    }

    @Test func linesThatContradictThemselvesAreRejected() throws {
        let temporary = try TemporaryDirectory()
        try run(executor(), in: temporary.results)
        let lines = try temporary.text("runs.jsonl").split(separator: "\n").map(String.init)
        let place = try #require(lines.firstIndex { $0.contains("\"diverged\"") })
        let plan = try StoredStudy(reading: temporary.results).results.plan
        func accepts(_ old: String, _ new: String) -> Bool {
            #expect(lines[place].contains(old))
            var seen: [PlannedRun: RunRecord] = [:]
            return RunLines(Data((lines[place].replacing(old, with: new) + "\n").utf8), plan: plan, seen: &seen).records
                .count == 1
        }
        #expect(accepts("null", "null"))
        // Two epochs of 20 samples in one batch are two steps.
        #expect(accepts("\"step\":2", "\"step\":1") && !accepts("\"step\":2", "\"step\":3"))
        #expect(!accepts("\"step\":2", "\"step\":0") && !accepts("\"accuracy\":null", "\"accuracy\":9.5"))
        #expect(!accepts(",\"diverged\":{\"step\":2}", "") && !accepts("{\"step\":2}", "2"))
    }
}
