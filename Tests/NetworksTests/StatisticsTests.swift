import Compute
import Foundation
import Support
import Testing

@testable import Networks
import TestSupport

/// What networks say of samples, in training and in inference.
@Suite struct StatisticsTests {
    private static let count = 45
    private static let mlp = ModelSpec(
        name: "small", layers: [.flatten, .linear(.count(9)), .relu, .linear(.count(6)), .relu, .linear(.classes)])
    private static let linear = ModelSpec(name: "probe", layers: [.flatten, .linear(.classes)])
    private static let normalisation = Normalisation(mean: 0.1, std: 0.5)
    private static let options = TrainingOptions(length: .epochs(2), batchSize: 8, learningRate: 0.01)

    /// Samples of 5 values in 4 classes.
    private func store(on backend: any Backend) throws -> SampleStore {
        var random = RandomStream(seed: 5, run: 0, purpose: .testing)
        return try SampleStore(
            floats: (0..<5 * Self.count).map { _ in Float(random.nextUniform(-1, 1)) },
            labels: (0..<Self.count).map { _ in UInt8(random.nextIndex(below: 4)) }, shape: .vector(5), classes: 4,
            on: backend)
    }

    private func trainer(on backend: any Backend) throws -> Trainer {
        Trainer(try store(on: backend), model: Self.mlp, normalisation: Self.normalisation, on: backend)
    }

    private func runs(_ count: Int) -> [TrainingRun] {
        (0..<count).map { run in TrainingRun(subset: (0..<30).map { ($0 + 7 * run) % Self.count }, seed: 2, run: run) }
    }

    /// Within a thousandth of a percent, or of a tenth where there is less.
    private func expectClose(_ actual: Double, _ due: Double, _ comment: Comment) {
        #expect(abs(actual - due) <= 1e-5 * max(abs(due), 0.1), "\(comment.rawValue): \(actual), \(due) is due")
    }

    /// What is recorded of a batch's samples gives the batch's loss, so that each number belongs to its sample.
    @Test(arguments: TestBackends.names) func recordsAreOfTheSamplesThatAStepTook(name: String) throws {
        let backend = try TestBackends.make(name)
        var recorded: [RecordedEpoch] = []
        let result = try trainer(on: backend).train(runs(3), options: Self.options, record: { recorded.append($0) })
        let plain = try trainer(on: backend).train(runs(3), options: Self.options)
        #expect(result.weights == plain.weights && result.losses == plain.losses)
        #expect(recorded.map(\.epochs) == [1, 1, 1, 2, 2, 2] && recorded.map(\.run) == [0, 1, 2, 0, 1, 2])
        for (run, given) in runs(3).enumerated() {
            var stream = RandomStream(seed: given.seed, run: given.run, purpose: .sampleOrder)
            for epoch in recorded where epoch.run == run {
                var order = given.subset
                stream.shuffle(&order)
                for step in 0..<4 {
                    let batch = order[8 * step..<min(8 * step + 8, order.count)]
                    let loss = batch.reduce(0.0) { $0 - log(Double(epoch.probability[$1])) } / Double(batch.count)
                    expectClose(
                        Double(result.losses[4 * (epoch.epochs - 1) + step][run]), loss,
                        "run \(run), epoch \(epoch.epochs), step \(step)")
                }
                for sample in 0..<Self.count {
                    let values = [epoch.probability[sample], epoch.margin[sample], epoch.isRight[sample]]
                    guard given.subset.contains(sample) else {
                        #expect(values.allSatisfy { $0.isNaN })
                        continue
                    }
                    #expect(values[2] == (values[1] > 0 ? 1 : 0), "\(values)")
                    #expect(values[0] > 0.5 || values[1] <= log(3), "\(values)")
                }
            }
        }
    }

    @Test func whatAnEpochDoesNotComeToIsNotRecorded() throws {
        var recorded: [RecordedEpoch] = []
        var options = Self.options
        // 30 samples in batches of 8 are four steps an epoch.
        options.length = .steps(6)
        _ = try trainer(on: CPUBackend()).train(runs(1), options: options, record: { recorded.append($0) })
        #expect(recorded.map { $0.probability.count { !$0.isNaN } } == [30, 16])
        #expect(recorded.map { $0.isRight.count { !$0.isNaN } } == [30, 16])
    }

