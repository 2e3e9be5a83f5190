import Compute
import Foundation
import Testing

@testable import Networks
import TestSupport

@Suite struct TrainerTests {
    private static let options = TrainingOptions(length: .epochs(2), batchSize: 20)

    private func trainer(_ name: String) throws -> (Trainer, any Backend) {
        let backend = try TestBackends.make(name)
        return (
            Trainer(
                try Fixture.store(on: backend), normalisation: try Fixture.expected().normalisation, on: backend),
            backend
        )
    }

    /// 90 of the fixture's images, others for each run.
    private func subset(_ run: Int) -> [Int] { (0..<90).map { ($0 * 7 + run * 13) % 600 } }

    @Test(arguments: TestBackends.names) func aRunAloneAndAmongSevenGivesTheSameBits(name: String) throws {
        let (trainer, _) = try trainer(name)
        let runs = (0..<7).map { TrainingRun(subset: subset($0), seed: 3, run: $0) }
        let together = try trainer.train(runs, options: Self.options)
        for run in [0, 3, 6] {
            let alone = try trainer.train([runs[run]], options: Self.options)
            #expect(alone.weights[0] == together.weights[run], "run \(run)")
            #expect(alone.losses.map { $0[0] } == together.losses.map { $0[run] }, "run \(run)")
        }
        #expect(together.weights[0] != together.weights[1])
    }

    @Test(arguments: TestBackends.names) func theSameSeedGivesTheSameBitsAndAnotherSeedOthers(name: String) throws {
        let runs = [3, 4].map { TrainingRun(subset: subset(0), seed: $0, run: 0) }
        let first = try trainer(name).0.train([runs[0]], options: Self.options)
        let other = try trainer(name).0.train([runs[1]], options: Self.options)
        #expect(try trainer(name).0.train([runs[0]], options: Self.options).weights == first.weights)
        #expect(other.weights != first.weights)
        // Side by side each has its own.
        #expect(try trainer(name).0.train(runs, options: Self.options).weights == first.weights + other.weights)
    }

    @Test(arguments: TestBackends.names) func initialWeightsAndOrderDependOnTheRunAlone(name: String) throws {
        let (trainer, _) = try trainer(name)
        // No step: the weights are the initial ones.
        let none = TrainingOptions(length: .steps(0))
        let small = try trainer.train([TrainingRun(subset: [1, 2, 3], seed: 3, run: 5)], options: none)
        let large = try trainer.train([TrainingRun(subset: subset(1), seed: 3, run: 5)], options: none)
        #expect(small.weights == large.weights)
        #expect(small.losses.isEmpty)
        #expect(try small.weights[0] == ModelWeights(layout: .leNet5(), seed: 3, run: 5))
    }

    /// Batches of an epoch that is cut into uneven parts, and of one that is cut short.
    @Test(arguments: [(90, 20, 5), (7, 64, 1), (1, 1, 1), (64, 64, 1), (65, 64, 2)])
    func epochsAreCutIntoBatchesWithAShortOneKept(size: Int, batch: Int, steps: Int) {
        let plan = EpochPlan(size: size, options: TrainingOptions(length: .epochs(3), batchSize: batch))
        #expect(plan.stepsPerEpoch == steps)
        #expect(plan.steps == 3 * steps)
        let batches = plan.batches(of: 1..<3)
        #expect(batches.count == 2 * steps)
        #expect(batches.flatMap { Array($0) } == Array(0..<2 * size))
        let cut = EpochPlan(size: size, options: TrainingOptions(length: .steps(2 * steps + 1), batchSize: batch))
        #expect(cut.epochs == 3)
        #expect(cut.batches(of: 0..<3).count == 2 * steps + 1)
    }

