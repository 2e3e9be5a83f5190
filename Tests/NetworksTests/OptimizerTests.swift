import Compute
import Foundation
import Testing

@testable import Networks
import TestSupport

/// The traces that tools/fixtures made with PyTorch's optimizers in float64.
private struct OptimizerTrace: Decodable {
    /// Every `step`-th value of a tensor.
    struct Part: Decodable {
        var step: Int
        var count: Int
        var largest: Double
        var values: [Double]

        /// The largest difference of `tensor`, as a share of its largest value.
        func error(_ tensor: [Float]) -> Double {
            guard tensor.count == count else { return .infinity }
            return values.enumerated().reduce(0) { worst, value in
                let error = (Double(tensor[value.offset * step]) - value.element).magnitude / largest
                return error <= worst ? worst : error
            }
        }
    }
    var model: String
    var optimizer: Optimizer.Kind
    var learning_rate: Double
    var momentum: Double
    var weight_decay: Double
    var schedule: RateSchedule
    var batch_size: Int
    var losses: [Double]
    var learning_rates: [Double]
    var tensors: [String: Part]

    static func all() throws -> [OptimizerTrace] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/optimizers/expected.json")
        return try JSONDecoder().decode([OptimizerTrace].self, from: Data(contentsOf: file))
    }

    var options: TrainingOptions {
        TrainingOptions(
            length: .epochs(1), batchSize: batch_size, learningRate: learning_rate,
            optimizer: Optimizer(optimizer, momentum: momentum, weightDecay: weight_decay), schedule: schedule)
    }
    var name: String { "\(model), \(optimizer), momentum \(momentum), decay \(weight_decay), \(schedule)" }

    func data(on backend: any Backend) throws -> (SampleStore, Normalisation, ModelWeights) {
        if model == ModelLibrary.leNet5.name {
            return (
                try Fixture.store(on: backend), try Fixture.expected().normalisation,
                try ModelWeights(tensors: Fixture.tensors("initial.safetensors"))
            )
        }
        guard let spec = ModelLibrary.model(model) else {
            let fixture = try ConvolutionalFixture(model)
            return (try fixture.store(on: backend), fixture.normalisation, try fixture.initial())
        }
        return (
            try LayeredFixture.store(on: backend), try LayeredFixture.expected().normalisation,
            try LayeredFixture.weights(spec, "initial")
        )
    }
}

@Suite struct OptimizerTests {
    /// Losses within 1e-4, weights within 1e-4 of their tensor's largest, for the fused network and layered ones with and
    /// without convolutions and batch norm.
    @Test(arguments: TestBackends.names) func tracesFollowPyTorchs(backendName: String) throws {
        let backend = try TestBackends.make(backendName)
        let traces = try OptimizerTrace.all()
        #expect(traces.count == 26)
        for trace in traces {
            let (store, normalisation, initial) = try trace.data(on: backend)
            let ranges = stride(from: 0, to: store.count, by: trace.batch_size).map {
                $0..<min($0 + trace.batch_size, store.count)
            }
            let optimizer = trace.options.optimizer
            // Two of the same weights: neither sees the other.
            let parameters = try ModelParameters([initial, initial], on: backend)
            let schedule = try StepSchedule(
                capacity: ranges.count, replicas: 2, ratesPerStep: optimizer.ratesPerStep, on: backend)
            try schedule.load(ranges, firstStep: 0, of: ranges.count, options: trace.options, on: backend)
            let network = try parameters.makeNetwork(
                batchSize: trace.batch_size, schedule: schedule, trainingSteps: ranges.count, optimizer: optimizer,
                on: backend)
            let source = try SampleSource(
                store, order: try backend.makeBuffer((0..<Int32(store.count)).map { $0 }, label: "order"),
                orderStride: 0, normalisation: normalisation, on: backend)
            for _ in ranges {
                try network.backpropagate(source)
                try network.update()
            }
            let losses = try network.losses(steps: ranges.count)
            for (step, (ours, theirs)) in zip(losses, trace.losses).enumerated() {
                for loss in ours { #expect(abs(Double(loss) - theirs) < 1e-4, "\(trace.name): step \(step)") }
            }
            for weights in try parameters.download() {
                for (tensor, part) in trace.tensors {
                    let error = part.error(weights[tensor])
                    #expect(
                        error < 1e-4,
                        "\(trace.name): \(tensor) is off by \(error) of its largest after \(ranges.count) steps")
                }
            }
        }
    }

    @Test func theLearningRatesAreThoseOfPyTorchsSchedule() throws {
        for trace in try OptimizerTrace.all() {
            let steps = trace.learning_rates.count
            for (index, rate) in trace.learning_rates.enumerated() {
                let ours = trace.learning_rate * trace.schedule.share(step: index + 1, of: steps)
                #expect(abs(ours - rate) < 1e-12 * trace.learning_rate, "\(trace.name): step \(index)")
            }
        }
    }

    /// Whatever trains beside it, and however the epochs are cut: every optimizer's state and every step's rate are a run's own.
    @Test(arguments: TestBackends.names) func aRunAloneAndAmongOthersGivesTheSameBits(backendName: String) throws {
        let backend = try TestBackends.make(backendName)
        let trainer = Trainer(
            try LayeredFixture.store(on: backend), model: try #require(ModelLibrary.model("mlp")),
            normalisation: try LayeredFixture.expected().normalisation, on: backend)
        let runs = (0..<3).map { TrainingRun(subset: Array(0..<50), seed: 3, run: $0) }
        var results: Set<[Float]> = []
        for optimizer in [
            Optimizer(.adam), Optimizer(.adam, weightDecay: 0.1), Optimizer(.adamw), Optimizer(.sgd),
            Optimizer(.sgd, momentum: 0.9),
        ] {
            let options = TrainingOptions(
                length: .epochs(3), batchSize: 16, learningRate: 0.01, optimizer: optimizer, schedule: .cosine)
            let together = try trainer.train(runs, options: options)
            let alone = try trainer.train([runs[2]], options: options, afterEpoch: { _ in true })
            #expect(alone.weights[0] == together.weights[2], "\(optimizer)")
            results.insert(together.losses.map { $0[2] })
        }
        #expect(results.count == 5)
        #expect(Optimizer(.adamw).weightDecay == 0.01 && Optimizer(.adam).weightDecay == 0)
    }

    @Test func optimizersThatAreNoneAreRefusedInASentence() throws {
        let trainer = Trainer(
            try LayeredFixture.store(on: CPUBackend()), model: try #require(ModelLibrary.model("mlp")),
            normalisation: try LayeredFixture.expected().normalisation, on: CPUBackend())
        for (optimizer, words) in [
            (Optimizer(.adam, momentum: 0.9), "momentum is for the optimizer sgd, and adam has none"),
            (Optimizer(.sgd, momentum: 1), "momentum is 1; from 0 to below 1"),
            (Optimizer(.adamw, weightDecay: -0.1), "weight decay is -0.1; from 0 to 1"),
            (Optimizer(.adamw, weightDecay: .nan), "weight decay is nan"),
        ] {
            let error = #expect(throws: NetworkError.self) {
                try trainer.train(
                    [TrainingRun(subset: [1], seed: 3, run: 0)], options: TrainingOptions(optimizer: optimizer))
            }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }
}
