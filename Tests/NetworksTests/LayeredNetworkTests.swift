import Compute
import Foundation
import Testing

@testable import Networks
import TestSupport

/// The files that tools/fixtures made of `mlp` and `linear`.
enum LayeredFixture {
    struct Expected: Decodable {
        struct Model: Decodable {
            var losses: [Double]
            var logits: [[Double]]
        }
        var mean: Double
        var std: Double
        var batch_size: Int
        var learning_rate: Double
        var models: [String: Model]
        var normalisation: Normalisation { Normalisation(mean: mean, std: std) }
    }
    static let count = 90
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/layered").path

    static func expected() throws -> Expected {
        try JSONDecoder().decode(Expected.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/expected.json")))
    }

    private static func values(_ name: String, _ count: Int) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)).suffix(count))
    }

    /// The samples as bytes, or as the numbers that these stand for.
    static func store(asFloats: Bool = false, on backend: any Backend) throws -> SampleStore {
        let (pixels, labels) = (try values("samples.npy", count * 35), try values("labels.npy", count))
        if asFloats {
            return try SampleStore(
                floats: pixels.map { Float($0) / 255 }, labels: labels, shape: .init(height: 5, width: 7), classes: 10,
                on: backend)
        }
        return try SampleStore(
            pixels: pixels, labels: labels, shape: .init(height: 5, width: 7), classes: 10, on: backend)
    }

    static func weights(_ model: ModelSpec, _ kind: String) throws -> ModelWeights {
        try ModelWeights(
            model, tensors: try Safetensors.read("\(folder)/\(model.name)_\(kind).safetensors").tensors)
    }
}

