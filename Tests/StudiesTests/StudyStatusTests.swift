import Foundation
import Studies
import Testing

@Suite struct StudyStatusTests {
    private func runner(_ executor: FakeExecutor, in path: String, shard: Shard? = nil) throws -> StudyRunner {
        StudyRunner(try study(everything), directory: path, shard: shard, executor: executor, replicas: 3)
    }

    @Test func aStudyIsWatchedWhileItRuns() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.beforeTraining = { _, _, _ in
            let status = try StudyStatus(reading: temporary.results)
            let jobs = executor.batches.flatMap { $0 }
            let images = jobs.reduce(0) { $0 + 2 * $1.indices.count }
            #expect(status.finished == jobs.count && status.isAtWork && status.shards.isEmpty)
            #expect(status.imagesLeft == 2 * (3 * 200 + 27 * 20 + 27 * 100) - images)
            #expect((status.imagesPerSecond == nil) == jobs.isEmpty)
            #expect(status.last?.record.experimentID == jobs.last?.experimentID)
            if let rate = status.imagesPerSecond {
                // Every run took 0.75 s and its selection.
                #expect(rate <= Double(images) / (0.75 * Double(jobs.count)) && rate > 0)
                #expect(abs((status.secondsLeft ?? 0) * rate - Double(status.imagesLeft)) < 1e-6)
            }
        }
        let results = try runner(executor, in: temporary.results).run()
        let status = try StudyStatus(reading: temporary.results)
        #expect(status.finished == 57 && status.imagesLeft == 0 && !status.isAtWork && status.notices.isEmpty)
        #expect(status.imagesPerSecond == nil && status.secondsLeft == nil)
        let medians = results.summaries.map { Statistics.median($0.accuracies) ?? 0 }
        #expect(status.best.medianAccuracy == medians.max() && status.best.runs == 3)
    }

    @Test func shardsAtWorkAreNamed() throws {
        let temporary = try TemporaryDirectory()
        let outer = FakeExecutor()
        let inner = FakeExecutor()
        inner.beforeTraining = { count, _, _ in
            let status = try StudyStatus(reading: temporary.results)
            #expect(status.shards == [Shard("1/3"), Shard("3/3")].compactMap { $0 } && status.isAtWork)
            let jobs = outer.batches.flatMap { $0 } + inner.batches.flatMap { $0 }
            #expect(status.finished == jobs.count)
            // Of two that are at work the one that finished nothing yet counts as much as the other.
            #expect(count == 0 || (status.imagesPerSecond ?? 0) > 0)
        }
        outer.beforeTraining = { count, _, _ in
            if count == 2 { _ = try runner(inner, in: temporary.results, shard: Shard("3/3")).run() }
        }
        _ = try runner(outer, in: temporary.results, shard: Shard("1/3")).run()
        #expect(inner.batches.count > 2)
        #expect(try StudyStatus(reading: temporary.results).shards.isEmpty)
    }

    @Test func theBestCaseFollowsItsMedian() throws {
        var best = BestCase()
        #expect(best.experimentID == nil && best.runs == 0)
        func record(_ experiment: Int, _ run: Int, _ correct: Int) -> RunRecord {
            RunRecord(
                experimentID: experiment, runID: run,
                outcome: TrainingOutcome(
                    correct: correct, count: 100, trainingSeconds: 1, evaluationSeconds: 1, replicas: 1),
                selectionSeconds: 1, requested: 1, kept: 1, perClass: [1], device: "")
        }
        best.add([record(2, 1, 90)])
        best.add([record(1, 1, 80)])
        #expect(best.experimentID == 2 && best.medianAccuracy == 90)
        // A median that falls below another's.
        best.add([record(2, 2, 50)])
        #expect(best.experimentID == 1 && best.medianAccuracy == 80)
        best.add([record(2, 3, 95), record(3, 1, 0)])
        #expect(best.experimentID == 2 && best.medianAccuracy == 90 && best.runs == 3)
    }
}
