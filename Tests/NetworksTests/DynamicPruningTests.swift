import Compute
import Foundation
import Support
import TestSupport
import Testing

@testable import Networks

/// The trainings that tools/fixtures made by InfoBatch in float64.
private struct InfoBatchTrace: Decodable {
    struct Facts: Decodable {
        /// The first elements, at most four.
        var first: [Double]
        var sum: Double
        var squares: Double
        var largest: Double
        var count: Int
    }
    var model: String
    var optimizer: Optimizer.Kind
    var learning_rate: Double
    var momentum: Double
    var prune_share: Double
    var anneal: Double
    var batch_size: Int
    var epochs: Int
    var seed: UInt64
    var run: Int
    var subset: [Int]
    /// The samples of each epoch, in the order of training.
    var samples: [[Int]]
    var losses: [Double]
    var tensors: [String: Facts]

    static func all() throws -> [InfoBatchTrace] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/infobatch/expected.json")
        return try JSONDecoder().decode([InfoBatchTrace].self, from: Data(contentsOf: file))
    }

    var options: TrainingOptions {
        TrainingOptions(
            length: .epochs(epochs), batchSize: batch_size, learningRate: learning_rate,
            optimizer: Optimizer(optimizer, momentum: momentum),
            dynamic: DynamicPruning(pruneShare: prune_share, anneal: anneal))
    }
    var name: String { "\(model), \(optimizer), share \(prune_share), anneal \(anneal)" }
}

@Suite struct DynamicPruningTests {
    private static func trainer(_ name: String, on backend: any Backend) throws -> Trainer {
        let model = try #require(ModelLibrary.model(name))
        let isLeNet = model == ModelLibrary.leNet5
        return Trainer(
            isLeNet ? try Fixture.store(on: backend) : try LayeredFixture.store(on: backend), model: model,
            normalisation: isLeNet ? try Fixture.expected().normalisation : try LayeredFixture.expected().normalisation,
            on: backend)
    }

    private static func initial(_ name: String) throws -> ModelWeights {
        name == "lenet5"
            ? try ModelWeights(tensors: Fixture.tensors("initial.safetensors"))
            : try LayeredFixture.weights(try #require(ModelLibrary.model(name)), "initial")
    }

    /// The same samples in every epoch; losses within 1e-4, weights within 1e-4 of their tensor's largest.
    @Test(arguments: TestBackends.names) func trainingsFollowPyTorchs(backendName: String) throws {
        let backend = try TestBackends.make(backendName)
        let traces = try InfoBatchTrace.all()
        #expect(traces.count == 4)
        for trace in traces {
            let trainer = try Self.trainer(trace.model, on: backend)
            var seen: [Set<Int>] = []
            let result = try trainer.train(
                [
                    TrainingRun(
                        subset: trace.subset, seed: trace.seed, run: trace.run, initial: Self.initial(trace.model))
                ], options: trace.options,
                record: { epoch in
                    seen.append(Set(epoch.probability.indices.filter { !epoch.probability[$0].isNaN }))
                })
            #expect(seen == trace.samples.map(Set.init), "\(trace.name)")
            #expect(seen.contains { $0.count < trace.subset.count })
            #expect(result.losses.count == trace.losses.count, "\(trace.name)")
            for (step, (ours, theirs)) in zip(result.losses, trace.losses).enumerated() {
                #expect(abs(Double(ours[0]) - theirs) < 1e-4, "\(trace.name): step \(step)")
            }
            let images = trace.samples.reduce(0) { $0 + $1.count }
            #expect(result.work == [TrainingWork(steps: trace.losses.count, images: images)], "\(trace.name)")
            for (tensor, facts) in trace.tensors {
                let values = result.weights[0][tensor].map { Double($0) }
                let bound = 1e-4 * facts.largest
                let squares = values.reduce(0) { $0 + $1 * $1 }
                #expect(
                    values.count == facts.count && zip(values, facts.first).allSatisfy { abs($0 - $1) < bound }
                        && abs(values.reduce(0, +) - facts.sum) < bound * Double(facts.count)
                        && abs(squares - facts.squares) < 1e-4 * facts.squares,
                    "\(trace.name): \(tensor) is not PyTorch's")
            }
        }
    }