/// The layered network against PyTorch's numbers in float64.
@Suite struct LayeredNetworkTests {
    @Test(arguments: TestBackends.names, ["mlp", "linear"])
    func sixStepsFollowPyTorchs(backendName: String, name: String) throws {
        let backend = try TestBackends.make(backendName)
        let expected = try LayeredFixture.expected()
        let truth = try #require(expected.models[name])
        let model = try #require(ModelLibrary.model(name))
        let initial = try LayeredFixture.weights(model, "initial")
        let size = expected.batch_size
        let ranges = stride(from: 0, to: LayeredFixture.count, by: size).map {
            $0..<min($0 + size, LayeredFixture.count)
        }
        // Two of the same weights: neither sees the other.
        let parameters = try ModelParameters([initial, initial], on: backend)
        let schedule = try StepSchedule(capacity: ranges.count, on: backend)
        try schedule.load(ranges, firstStep: 0, learningRate: expected.learning_rate, on: backend)
        let network = try parameters.makeNetwork(
            batchSize: size, schedule: schedule, trainingSteps: ranges.count, on: backend)
        let source = try SampleSource(
            try LayeredFixture.store(on: backend),
            order: try backend.makeBuffer((0..<Int32(LayeredFixture.count)).map { $0 }, label: "order"), orderStride: 0,
            normalisation: Normalisation(mean: expected.mean, std: expected.std), on: backend)
        for step in ranges.indices {
            try network.backpropagate(source)
            try network.update()
            guard step == 0 else { continue }
            let gradients = try LayeredFixture.weights(model, "gradients")
            for replica in 0..<2 {
                for (tensor, values) in try network.gradients(replica: replica) {
                    let error = relativeError(values.values, gradients[tensor])
                    #expect(error < 1e-5, "gradient of \(tensor) is off by \(error) of its largest")
                }
            }
        }
        for (step, losses) in try network.losses(steps: ranges.count).enumerated() {
            for loss in losses { #expect(abs(Double(loss) - truth.losses[step]) < 1e-5, "step \(step): \(loss)") }
        }
        let trained = try LayeredFixture.weights(model, "trained")
        for weights in try parameters.download() {
            for name in weights.tensors.keys {
                let error = relativeError(weights[name], trained[name])
                #expect(error < 1e-4, "\(name) is off by \(error) of its largest after six steps")
            }
        }
    }

    @Test(arguments: TestBackends.names, ["mlp", "linear"])
    func predictionsAreThoseOfPyTorchsLogits(backendName: String, name: String) throws {
        let backend = try TestBackends.make(backendName)
        let expected = try LayeredFixture.expected()
        let truth = try #require(expected.models[name])
        let model = try #require(ModelLibrary.model(name))
        let trained = try LayeredFixture.weights(model, "trained")
        let normalisation = Normalisation(mean: expected.mean, std: expected.std)
        let best = truth.logits.map { row in row.indices.max { row[$0] < row[$1] } }
        // Bytes, and the numbers that they stand for.
        for asFloats in [false, true] {
            let store = try LayeredFixture.store(asFloats: asFloats, on: backend)
            let predictions = try Evaluator(store, normalisation: normalisation, on: backend)
                .predictions([trained, trained])
            for classes in predictions.classes {
                #expect(classes.prefix(best.count).map { Int($0) } == best, "floats: \(asFloats)")
            }
            #expect(predictions.areFinite == [true, true])
        }
    }

    @Test(arguments: TestBackends.names) func aRunAloneAndAmongFiveGivesTheSameBits(backendName: String) throws {
        let backend = try TestBackends.make(backendName)
        let model = try #require(ModelLibrary.model("mlp"))
        let trainer = Trainer(
            try LayeredFixture.store(on: backend), model: model, normalisation: Normalisation(mean: 0.3, std: 0.25),
            on: backend)
        let runs = (0..<5).map { run in
            TrainingRun(subset: (0..<50).map { ($0 * 7 + run) % LayeredFixture.count }, seed: 3, run: run)
        }
        let options = TrainingOptions(length: .epochs(2), batchSize: 20)
        let together = try trainer.train(runs, options: options)
        for run in [0, 4] {
            let alone = try trainer.train([runs[run]], options: options)
            #expect(alone.weights[0] == together.weights[run], "run \(run)")
            #expect(alone.losses.map { $0[0] } == together.losses.map { $0[run] }, "run \(run)")
        }
        #expect(together.weights[0] != together.weights[1])
        #expect(together.divergedSteps == [nil, nil, nil, nil, nil])
        #expect(together.movedWeights.allSatisfy { $0 > 0 })
    }

    @Test func aTrainingLearns() throws {
        let backend = CPUBackend()
        let store = try LayeredFixture.store(on: backend)
        let normalisation = Normalisation(mean: 0.3, std: 0.25)
        for name in ["mlp", "linear"] {
            let model = try #require(ModelLibrary.model(name))
            let result = try Trainer(store, model: model, normalisation: normalisation, on: backend).train(
                [TrainingRun(subset: Array(0..<LayeredFixture.count), seed: 1, run: 0)],
                options: TrainingOptions(length: .epochs(30), batchSize: 16, learningRate: 0.01))
            let evaluation = try Evaluator(store, normalisation: normalisation, on: backend).evaluate(result.weights)
            #expect(evaluation.results[0].accuracy > 95, "\(name): \(evaluation.results[0].accuracy)")
        }
    }
}

/// Models as data.
@Suite struct ModelTests {
    /// One name, offset and padding per tensor: what weights and moments are found by.
    @Test func theArticlesNetworkKeepsItsPlaces() throws {
        let layout = try ParameterLayout.leNet5()
        #expect(layout.parameterCount == 66_960)
        #expect(
            layout.slots.map(\.name) == [
                "layer1.0.weight", "layer1.0.bias", "layer1.1.weight", "layer1.1.bias", "layer2.0.weight",
                "layer2.0.bias", "layer2.1.weight", "layer2.1.bias", "fc.weight", "fc.bias", "fc1.weight", "fc1.bias",
                "fc2.weight", "fc2.bias",
            ])
        #expect(
            layout.slots.map(\.offset) == [
                0, 160, 176, 192, 208, 2608, 2624, 2640, 2656, 53_856, 53_984, 65_504, 65_600, 66_944,
            ])
        #expect(layout.running.map(\.name) == ["layer1.1", "layer2.1"] && layout.isFused)
        #expect(try ParameterLayout(ModelLibrary.leNet5, samples: .init(height: 32, width: 32), classes: 10) == layout)
    }

    @Test func layersHaveSequentialsNames() throws {
        let mlp = try #require(ModelLibrary.model("mlp"))
        let layout = try ParameterLayout(mlp, samples: .init(height: 28, width: 28), classes: 10)
        #expect(
            layout.slots.map(\.name) == ["1.weight", "1.bias", "3.weight", "3.bias", "5.weight", "5.bias"])
        #expect(layout.slots.map(\.shape) == [[300, 784], [300], [100, 300], [100], [10, 100], [10]])
        #expect(layout.slots.allSatisfy { $0.offset % 16 == 0 } && layout.parameterCount % 16 == 0)
        #expect(layout.input == .vector(784) && !layout.isFused)
    }

    @Test func modelsAreWrittenAndReadAsData() throws {
        for model in ModelLibrary.all {
            let data = try JSONEncoder().encode(model)
            #expect(try JSONDecoder().decode(ModelSpec.self, from: data) == model)
        }
        let text = #"{"name": "x", "layers": ["flatten", {"linear": 7}, "relu", {"linear": "classes"}]}"#
        let model = try JSONDecoder().decode(ModelSpec.self, from: Data(text.utf8))
        #expect(model.layers == [.flatten, .linear(.count(7)), .relu, .linear(.classes)] && model.side == nil)
        for (layer, reason) in [
            (#""rule""#, "'rule' is no layer"), (#"{"linea": 3}"#, "unknown layer 'linea'"),
            (#"{"linear": 0}"#, "linear is 0"), (#"{"linear": "x"}"#, "a number of values or classes"),
            (#"{"max_pool": -1}"#, "max_pool is -1"), (#"{"conv": {"out": 0, "kernel": 5}}"#, "conv needs out"),
        ] {
            let text = #"{"name": "x", "layers": [\#(layer)]}"#
            do {
                _ = try JSONDecoder().decode(ModelSpec.self, from: Data(text.utf8))
                Issue.record("\(layer) was read")
            } catch DecodingError.dataCorrupted(let context) {
                #expect(context.debugDescription.contains(reason), "\(context.debugDescription)")
            }
        }
    }

    @Test func whatCannotBeTrainedIsSaidInASentence() throws {
        func message(_ layers: [ModelSpec.Layer], channels: Int = 1, side: Int? = nil) -> String {
            do {
                _ = try ParameterLayout(
                    ModelSpec(name: "x", layers: layers, side: side),
                    samples: .init(channels: channels, height: side ?? 8, width: side ?? 8), classes: 10)
                return ""
            } catch {
                #expect(error.category == .badData)
                return error.description
            }
        }
        #expect(message([.flatten, .linear(.classes)]).isEmpty)
        #expect(message([.linear(.classes)]).contains("linear takes a vector, not 1x8x8; put flatten before it"))
        #expect(message([.flatten, .linear(.count(3))]).contains("linear: classes is needed"))
        #expect(
            message([.flatten, .linear(.count(3)), .linear(.classes)]).contains("layer 3 (linear) is out of place"))
        #expect(message([.flatten, .relu, .linear(.classes)]).contains("layer 2 (relu) is out of place"))
        #expect(
            message([.conv(out: 2, kernel: 3, padding: 0), .flatten, .linear(.classes)]).contains(
                "x cannot be trained: layer 2 (flatten) is out of place; models with conv are two blocks of conv"))
        func block(_ out: Int, _ kernel: Int = 3, padding: Int = 0, pool: Int = 2) -> [ModelSpec.Layer] {
            [.conv(out: out, kernel: kernel, padding: padding), .batchNorm, .relu, .maxPool(pool)]
        }
        let linear: [ModelSpec.Layer] = [.linear(.count(3)), .relu]
        let end: [ModelSpec.Layer] = [.flatten, .linear(.classes)]
        #expect(message(block(2) + block(3) + end, side: 10).isEmpty)
        #expect(message(block(224) + block(224) + end, side: 10).isEmpty)
        for (layers, side, reason) in [
            (block(2, 1) + block(3, 1) + end, nil, "a model with conv needs a side, which images are resized to"),
            (block(2) + end, 10, "layer 5 (flatten) is out of place; models with conv are two blocks of conv, "),
            (block(2) + block(3) + block(3, 1) + end, 20, "layer 9 (conv) is out of place"),
            (
                block(2) + block(3) + [.flatten] + linear + linear + linear + linear + [.linear(.classes)], 10,
                "flatten, and 1 to 4 linear layers with relu between them"
            ),
            (block(2) + block(3) + [.flatten, .relu, .linear(.classes)], 10, "layer 10 (relu) is out of place"),
            (block(2) + block(3, padding: 1) + end, 10, "layer 5 (conv) has a padding of 1; 0 is accepted"),
            (block(2, pool: 1) + block(3) + end, 10, "layer 4 is max_pool: 1; max_pool: 2 is accepted"),
            (block(2, 8) + block(3, 8) + end, 40, "layer 1 (conv) has a kernel of 8x8; at most 7x7 is accepted"),
            (block(2) + block(225) + end, 10, "layer 5 (conv) has 225 planes; at most 224 are accepted"),
            (block(225) + block(2) + end, 10, "layer 1 (conv) has 225 planes; at most 224 are accepted"),
            (block(2, 3) + block(3, 1) + end, 10, "kernels of 3 and 1; equal ones are needed"),
        ] as [([ModelSpec.Layer], Int?, String)] {
            #expect(message(layers, side: side).contains("x cannot be trained: "), "\(reason)")
            #expect(message(layers, side: side).contains(reason), "\(message(layers, side: side))")
        }
        #expect(message(block(2) + block(3) + end, channels: 70, side: 10).isEmpty)
        #expect(
            message(block(2) + block(3) + end, channels: 71, side: 10).contains(
                "layer 1 (conv) has 71 planes, a kernel of 3x3 and rows of 8 need room for 647 running values"))
        #expect(message([.conv(out: 2, kernel: 9, padding: 0)]).contains("a 9x9 kernel does not fit into 1x8x8"))
        #expect(message([.maxPool(9)]).contains("a pool of 9x9 does not fit"))
        #expect(
            throws: NetworkError.self,
            performing: {
                try ParameterLayout(ModelLibrary.leNet5, samples: .init(height: 28, width: 28), classes: 10)
            })
    }

    @Test func weightsKeepTheirModelsName() throws {
        let folder = try TemporaryFolder()
        let (mlp, linear) = (try #require(ModelLibrary.model("mlp")), try #require(ModelLibrary.model("linear")))
        let layout = try ParameterLayout(mlp, samples: .init(channels: 3, height: 2, width: 5), classes: 4)
        let weights = ModelWeights(layout: layout, seed: 5, run: 2)
        let path = folder / "w.safetensors"
        try weights.write(to: path, normalisation: Normalisation(mean: 0.5, std: 0.25), steps: 3)
        #expect(try Safetensors.read(path).metadata["model"] == "mlp")
        #expect(try ModelWeights.read(path).weights == weights)
        #expect(try ModelWeights.read(path, of: mlp).weights == weights)
        func message(_ path: String, _ model: ModelSpec?) -> String {
            do {
                _ = try ModelWeights.read(path, of: model)
                return ""
            } catch { return error.description }
        }
        #expect(message(path, linear) == "\(path) holds weights of mlp, not of linear; name the model mlp")
        // As PyTorch writes them, without a word about the model.
        let bare = folder / "bare.safetensors"
        try Safetensors.write(weights.tensors, metadata: ["format": "pt"], to: bare)
        #expect(try ModelWeights.read(bare, of: mlp).weights == weights)
        #expect(message(bare, nil).contains("not the weights of a LeNet-5"))
        #expect(message(bare, linear).contains("the model linear"))
        try Safetensors.write(weights.tensors, metadata: ["model": "vgg"], to: bare)
        // Others name models in their own ways: the tensors decide, and a note says so.
        let named = try ModelWeights.read(bare, of: mlp)
        #expect(named.weights == weights && named.notes.count == 1)
        #expect(named.notes.allSatisfy { $0.hasSuffix("names the unknown model vgg; reading it as mlp") })
        let one = ModelWeights(
            layout: try ParameterLayout(linear, samples: .vector(6), classes: 3), seed: 1, run: 0)
        try one.write(to: path, normalisation: Normalisation(mean: 0, std: 1), steps: 1)
        #expect(try ModelWeights.read(path).weights == one)
    }
}
