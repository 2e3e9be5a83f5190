import Datasets
import Foundation
import Testing

@testable import Compute
@testable import Networks
import TestSupport

/// The models of Tests/Fixtures/autoencoder.
private enum Autoencoders {
    static let all: [String: ModelSpec] = [
        "autoencoder": ModelLibrary.autoencoder(),
        "narrow": ModelSpec(
            name: "narrow",
            layers: [
                .flatten, .linear(.count(17)), .relu, .linear(.count(1)), .tanh, .linear(.count(13)), .tanh,
                .linear(.inputs),
            ]),
        "planes": ModelSpec(
            name: "planes",
            layers: [
                .conv(out: 5, kernel: 3, padding: 1), .tanh, .avgPool(2), .flatten, .linear(.count(7)),
                .linear(.count(20)), .relu, .linear(.inputs),
            ]),
    ]
    static let names = all.keys.sorted()

    static func fixture(_ name: String) throws -> ConvolutionalFixture {
        try ConvolutionalFixture(name, of: #require(all[name]), in: "autoencoder")
    }

    static func refusal(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch { return "\(error)" }
    }
}

/// Autoencoders against PyTorch's numbers in float64.
@Suite struct AutoencoderTests {
    /// Trains as the fixture was: ten steps, two networks of the same weights, of which neither sees the other.
    private func train(
        _ fixture: ConvolutionalFixture, _ store: SampleStore, on backend: any Backend,
        afterFirstStep: (any Network) throws -> Void = { _ in }
    ) throws -> (weights: [ModelWeights], losses: [[Float]]) {
        let all = fixture.all
        let ranges = stride(from: 0, to: all.samples, by: all.batch_size).map {
            $0..<min($0 + all.batch_size, all.samples)
        }
        let initial = try fixture.initial()
        let parameters = try ModelParameters([initial, initial], on: backend)
        let schedule = try StepSchedule(capacity: ranges.count, replicas: 2, on: backend)
        try schedule.load(ranges, firstStep: 0, learningRate: all.learning_rate, on: backend)
        let network = try parameters.makeNetwork(
            batchSize: all.batch_size, schedule: schedule, trainingSteps: ranges.count, on: backend)
        let source = try SampleSource(
            store, order: try backend.makeBuffer((0..<all.samples).map(Int32.init), label: "order"), orderStride: 0,
            normalisation: fixture.normalisation, on: backend)
        for step in ranges.indices {
            try network.backpropagate(source)
            try network.update()
            if step == 0 { try afterFirstStep(network) }
        }
        return (try parameters.download(), try network.losses(steps: ranges.count))
    }

    @Test(arguments: TestBackends.names, Autoencoders.names)
    func tenStepsFollowPyTorchs(backendName: String, name: String) throws {
        let backend = try TestBackends.make(backendName)
        let fixture = try Autoencoders.fixture(name)
        let expected = fixture.expected
        let store = try fixture.store(on: backend)
        let (weights, losses) = try train(fixture, store, on: backend) { network in
            for replica in 0..<2 {
                let gradients = try network.gradients(replica: replica)
                #expect(Set(gradients.keys) == Set(expected.gradients.keys))
                for (tensor, part) in expected.gradients {
                    let error = fixture.error(gradients[tensor]?.values ?? [], part)
                    #expect(error < 1e-5, "gradient of \(tensor) is off by \(error) of its largest")
                }
            }
        }
        #expect(losses.count == expected.losses.count)
        for (step, losses) in losses.enumerated() {
            for loss in losses {
                #expect(
                    abs(Double(loss) / expected.losses[step] - 1) < (step == 0 ? 1e-5 : 1e-4), "step \(step): \(loss)")
            }
        }
        #expect(weights[0] == weights[1])
        for (tensor, part) in expected.trained {
            let error = fixture.error(weights[0][tensor], part)
            #expect(error < 1e-4, "\(tensor) is off by \(error) of its largest after ten steps")
        }
        // By way of a file, under the names of the printed module.
        let folder = try TemporaryFolder()
        try weights[0].write(to: folder / "w.safetensors", normalisation: fixture.normalisation, steps: 10)
        let stored = try ModelWeights.read(folder / "w.safetensors")
        #expect(stored.weights == weights[0])
        let embedder = try Embedder(stored, on: backend)
        let codes = try #require(expected.codes)
        let shown = Array(0..<codes.count / embedder.size)
        let found = try embedder.embed(store, rows: shown)
        #expect(relativeError(found, codes.map { Float($0) }) < 1e-4)
        let outputs = try embedder.reconstruct(store, rows: shown)
        #expect(relativeError(outputs, expected.logits.map { Float($0) }) < 1e-4)
        let error = try embedder.error(of: store)
        #expect(abs(error.meanSquaredError / (try #require(expected.error)) - 1) < 1e-4)
    }

