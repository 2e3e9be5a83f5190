import Compute
import Datasets
import Support
import Testing

@testable import Networks
import TestSupport

/// Networks that train together with dynamic pruning, whose batches and steps differ.
@Suite struct RaggedTrainingTests {
    /// Batch norm of planes and of values, which keeps statistics that an idle step must not move.
    private static let model = ModelSpec(
        name: "ragged",
        layers: [
            .conv(out: 3, kernel: 3, padding: 1), .batchNorm, .relu, .avgPool(2), .flatten, .linear(.count(9)),
            .batchNorm, .tanh, .linear(.classes),
        ])
    private static let count = 57

    private func trainer(_ model: ModelSpec, on backend: any Backend) throws -> Trainer {
        let side = model.side ?? 6
        var random = RandomStream(seed: 8, run: 0, purpose: .testing)
        let store = try SampleStore(
            pixels: (0..<Self.count * side * side).map { _ in UInt8(random.nextIndex(below: 256)) },
            labels: (0..<Self.count).map { _ in UInt8(random.nextIndex(below: 3)) },
            shape: SampleShape(channels: 1, height: side, width: side), classes: 3, on: backend)
        return Trainer(store, model: model, normalisation: Normalisation(mean: 0.4, std: 0.3), on: backend)
    }

    /// Some runs are idle in the last launches of an epoch. Their weights, running statistics, losses and records have the
    /// bits that they have alone, with every optimizer.
    @Test(
        arguments: TestBackends.names,
        [Optimizer(), Optimizer(.adamw, weightDecay: 0.1), Optimizer(.sgd, momentum: 0.9)])
    func everyRunHasTheBitsThatItHasAlone(backendName: String, optimizer: Optimizer) throws {
        let backend = try TestBackends.make(backendName)
        for model in [Self.model, ModelLibrary.leNet5] {
            let trainer = try trainer(model, on: backend)
            let options = TrainingOptions(
                length: .epochs(3), batchSize: 3, optimizer: optimizer, dynamic: DynamicPruning(anneal: 0))
            let runs = (0..<4).map { run in
                TrainingRun(subset: (0..<41).map { ($0 + 5 * run) % Self.count }, seed: 3, run: run)
            }
            var records: [Int: [[UInt32]]] = [:]
            let together = try trainer.train(
                runs, options: options,
                record: { epoch in
                    records[epoch.run, default: []].append((epoch.probability + epoch.margin).map(\.bitPattern))
                })
            #expect(Set(together.work.map(\.steps)).count > 1 && together.work.allSatisfy { $0.steps < 3 * 14 })
            #expect(together.launchedSteps >= together.work.map(\.steps).max() ?? 0)
            for (run, given) in runs.enumerated() {
                var own: [[UInt32]] = []
                let alone = try trainer.train(
                    [given], options: options,
                    record: { own.append(($0.probability + $0.margin).map(\.bitPattern)) })
                #expect(alone.weights[0] == together.weights[run] && alone.work[0] == together.work[run])
                #expect(alone.launchedSteps == alone.work[0].steps && records[run] == own)
                #expect(
                    alone.losses.map { $0[0].bitPattern }
                        == together.losses.prefix(alone.losses.count).map { $0[run].bitPattern })
            }
        }
    }

    /// A run that diverges goes on among the others, and disturbs none of them.
    @Test(arguments: TestBackends.names) func aRunThatDivergesDisturbsNoOther(backendName: String) throws {
        let trainer = try trainer(Self.model, on: try TestBackends.make(backendName))
        let options = TrainingOptions(length: .epochs(3), batchSize: 4, dynamic: DynamicPruning(anneal: 0))
        var runs = (0..<3).map { TrainingRun(subset: Array(0..<41), seed: 3, run: $0) }
        let whole = try trainer.train(runs, options: options)
        var tensors = whole.weights[1].tensors
        let last = try #require(tensors.keys.filter { $0.hasSuffix(".weight") }.sorted().last)
        let count = tensors[last]?.values.count ?? 0
        tensors[last]?.values = [Float](repeating: 3e38, count: count)
        runs[1].initial = try ModelWeights(
            Self.model, input: SampleShape(channels: 1, height: 6, width: 6), tensors: tensors)
        let result = try trainer.train(runs, options: options)
        #expect(result.divergedSteps[1] != nil && whole.divergedSteps == [nil, nil, nil])
        for run in [0, 2] {
            #expect(result.divergedSteps[run] == nil && result.weights[run] == whole.weights[run])
        }
        // It takes all samples: nothing is below a mean that is no number.
        #expect(result.work[1].images == 3 * 41)
    }
}
