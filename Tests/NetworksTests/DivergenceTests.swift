import Compute
import Datasets
import Foundation
import Testing

@testable import Networks
import TestSupport

@Suite struct DivergenceTests {
    private func trainer(_ backend: any Backend) throws -> Trainer {
        Trainer(try Fixture.store(on: backend), normalisation: try Fixture.expected().normalisation, on: backend)
    }

    private func subset(_ run: Int) -> [Int] { (0..<90).map { ($0 * 7 + run * 13) % 600 } }

    /// Initial weights of a run in which every value of `name` is `value`.
    private func weights(_ name: String, _ value: Float) throws -> ModelWeights { try weights([name: value]) }

    private func weights(_ values: [String: Float], run: Int = 1) throws -> ModelWeights {
        var tensors = ModelWeights(layout: try .leNet5(), seed: 3, run: run).tensors
        for (name, value) in values {
            let count = tensors[name]?.values.count ?? 0
            tensors[name]?.values = [Float](repeating: value, count: count)
        }
        return try ModelWeights(tensors: tensors)
    }

    @Test(arguments: TestBackends.names) func aReplicaThatDivergesDisturbsNoOther(name: String) throws {
        let trainer = try trainer(try TestBackends.make(name))
        let options = TrainingOptions(length: .epochs(2), batchSize: 20)
        var runs = (0..<5).map { TrainingRun(subset: subset($0), seed: 3, run: $0) }
        let whole = try trainer.train(runs, options: options)
        // Hidden values of about 1, of which a sum is above 3.4e38, the largest number there is.
        runs[2].initial = try weights(["fc1.bias": 1, "fc2.weight": 3e38], run: 2)
        let result = try trainer.train(runs, options: options)
        #expect(result.divergedSteps[2] == 1)
        for run in [0, 1, 3, 4] {
            #expect(result.divergedSteps[run] == nil && result.weights[run] == whole.weights[run])
            #expect(result.losses.map { $0[run].bitPattern } == whole.losses.map { $0[run].bitPattern })
        }
        #expect(whole.divergedSteps == [nil, nil, nil, nil, nil])
    }

    /// It never reaches the accuracy, and the training does not wait for it.
    @Test(arguments: TestBackends.names) func aReplicaThatDivergesReachesNoAccuracy(name: String) throws {
        let backend = try TestBackends.make(name)
        let trainer = try trainer(backend)
        let evaluator = Evaluator(
            try Fixture.store(on: backend), normalisation: try Fixture.expected().normalisation, on: backend)
        let options = TrainingOptions(length: .epochs(6), batchSize: 20)
        var runs = (0..<3).map { TrainingRun(subset: subset($0), seed: 3, run: $0) }
        runs[1].initial = try weights(["fc1.bias": 1, "fc2.weight": 3e38], run: 1)
        // Every network that works gets something right.
        let training = try trainer.train(runs, options: options, until: 0.1, testedBy: evaluator)
        #expect(training.epochs == 1 && training.divergedSteps == [nil, 1, nil])
        #expect(training.milestones.map { $0?.epochs } == [1, nil, 1])
        #expect(training.evaluations.map { $0 == nil } == [false, true, false])
        let alone = try trainer.train([runs[1]], options: options, until: 0.1, testedBy: evaluator)
        #expect(alone.epochs == 1 && alone.divergedSteps == [1] && alone.milestones == [nil])
    }

    @Test(arguments: TestBackends.names) func aLearningRateThatIsFarTooLargeDivergesAtTheSecondStep(name: String) throws
    {
        let backend = try TestBackends.make(name)
        let result = try trainer(backend).train(
            [TrainingRun(subset: subset(0), seed: 3, run: 0)],
            options: TrainingOptions(length: .steps(4), batchSize: 20, learningRate: 1e30))
        #expect(result.divergedSteps == [2] && result.losses[0][0].isFinite && !result.losses[1][0].isFinite)
        // Infinite as a float32: the first step leaves no finite weight, though its loss is one.
        let first = try trainer(backend).train(
            [TrainingRun(subset: subset(0), seed: 3, run: 0)],
            options: TrainingOptions(length: .steps(1), batchSize: 20, learningRate: 1e39))
        #expect(first.losses[0][0].isFinite && first.divergedSteps == [1])
    }