    /// What a training is asked for after every epoch are the networks of trainings of so many epochs, bit for bit.
    @Test(arguments: TestBackends.names) func aTrainingThatIsLookedAtGoesOnAsIfItWereNot(name: String) throws {
        let (trainer, _) = try trainer(name)
        let runs = (0..<2).map { TrainingRun(subset: subset($0), seed: 3, run: $0) }
        func options(_ epochs: Int) -> TrainingOptions { TrainingOptions(length: .epochs(epochs), batchSize: 20) }
        var seen: [FinishedEpoch] = []
        let clock = ContinuousClock()
        var pauses: [(from: ContinuousClock.Instant, to: ContinuousClock.Instant)] = []
        let watched = try trainer.train(
            runs, options: options(5),
            afterEpoch: { epoch in
                seen.append(epoch)
                let start = clock.now
                usleep(100_000)
                pauses.append((start, clock.now))
                return epoch.epochs < 3
            })
        #expect(seen.map(\.epochs) == [1, 2, 3])
        for epoch in seen {
            #expect(try trainer.train(runs, options: options(epoch.epochs)).weights == epoch.weights)
        }
        let plain = try trainer.train(runs, options: options(3))
        #expect(watched.weights == plain.weights && watched.losses == plain.losses)
        #expect(seen[0].seconds > 0 && seen[0].seconds < seen[1].seconds && seen[1].seconds < seen[2].seconds)
        #expect(seen[2].seconds <= watched.seconds)
        // An epoch takes no longer than there is between two pauses, which are no part of the training's time.
        for next in 1..<3 {
            let between = (pauses[next].from - pauses[next - 1].to) / .seconds(1)
            #expect(seen[next].seconds - seen[next - 1].seconds <= between)
        }
    }