    /// A run alone, among others, recorded, and looked at between epochs. Augmentation goes with the samples that stay.
    @Test(arguments: TestBackends.names, ["lenet5", "mlp"])
    func runsDoNotDependOnTheirCompany(backendName: String, model: String) throws {
        let trainer = try Self.trainer(model, on: try TestBackends.make(backendName))
        let runs = (0..<5).map { TrainingRun(subset: Array(0..<61), seed: 3, run: $0) }
        for augment in [nil, Augment(shift: 2, flip: true)] {
            let options = TrainingOptions(
                length: .epochs(4), batchSize: 16, augment: augment, dynamic: DynamicPruning(anneal: 0.25))
            let together = try trainer.train(runs, options: options)
            var epochs: [FinishedEpoch] = []
            var recorded = 0
            let alone = try trainer.train(
                [runs[3]], options: options,
                afterEpoch: { epoch in
                    epochs.append(epoch)
                    return true
                }, record: { _ in recorded += 1 })
            #expect(alone.weights[0] == together.weights[3] && alone.work[0] == together.work[3])
            #expect(epochs.count == 4 && recorded == 4 && epochs[3].work == alone.work)
            #expect(epochs[0].work[0].images == 61 && epochs[3].work[0].images - epochs[2].work[0].images == 61)
            let losses = together.losses.map { $0[3] }
            #expect(Array(losses.prefix(alone.losses.count)) == alone.losses.map { $0[0] })
            #expect(losses.dropFirst(alone.losses.count).allSatisfy { $0.isNaN })
            // Each leaves out its own.
            #expect(
                Set(together.work.map(\.images)).count > 1 && together.divergedSteps == Array(repeating: nil, count: 5))
            #expect(together.work.allSatisfy { $0.images < 4 * 61 && $0.images > 2 * 61 })
            #expect(together.losses.count == together.work.map(\.steps).max())
        }
    }

    /// If no epoch leaves anything out, training is bit-identical to a plain one.
    @Test(arguments: TestBackends.names, ["lenet5", "linear"])
    func wholeEpochsArePlainTraining(backendName: String, model: String) throws {
        let trainer = try Self.trainer(model, on: try TestBackends.make(backendName))
        let runs = (0..<2).map { TrainingRun(subset: Array(3..<52), seed: 3, run: $0) }
        for (epochs, anneal) in [(1, 0.0), (3, 1.0), (3, 0.6), (0, 0.5)] {
            var options = TrainingOptions(
                length: .epochs(epochs), batchSize: 16, augment: Augment(flip: true),
                dynamic: DynamicPruning(anneal: anneal))
            let dynamic = try trainer.train(runs, options: options)
            options.dynamic = nil
            let plain = try trainer.train(runs, options: options)
            #expect(dynamic.weights == plain.weights && dynamic.losses == plain.losses && dynamic.work == plain.work)
            #expect(plain.work == Array(repeating: TrainingWork(steps: 4 * epochs, images: 49 * epochs), count: 2))
        }
    }

    @Test func theEpochsThatPruneAreCounted() {
        func pruning(_ anneal: Double, of epochs: Int) -> [Int] {
            (0..<epochs).filter { DynamicPruning(anneal: anneal).prunes(epoch: $0, of: epochs) }
        }
        // ceil(0.125 * 5) = 1 whole epoch at the end, and the first, which has no scores.
        #expect(pruning(0.125, of: 5) == [1, 2, 3])
        #expect(pruning(0.125, of: 8) == Array(1..<7) && pruning(0.125, of: 9) == Array(1..<7))
        #expect(pruning(0, of: 3) == [1, 2] && pruning(1, of: 9).isEmpty && pruning(0, of: 1).isEmpty)
        #expect(pruning(1e-9, of: 3) == [1] && pruning(0.5, of: 2).isEmpty)
        #expect(DynamicPruning().idleNote(epochs: 3) == nil)
        for (anneal, epochs) in [(0.0, 0), (0.0, 1), (0.0, 2), (0.5, 3), (0.5, 4), (1.0, 9), (0.07, 100)] {
            #expect(
                (DynamicPruning(anneal: anneal).idleNote(epochs: epochs) != nil) == pruning(anneal, of: epochs).isEmpty)
        }
        #expect(
            DynamicPruning().idleNote(epochs: 2)
                == "with 2 epochs and anneal 0.125, infobatch leaves nothing out: the first epoch and the last ones take all samples"
        )
        // As decimals: 7 of 100, not 8.
        #expect(pruning(0.07, of: 100).last == 92 && pruning(0.3, of: 10).last == 6 && pruning(0.7, of: 10).last == 2)
    }

    /// The expected weight of every sample is 1, whatever the share.
    @Test(arguments: [0.1, 0.5, 0.9]) func weightsAreUnbiased(share: Double) {
        let dynamic = DynamicPruning(pruneShare: share)
        let (count, rounds) = (200, 400)
        let order = (0..<Int32(count)).map { 3 * $0 }
        // The first half is below the mean.
        var scores = [Float](repeating: .nan, count: 3 * count)
        for (position, sample) in order.enumerated() { scores[Int(sample)] = position < count / 2 ? 0.5 : 2 }
        let mean = DynamicPruning.mean(of: scores, over: order.map(Int.init))
        #expect(mean == 1.25)
        var sums = [Double](repeating: 0, count: count)
        var draws: Set<[Int]> = []
        for round in 0..<rounds {
            let kept = dynamic.kept(
                of: order, scores: scores, mean: mean, epoch: 1 + round % 20, seed: 7, run: round / 20)
            for (position, weight) in zip(kept.positions, kept.weights) { sums[position] += Double(weight) }
            #expect(kept.positions == kept.positions.sorted() && kept.positions.suffix(100) == Array(100..<200)[...])
            draws.insert(kept.positions)
        }
        #expect(draws.count == rounds)
        // A weight of 1 / (1 - r) with probability 1 - r has a variance of r / (1 - r).
        let deviation = (share / (1 - share) / Double(rounds)).squareRoot()
        let below = sums.prefix(100).map { $0 / Double(rounds) }
        #expect(below.allSatisfy { abs($0 - 1) < 5 * deviation })
        #expect(abs(below.reduce(0, +) / 100 - 1) < 0.5 * deviation)
        #expect(sums.suffix(100).allSatisfy { $0 == Double(rounds) })
        // Another seed, run or epoch is another draw.
        let draw = { (seed: UInt64, run: Int, epoch: Int) in
            (0..<64).map { dynamic.leavesOut($0, epoch: epoch, seed: seed, run: run) }
        }
        #expect(Set([draw(1, 0, 1), draw(2, 0, 1), draw(1, 1, 1), draw(1, 0, 2)]).count == 4)
    }

    /// Equal scores are never below their mean, and NaN leaves nothing out.
    @Test func atLeastOneSampleStays() {
        let dynamic = DynamicPruning(pruneShare: 0.999)
        let order = (0..<Int32(1000)).map { $0 }
        func kept(_ scores: [Float]) -> Int {
            let mean = DynamicPruning.mean(of: scores, over: order.map(Int.init))
            return dynamic.kept(of: order, scores: scores, mean: mean, epoch: 1, seed: 1, run: 0).positions.count
        }
        #expect(kept([Float](repeating: 0.1, count: 1000)) == 1000)
        var scores = [Float](repeating: 0.1, count: 1000)
        scores[500] = scores[500].nextUp
        #expect((1..<20).contains(kept(scores)))
        scores[3] = .nan
        #expect(kept(scores) == 1000)
        scores[3] = .infinity
        #expect((1..<20).contains(kept(scores)))
    }

    /// A network that diverges continues with all samples and reports its own step.
    @Test func divergenceIsToldBySteps() throws {
        let trainer = try Self.trainer("mlp", on: CPUBackend())
        let result = try trainer.train(
            [TrainingRun(subset: Array(0..<40), seed: 3, run: 0)],
            options: TrainingOptions(
                length: .epochs(4), batchSize: 8, learningRate: 1e30, optimizer: Optimizer(.sgd),
                dynamic: DynamicPruning(anneal: 0)))
        let step = try #require(result.divergedSteps[0])
        #expect(step >= 1 && step <= result.work[0].steps && result.work[0].images <= 160)
    }

    /// A network that reaches the accuracy is reported with its steps until then.
    @Test func anAccuracyIsReachedAfterSoManySteps() throws {
        let backend = CPUBackend()
        let trainer = try Self.trainer("mlp", on: backend)
        let evaluator = Evaluator(
            try LayeredFixture.store(on: backend), normalisation: try LayeredFixture.expected().normalisation,
            on: backend)
        let training = try trainer.train(
            (0..<2).map { TrainingRun(subset: Array(0..<90), seed: 3, run: $0) },
            options: TrainingOptions(length: .epochs(6), batchSize: 16, dynamic: DynamicPruning()), until: 12,
            testedBy: evaluator)
        for run in 0..<2 {
            let milestone = try #require(training.milestones[run])
            #expect(milestone.work == training.workOfWeights[run] && milestone.work.steps <= training.work[run].steps)
            #expect(milestone.work.steps > 0 && milestone.work.images <= 90 * milestone.epochs)
        }
    }

    @Test func whatCannotPruneIsRefusedInASentence() throws {
        let trainer = try Self.trainer("mlp", on: CPUBackend())
        func reason(_ options: TrainingOptions, resamples: Bool = false) -> String {
            let sampling = RepeatedSampling(of: [0, 1, 2, 3], size: 2, seed: 1, run: 0)
            do {
                _ = try trainer.train(
                    [TrainingRun(subset: [1, 2], resampling: resamples ? sampling : nil, seed: 1, run: 0)],
                    options: options)
                return ""
            } catch {
                #expect(error.category == .badData)
                return error.description
            }
        }
        func options(_ share: Double, _ anneal: Double) -> TrainingOptions {
            TrainingOptions(length: .epochs(2), dynamic: DynamicPruning(pruneShare: share, anneal: anneal))
        }
        #expect(reason(options(0, 0)).contains("the prune share is 0; above 0 and below 1 is accepted"))
        #expect(reason(options(1, 0)).contains("the prune share is 1;") && reason(options(.nan, 0)).contains("nan"))
        #expect(reason(options(0.5, -0.1)).contains("anneal is -0.1; from 0 to 1 is accepted"))
        #expect(reason(options(0.5, 1.1)).contains("anneal is 1.1;"))
        #expect(reason(options(0.5, 0.5), resamples: true).contains("infobatch needs epochs of the same samples"))
        var some = options(0.999, 1)
        #expect(reason(some).isEmpty)
        some.schedule = .cosine
        #expect(
            reason(some).contains(
                "dynamic infobatch and schedule cosine conflict: infobatch needs a constant learning rate"))
        some = options(0.5, 0.5)
        some.length = .steps(7)
        #expect(reason(some).contains("infobatch needs epochs, not steps"))
    }
}