    /// After a single step every number is finite still, but no sum of the network is.
    @Test(arguments: TestBackends.names) func sumsThatOverflowInATestAreNoticed(name: String) throws {
        let backend = try TestBackends.make(name)
        let options = TrainingOptions(length: .steps(1), batchSize: 20, learningRate: 1e30)
        let result = try trainer(backend).train(
            (0..<2).map { TrainingRun(subset: subset($0), seed: 3, run: $0) }, options: options)
        #expect(result.divergedSteps == [nil, nil])
        let evaluator = Evaluator(
            try Fixture.store(on: backend), normalisation: try Fixture.expected().normalisation, on: backend)
        let whole = try weights("fc.bias", 0.5)
        let evaluations = try evaluator.evaluate([result.weights[0], whole, result.weights[1]]).results
        #expect(evaluations.map(\.isFinite) == [false, true, false])
        // As if it had been alone.
        let alone = try evaluator.evaluate([whole]).results[0]
        #expect(alone.isFinite && alone.confusion == evaluations[1].confusion)
        // Large numbers that overflow nowhere are none of that.
        #expect(try evaluator.evaluate([weights("fc.weight", 1e20)]).results[0].isFinite)
        #expect(throws: NetworkError.self) { try evaluator.evaluate([weights("fc1.bias", .nan)]) }
    }

    @Test func movedWeightsAreCounted() throws {
        let trainer = try trainer(CPUBackend())
        func moved(_ rate: Double, steps: Int = 3) throws -> Double {
            let result = try trainer.train(
                [TrainingRun(subset: subset(0), seed: 3, run: 0)],
                options: TrainingOptions(length: .steps(steps), batchSize: 20, learningRate: rate))
            return Double(result.movedWeights[0]) / Double(result.weights[0].weightCount)
        }
        #expect(try ModelWeights(layout: .leNet5(), seed: 1, run: 0).weightCount == 61_492)
        #expect(try moved(0.001) > 0.5 && moved(0.001, steps: 0) == 0 && moved(1e-30) == 0)
        #expect(try moved(1e-12) < ModelWeights.leastMoved && moved(1e-6) > ModelWeights.leastMoved)
    }

    @Test(
        arguments: [
            ("fc.weight", Float.nan, "nan"), ("layer1.0.bias", .infinity, "inf"),
            ("layer2.1.running_mean", -.infinity, "-inf"),
            ("layer1.1.running_var", -0.5, "-0.5"), ("fc2.bias", .nan, "nan"),
        ] as [(String, Float, String)])
    func valuesThatNoNetworkCanHaveAreRefused(name: String, value: Float, text: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/w.safetensors"
        try weights(name, value).write(to: path, normalisation: Normalisation(mean: 0, std: 1), steps: 1)
        do {
            _ = try ModelWeights.read(path)
            Issue.record("\(name) was read")
        } catch {
            #expect(error.category == .badData)
            #expect(error.description.hasPrefix("\(path): tensor \(name) holds \(text) at position 0; "))
        }
        #expect(throws: NetworkError.self) {
            try trainer(CPUBackend()).train(
                [TrainingRun(subset: [0, 1], seed: 1, run: 0, initial: weights(name, value))],
                options: TrainingOptions(length: .steps(1)))
        }
        // Exactly zero is a variance.
        try weights("layer1.1.running_var", 0).write(to: path, normalisation: Normalisation(mean: 0, std: 1), steps: 1)
        #expect(throws: Never.self) { try ModelWeights.read(path) }
    }
}
