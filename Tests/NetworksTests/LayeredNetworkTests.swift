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
        let schedule = try StepSchedule(capacity: ranges.count, replicas: 2, on: backend)
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
        let layers: [ModelSpec.Layer] = [.conv(out: 2, kernel: 3, padding: 1), .batchNorm, .tanh, .avgPool(2)]
        #expect(try JSONDecoder().decode([ModelSpec.Layer].self, from: JSONEncoder().encode(layers)) == layers)
        for (layer, reason) in [
            (#""rule""#, "'rule' is no layer"), (#"{"linea": 3}"#, "unknown layer 'linea'"),
            (#"{"linear": 0}"#, "linear is 0"), (#"{"linear": "x"}"#, "a number of values, classes or inputs"),
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

    private static func block(_ out: Int, _ kernel: Int = 3, padding: Int = 0, pool: Int = 2) -> [ModelSpec.Layer] {
        [.conv(out: out, kernel: kernel, padding: padding), .batchNorm, .relu, .maxPool(pool)]
    }

    @Test func whatDoesNotFitIsSaidInASentence() throws {
        func message(_ layers: [ModelSpec.Layer], height: Int = 8, width: Int = 8) -> String {
            do {
                _ = try ParameterLayout(
                    ModelSpec(name: "x", layers: layers), samples: .init(height: height, width: width), classes: 10)
                return ""
            } catch {
                #expect(error.category == .badData)
                return error.description
            }
        }
        let end: [ModelSpec.Layer] = [.flatten, .linear(.classes)]
        for layers in [
            end, [.flatten, .linear(.count(3)), .linear(.classes)], [.flatten, .relu, .linear(.classes)],
            [.tanh, .batchNorm] + end,
            [.conv(out: 2, kernel: 4, padding: 3), .conv(out: 1, kernel: 8, padding: 0)] + end,
            [.maxPool(8), .avgPool(1), .flatten, .flatten, .batchNorm, .linear(.classes)],
        ] as [[ModelSpec.Layer]] {
            #expect(message(layers).isEmpty, "\(message(layers))")
        }
        for (layers, reason) in [
            ([], "x ends in nothing; linear: classes is needed"),
            ([.flatten, .linear(.count(3))], "x ends in linear: 3; linear: classes is needed"),
            ([.linear(.classes)], "x: layer 1 (linear) takes a vector, not 1x8x8; put flatten before it"),
            (
                [.conv(out: 2, kernel: 3, padding: 0), .tanh, .linear(.classes)],
                "x: layer 3 (linear) takes a vector, not 2x6x6; put flatten before it"
            ),
            (
                [.flatten, .conv(out: 2, kernel: 1, padding: 0)],
                "x: layer 2 (conv) takes planes, not a vector of 64 values"
            ),
            (
                [.flatten, .linear(.count(7)), .avgPool(1)],
                "x: layer 3 (avg_pool) takes planes, not a vector of 7 values"
            ),
            (
                [.maxPool(2), .conv(out: 2, kernel: 9, padding: 2)],
                "x: layer 2 (conv) has a 9x9 kernel, which does not fit into 1x4x4 with a padding of 2"
            ),
            (
                [.conv(out: 2, kernel: 9, padding: 0)],
                "x: layer 1 (conv) has a 9x9 kernel, which does not fit into 1x8x8"
            ),
            (
                [.maxPool(2), .avgPool(5)],
                "x: layer 2 (avg_pool) has windows of 5x5, which do not fit into 1x4x4"
            ),
            (
                [.flatten, .linear(.count(1 << 40))],
                "x: layer 2 (linear) has 65 x 1099511627776 weights; at most 2147482607 are accepted"
            ),
            (
                [.conv(out: 1 << 20, kernel: 1, padding: 0)],
                "x: layer 1 (conv) has 1048576 x 8 x 8 values; at most 33554431 are accepted"
            ),
            (
                [.conv(out: 1, kernel: 1, padding: 1 << 62)],
                "x: layer 1 (conv) has 4611686018427387904 x 4611686018427387904 rows and columns of padding; at most"
            ),
        ] as [([ModelSpec.Layer], String)] {
            #expect(message(layers).hasPrefix(reason), "\(message(layers))")
        }
        #expect(
            message([.conv(out: 2, kernel: 1, padding: 0)] + end, height: 1, width: 64)
                == "x: layer 1 (conv) takes planes, not a vector of 64 values")
        #expect(
            throws: NetworkError.self,
            performing: {
                try ParameterLayout(ModelLibrary.leNet5, samples: .init(height: 28, width: 28), classes: 10)
            })
    }

    /// What the fused kernels take takes them; all else is as trainable, layer by layer.
    @Test func modelsTakeThePathThatFits() throws {
        func isFused(_ layers: [ModelSpec.Layer], channels: Int = 1, side: Int?) throws -> Bool {
            try ParameterLayout(
                ModelSpec(name: "x", layers: layers, side: side),
                samples: .init(channels: channels, height: side ?? 10, width: side ?? 10), classes: 10
            ).isFused
        }
        let linear: [ModelSpec.Layer] = [.linear(.count(3)), .relu]
        let end: [ModelSpec.Layer] = [.flatten, .linear(.classes)]
        let block = Self.block
        let two = block(2, 3, 0, 2)
        #expect(try isFused(two + block(3, 3, 0, 2) + end, side: 10))
        #expect(try isFused(block(224, 3, 0, 2) + block(224, 3, 0, 2) + end, side: 10))
        #expect(try isFused(two + block(3, 3, 0, 2) + end, channels: 70, side: 10))
        for (layers, channels, side) in [
            (two + block(3, 3, 0, 2) + end, 1, nil), (two + end, 1, 10),
            (two + block(3, 3, 0, 2) + block(3, 1, 0, 2) + end, 1, 20),
            (two + block(3, 3, 0, 2) + [.flatten] + linear + linear + linear + linear + [.linear(.classes)], 1, 10),
            (two + block(3, 3, 0, 2) + [.flatten, .relu, .linear(.classes)], 1, 10),
            (two + block(3, 3, 1, 2) + end, 1, 10), (block(2, 3, 0, 1) + block(3, 3, 0, 2) + end, 1, 10),
            (block(2, 8, 0, 2) + block(3, 8, 0, 2) + end, 1, 40), (two + block(225, 3, 0, 2) + end, 1, 10),
            (block(225, 3, 0, 2) + two + end, 1, 10), (two + block(3, 1, 0, 2) + end, 1, 10),
            (two + block(3, 3, 0, 2) + end, 71, 10),
        ] as [([ModelSpec.Layer], Int, Int?)] {
            #expect(try !isFused(layers, channels: channels, side: side), "\(layers)")
        }
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