    /// All statistics against their formulas in double precision, from a network's own logits and last input.
    @Test(arguments: TestBackends.names) func statisticsAreThoseOfTheLogits(name: String) throws {
        let backend = try TestBackends.make(name)
        let ranges = [0..<70, 70..<75]
        let fixture = try FixtureNetwork(weights: "trained.safetensors", ranges: ranges, training: false, on: backend)
        let weights = try fixture.parameters.download()
        let all = try Evaluator(fixture.store, normalisation: fixture.normalisation, on: backend).statistics(
            weights + weights)
        let statistics = try #require(all.first)
        #expect(all.count == 2 && statistics.isFinite)
        for kind in SampleStatistic.allCases { #expect(all[1][kind] == statistics[kind]) }
        for range in ranges {
            let classes = try fixture.predict(range.count)
            let last = fixture.network.lastInput
            #expect(last.width == 84)
            let inputs = try backend.read(last.values)
            for (place, values) in try fixture.logits(range.count).enumerated() {
                let sample = range.lowerBound + place
                let label = Int(fixture.store.hostLabels[sample])
                let logits = values.map(Double.init)
                let best = Int(classes[place])
                let sum = logits.reduce(0) { $0 + exp($1 - logits[best]) }
                let p = logits.map { exp($0 - logits[best]) / sum }
                let rest = logits.indices.filter { $0 != label }
                let error = (rest.map { p[$0] * p[$0] }.reduce(0, +) + pow(rest.map { p[$0] }.reduce(0, +), 2))
                    .squareRoot()
                let squares = (0..<84).reduce(0.0) {
                    let tile = place / backend.tile
                    return $0 + pow(Double(inputs[(tile * 84 + $1) * backend.tile + place % backend.tile]), 2)
                }
                func check(_ kind: SampleStatistic, _ due: Double) {
                    expectClose(Double(statistics[kind][sample]), due, "\(kind) of sample \(sample)")
                }
                check(.probability, p[label])
                check(.margin, logits[label] - (rest.map { logits[$0] }.max() ?? 0))
                check(.isRight, best == label ? 1 : 0)
                check(.entropy, -p.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) })
                check(.largest, p[best])
                check(.lead, p[best] - (p.indices.filter { $0 != best }.map { p[$0] }.max() ?? 0))
                check(.el2n, error)
                check(.grand, error * (1 + squares).squareRoot())
            }
        }
    }

    /// GraNd is the norm of the gradient that a step on the sample alone has in the last layer, whatever the model.
    @Test(arguments: TestBackends.names, [mlp, linear])
    func gradientsOfTheLastLayerHaveTheNormOfGraNd(name: String, model: ModelSpec) throws {
        let backend = try TestBackends.make(name)
        let store = try store(on: backend)
        let layout = try ParameterLayout(model, samples: store.shape, classes: store.classes)
        let weights = ModelWeights(layout: layout, seed: 4, run: 0)
        let statistics = try #require(
            try Evaluator(store, normalisation: Self.normalisation, on: backend).statistics([weights]).first)
        let schedule = try StepSchedule(capacity: 1, replicas: 1, on: backend)
        let network = try ModelParameters([weights], on: backend).makeNetwork(
            batchSize: 1, schedule: schedule, trainingSteps: 1, on: backend)
        let source = try SampleSource(
            store, order: try backend.makeBuffer((0..<Self.count).map(Int32.init), label: "order"), orderStride: 0,
            normalisation: Self.normalisation, on: backend)
        let last = try #require(layout.modules.last).name
        for sample in 0..<5 {
            try schedule.load([sample..<sample + 1], firstStep: 0, learningRate: 1, on: backend)
            try network.backpropagate(source)
            let gradients = try network.gradients(replica: 0)
            let squares = ["weight", "bias"].flatMap { gradients["\(last).\($0)"]?.values ?? [] }
                .reduce(0.0) { $0 + Double($1) * Double($1) }
            expectClose(Double(statistics[.grand][sample]), squares.squareRoot(), "sample \(sample)")
            #expect(statistics[.el2n][sample] < statistics[.grand][sample])
        }
    }

    @Test func weightsThatAreNotFiniteAreRefused() throws {
        let backend = CPUBackend()
        let store = try store(on: backend)
        let diverged = try Trainer(store, model: Self.linear, normalisation: Self.normalisation, on: backend).train(
            [TrainingRun(subset: Array(0..<Self.count), seed: 1, run: 0)],
            options: TrainingOptions(length: .steps(3), batchSize: 8, learningRate: 1e38))
        let evaluator = Evaluator(store, normalisation: Self.normalisation, on: backend)
        #expect(throws: NetworkError.self) { try evaluator.statistics(diverged.weights) }
        #expect(try evaluator.statistics([]).isEmpty)
    }
}