    /// Bytes give the same results as the floats they represent, and a network among others the same as one alone.
    @Test(arguments: TestBackends.names) func aRunHasItsBitsWhateverRunsBesideIt(backendName: String) throws {
        let backend = try TestBackends.make(backendName)
        let fixture = try Autoencoders.fixture("narrow")
        let store = try fixture.store(on: backend)
        let trainer = Trainer(
            store, model: fixture.layout.model, normalisation: fixture.normalisation, on: backend)
        let runs = (0..<3).map { TrainingRun(subset: Array($0..<$0 + 40), seed: 3, run: $0) }
        let options = TrainingOptions(length: .epochs(2), batchSize: 16)
        let together = try trainer.train(runs, options: options)
        let alone = try trainer.train([runs[2]], options: options)
        #expect(alone.weights[0] == together.weights[2] && together.weights[0] != together.weights[1])
        #expect(alone.losses.map { $0[0] } == together.losses.map { $0[2] })
        #expect(together.divergedSteps == [nil, nil, nil])
    }

    @Test func whatNeedsClassesIsRefused() throws {
        let backend = CPUBackend()
        let fixture = try Autoencoders.fixture("narrow")
        let store = try fixture.store(on: backend)
        let reason = "narrow reconstructs its input and predicts no classes; use it with coppice embed"
        let run = TrainingRun(subset: [1, 2], seed: 1, run: 0)
        let trainer = Trainer(
            store, model: fixture.layout.model, normalisation: fixture.normalisation, on: backend)
        #expect(
            Autoencoders.refusal { _ = try trainer.train([run], options: .init(), record: { _ in }) }
                .hasPrefix(reason))
        let evaluator = Evaluator(store, normalisation: fixture.normalisation, on: backend)
        let weights = try fixture.initial()
        #expect(Autoencoders.refusal { _ = try evaluator.evaluate([weights]) }.hasPrefix(reason))
        #expect(Autoencoders.refusal { _ = try evaluator.statistics([weights]) }.hasPrefix(reason))
    }

    @Test func theCodeIsTheNarrowestLinearLayer() throws {
        func place(_ model: ModelSpec) throws -> [Int] {
            let found = try model.embeddingLayer()
            return [found.layers, found.size]
        }
        func layer(_ layers: [ModelSpec.Layer]) throws -> [Int] { try place(ModelSpec(name: "x", layers: layers)) }
        #expect(try place(ModelLibrary.autoencoder(size: 7)) == [4, 7])
        // Narrower than the library's hidden layers or not, these are no code.
        #expect(try layer([.flatten, .linear(.count(9)), .linear(.inputs)]) == [2, 9])
        #expect(try place(ModelLibrary.leNet5) == [13, 84])
        #expect(
            try layer([.flatten, .linear(.count(9)), .batchNorm, .tanh, .linear(.classes)]) == [4, 9])
        for (layers, reason) in [
            ([.flatten, .linear(.inputs)], "x has no code: a linear layer of a number of values"),
            (
                [.flatten, .linear(.count(5)), .relu, .linear(.count(5)), .linear(.inputs)],
                "the code of x is ambiguous: layers 2 and 4 both have 5 values; exactly one linear layer must be narrowest"
            ),
            ([.flatten, .linear(.classes)], "x has no linear layer before its last one"),
            (
                [.linear(.count(5)), .conv(out: 1, kernel: 1, padding: 0), .flatten, .linear(.classes)],
                "x has no linear layer before its last one"
            ),
        ] as [([ModelSpec.Layer], String)] {
            #expect(Autoencoders.refusal { _ = try layer(layers) }.hasPrefix(reason), "\(layers)")
        }
    }

    @Test func aLayoutHasReconstructionsAtItsEndAlone() throws {
        let samples = SampleShape(channels: 2, height: 3, width: 5)
        func refusal(_ layers: [ModelSpec.Layer]) -> String {
            Autoencoders.refusal {
                _ = try ParameterLayout(ModelSpec(name: "x", layers: layers), samples: samples, classes: 4)
            }
        }
        let layout = try ParameterLayout(ModelLibrary.autoencoder(size: 3), samples: samples, classes: 0)
        #expect(layout.slots.map(\.shape) == [[256, 30], [256], [3, 256], [3], [256, 3], [256], [30, 256], [30]])
        #expect(layout.classes == 0 && !layout.isFused && layout.input == .vector(30))
        #expect(layout == (try ParameterLayout(layout.model, samples: samples, classes: 9)))
        #expect(
            refusal([.flatten, .linear(.inputs), .linear(.classes)])
                == "x: layer 2 (linear) reconstructs the samples, which the last layer alone can do")
        #expect(
            refusal([.flatten, .linear(.classes), .linear(.inputs)])
                == "x: layer 2 (linear) is of classes, and a model whose last layer is linear: inputs has none")
        #expect(refusal([.linear(.inputs)]).contains("takes a vector, not 2x3x5; put flatten before it"))
        let shown = try ModelDescription(layout.model, samples: samples, classes: 0)
        #expect(shown.yaml.hasPrefix("# autoencoder-3: 2x3x5 images, reconstructed, 17441 parameters, trained by"))
        #expect(shown.yaml.contains("  - linear: inputs  # 30, 7710 parameters\n"))
        #expect(shown.pyTorch.contains("nn.Linear(256, 30),\n"))
        #expect(shown.pyTorch.contains("# nn.Sequential(*list(model)[:4])(x) is the code of x, 3 values.\nfrom torch"))
        #expect(shown.pyTorch.contains("# It takes [batch, 2, 3, 5]: of bytes, byte / 255;"))
    }
}