    /// Each run is kept as it was when it reached the accuracy, whatever others still need.
    @Test(arguments: TestBackends.names) func aRunReachesAnAccuracyAloneAndAmongOthersAlike(name: String) throws {
        let (trainer, backend) = try trainer(name)
        let evaluator = Evaluator(
            try Fixture.store(on: backend), normalisation: try Fixture.expected().normalisation, on: backend)
        let runs = (0..<3).map { TrainingRun(subset: subset($0), seed: 3, run: $0) }
        let options = TrainingOptions(length: .epochs(7), batchSize: 20)
        // What each network has after every epoch, and an accuracy that they reach at different ones.
        var accuracies: [[Double]] = []
        _ = try trainer.train(
            runs, options: options,
            afterEpoch: { epoch throws(NetworkError) in
                accuracies.append(try evaluator.evaluate(epoch.weights).results.map(\.accuracy))
                return true
            })
        func firstEpochs(_ goal: Double) -> [Int?] {
            runs.indices.map { run in accuracies.firstIndex { $0[run] >= goal }.map { $0 + 1 } }
        }
        let goal = try #require(
            Set(accuracies.joined()).sorted().last { goal in
                let epochs = firstEpochs(goal).compactMap { $0 }
                return epochs.count == 3 && Set(epochs).count > 1
            })
        let together = try trainer.train(runs, options: options, until: goal, testedBy: evaluator)
        #expect(together.milestones.map { $0?.epochs } == firstEpochs(goal))
        #expect(together.epochs == firstEpochs(goal).compactMap { $0 }.max())
        #expect(together.losses.count == 5 * together.epochs)
        for (run, milestone) in together.milestones.enumerated() {
            let epochs = try #require(milestone).epochs
            #expect(together.evaluations[run]?.accuracy == accuracies[epochs - 1][run])
            #expect(try #require(milestone).seconds <= together.seconds)
            let alone = try trainer.train([runs[run]], options: options, until: goal, testedBy: evaluator)
            #expect(alone.epochs == epochs && alone.milestones[0]?.epochs == epochs)
            #expect(alone.weights[0] == together.weights[run])
            #expect(alone.evaluations[0]?.confusion == together.evaluations[run]?.confusion)
            let plain = try trainer.train([runs[run]], options: TrainingOptions(length: .epochs(epochs), batchSize: 20))
            #expect(plain.weights[0] == together.weights[run])
        }
        // Out of reach: all epochs, the last test, no milestone.
        let never = try trainer.train(runs, options: options, until: 100.5, testedBy: evaluator)
        #expect(never.epochs == 7 && never.milestones == [nil, nil, nil])
        #expect(never.evaluations.map { $0?.accuracy } == accuracies[6])
    }

    @Test(arguments: TestBackends.names) func stepsTrainLikeEpochsOfAsManySteps(name: String) throws {
        let (trainer, _) = try trainer(name)
        let runs = [TrainingRun(subset: subset(2), seed: 3, run: 1)]
        let epochs = try trainer.train(runs, options: Self.options)
        let steps = try trainer.train(runs, options: TrainingOptions(length: .steps(10), batchSize: 20))
        #expect(epochs.weights == steps.weights)
    }

    @Test(arguments: TestBackends.names) func trainingLearnsAndEvaluationCounts(name: String) throws {
        let (trainer, backend) = try trainer(name)
        let store = try Fixture.store(on: backend)
        let result = try trainer.train(
            [
                TrainingRun(subset: Array(0..<500), seed: 3, run: 0),
                TrainingRun(subset: Array(100..<600), seed: 3, run: 1),
            ],
            options: TrainingOptions(length: .epochs(6), batchSize: 32))
        let (evaluations, _) = try Evaluator(store, normalisation: try Fixture.expected().normalisation, on: backend)
            .evaluate(result.weights)
        for evaluation in evaluations {
            #expect(evaluation.count == 600)
            #expect(evaluation.accuracy > 80)
            #expect(evaluation.confusion.flatMap { $0 }.reduce(0, +) == 600)
            #expect(evaluation.correct == evaluation.confusion.indices.reduce(0) { $0 + evaluation.confusion[$1][$1] })
        }
        #expect((result.losses.last?[0] ?? 9) < (result.losses.first?[0] ?? 0))
    }

    @Test func stoppingThrowsAndProgressIsTold() throws {
        let (trainer, _) = try trainer("cpu")
        var seen: [Int] = []
        #expect(throws: NetworkError.self) {
            try trainer.train(
                [TrainingRun(subset: subset(0), seed: 3, run: 0)],
                options: TrainingOptions(length: .epochs(9), batchSize: 10)
            ) { progress in
                seen.append(progress.finishedSteps)
                return false
            }
        }
        #expect(seen == [64])
    }

    @Test func badRunsAreRefusedInASentence() throws {
        let (trainer, _) = try trainer("cpu")
        func message(_ runs: [TrainingRun], _ options: TrainingOptions = Self.options) -> String {
            do {
                _ = try trainer.train(runs, options: options)
                return ""
            } catch {
                #expect(error.category == .badData)
                return error.description
            }
        }
        #expect(message([TrainingRun(subset: [], seed: 3, run: 0)]).contains("a subset is empty"))
        #expect(message([TrainingRun(subset: [600], seed: 3, run: 0)]).contains("index 600 is outside the 600"))
        #expect(message([TrainingRun(subset: [-1], seed: 3, run: 0)]).contains("index -1"))
        #expect(
            message([TrainingRun(subset: [1], seed: 3, run: 0), TrainingRun(subset: [1, 2], seed: 3, run: 1)]).contains(
                "one size"))
        #expect(
            message([TrainingRun(subset: [1], seed: 3, run: 0)], TrainingOptions(learningRate: -1)).contains("above 0"))
        #expect(
            message([TrainingRun(subset: [1], seed: 3, run: 0)], TrainingOptions(batchSize: 0)).contains("at least 1"))
        let other = ModelWeights(layout: try .leNet5(channels: 3, classes: 10), seed: 1, run: 0)
        #expect(message([TrainingRun(subset: [1], seed: 3, run: 0, initial: other)]).contains("3 planes"))
    }
}
