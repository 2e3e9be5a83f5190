import Datasets
import Foundation
import OpenCL
import Testing

@testable import Compute
@testable import Networks
import TestSupport

/// Results of tools/fixtures for convolutional models and autoencoders. Both sides compute the weights and images by
/// the same rule.
struct ConvolutionalFixture {
    struct Expected: Decodable {
        /// Every `step`-th value of a tensor.
        struct Part: Decodable {
            var shape: [Int]
            var step: Int
            var largest: Double
            var values: [Double]
        }
        struct Model: Decodable {
            var stream: UInt64
            var shape: [Int]
            var losses: [Double]
            var untrained: [String]
            var logits: [Double]
            var gradients: [String: Part]
            var trained: [String: Part]
            /// For an autoencoder, after training: the codes of the first samples, and the mean squared error of all.
            var codes: [Double]?
            var error: Double?
        }
        var mean: Double
        var std: Double
        var samples: Int
        var batch_size: Int
        var learning_rate: Double
        var models: [String: Model]
    }
    static let classes = 10
    static let names = ["lenet5-1998", "odd"]
    /// The wide form takes long to compile: on processors alone.
    static let cases =
        TestBackends.names.flatMap { backend in names.map { (backend, $0) } }
        + ["cpu", TestBackends.openCLProcessor].compactMap(\.self).map { ($0, wide) }
    private static let wide = "lenet5-wide4"

    let all: Expected
    let expected: Expected.Model
    let layout: ParameterLayout

    init(_ name: String) throws { try self.init(name, of: Self.model(name), in: "convolutional") }

    /// - Parameter folder: one of Tests/Fixtures.
    init(_ name: String, of model: ModelSpec, in folder: String) throws {
        let file = URL(fileURLWithPath: Fixtures.path("\(folder)/expected.json"))
        all = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
        expected = try #require(all.models[name])
        let shape = expected.shape
        layout = try ParameterLayout(
            model, samples: .init(channels: shape[0], height: shape[1], width: shape[2]),
            classes: Self.classes)
    }

    static func model(_ name: String) -> ModelSpec {
        if name == "odd" {
            return ModelSpec(
                name: name,
                layers: [
                    .conv(out: 5, kernel: 3, padding: 1), .tanh, .avgPool(2), .conv(out: 6, kernel: 4, padding: 2),
                    .batchNorm, .relu, .conv(out: 7, kernel: 3, padding: 1), .maxPool(3), .tanh, .flatten,
                    .linear(.count(13)), .batchNorm, .tanh, .linear(.count(11)), .linear(.classes),
                ])
        }
        if name == wide, let model = ModelLibrary.model(name) {
            // The fixture numbers the layers, as an nn.Sequential does.
            return ModelSpec(name: "wide", layers: model.layers, side: model.side)
        }
        return ModelSpec(
            name: name,
            layers: [
                .conv(out: 6, kernel: 5, padding: 0), .tanh, .avgPool(2), .conv(out: 16, kernel: 5, padding: 0), .tanh,
                .avgPool(2), .flatten, .linear(.count(120)), .tanh, .linear(.count(84)), .tanh, .linear(.classes),
            ], side: 32)
    }

    /// Of -1 to 1, exact in float32.
    private func numbers(_ stream: UInt64, _ count: Int) -> [Double] {
        (0..<UInt64(count)).map { (index: UInt64) -> Double in
            var z = (index &+ stream << 32) &* 0x9E37_79B9_7F4A_7C15
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            z ^= z >> 31
            return (Double(z >> 48) - 32768) / 32768
        }
    }

    /// Initial weights; running statistics are 0 and 1.
    func initial() throws -> ModelWeights {
        var tensors: [String: Tensor] = [:]
        for (index, slot) in layout.slots.enumerated() {
            let values = numbers(expected.stream + UInt64(index), slot.shape.reduce(1, *)).map {
                (value: Double) -> Float in
                if slot.fanIn > 0 { return Float(value * (1 / Double(slot.fanIn).squareRoot())) }
                return Float(value / 4 + (slot.name.hasSuffix("weight") ? 1 : 0))
            }
            tensors[slot.name] = Tensor(shape: slot.shape, values: values)
        }
        for norm in layout.running {
            tensors["\(norm.name).running_mean"] = Tensor(
                shape: [norm.count], values: .init(repeating: 0, count: norm.count))
            tensors["\(norm.name).running_var"] = Tensor(
                shape: [norm.count], values: .init(repeating: 1, count: norm.count))
        }
        let input = expected.shape
        return try ModelWeights(
            layout.model, input: .init(channels: input[0], height: input[1], width: input[2]), tensors: tensors)
    }

    func store(on backend: any Backend) throws -> SampleStore {
        let (count, stream) = (layout.input.featureCount, expected.stream + 50)
        let labels = numbers(stream, all.samples).map { (value: Double) -> UInt8 in
            UInt8(((value + 1) / 2 * Double(Self.classes)).rounded(.down))
        }
        let noise = numbers(stream + 1, all.samples * count)
        let patterns = numbers(stream + 2, Self.classes * count)
        let pixels = noise.indices.map { (place: Int) -> UInt8 in
            let pattern = patterns[Int(labels[place / count]) * count + place % count]
            return UInt8((128 + 60 * noise[place] + 60 * pattern).rounded(.down))
        }
        return try SampleStore(
            pixels: pixels, labels: labels, shape: samplesShape, classes: Self.classes, on: backend)
    }

    private var samplesShape: SampleShape {
        SampleShape(channels: expected.shape[0], height: expected.shape[1], width: expected.shape[2])
    }

    var normalisation: Normalisation {
        Normalisation((0..<expected.shape[0]).map { _ in ChannelStatistics(mean: all.mean, std: all.std) })
    }

    /// The largest difference from a tensor's part, as a share of the tensor's largest value.
    func error(_ values: [Float], _ part: Expected.Part) -> Double {
        guard values.count == part.shape.reduce(1, *) else { return .infinity }
        return part.values.enumerated().reduce(0) { worst, value in
            let difference: Double = Double(values[value.offset * part.step]) - value.element
            let error = difference.magnitude / part.largest
            return error <= worst ? worst : error
        }
    }
}

/// The layered network with every kind of layer against PyTorch's numbers in float64.
@Suite struct ConvolutionalNetworkTests {
    @Test(arguments: ConvolutionalFixture.cases)
    func tenStepsFollowPyTorchs(backendName: String, name: String) throws {
        let backend = try TestBackends.make(backendName)
        let fixture = try ConvolutionalFixture(name)
        let (all, expected) = (fixture.all, fixture.expected)
        #expect(fixture.layout.isFused == name.contains("wide"))
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
            try fixture.store(on: backend),
            order: try backend.makeBuffer((0..<all.samples).map(Int32.init), label: "order"), orderStride: 0,
            normalisation: fixture.normalisation, on: backend)
        for step in ranges.indices {
            try network.backpropagate(source)
            try network.update()
            guard step == 0 else { continue }
            for replica in 0..<2 {
                let gradients = try network.gradients(replica: replica)
                #expect(Set(gradients.keys) == Set(expected.gradients.keys))
                for (tensor, part) in expected.gradients {
                    let values = gradients[tensor]?.values ?? []
                    if expected.untrained.contains(tensor) {
                        #expect(values.allSatisfy { $0 == 0 }, "\(tensor) is zero before batch norm")
                        continue
                    }
                    let error = fixture.error(values, part)
                    #expect(error < 1e-5, "gradient of \(tensor) is off by \(error) of its largest")
                }
            }
        }
        for (step, losses) in try network.losses(steps: ranges.count).enumerated() {
            for loss in losses { #expect(abs(Double(loss) - expected.losses[step]) < 1e-5, "step \(step): \(loss)") }
        }
        let trained = try parameters.download()
        #expect(trained[0] == trained[1])
        for (tensor, part) in expected.trained {
            let error = fixture.error(trained[0][tensor], part)
            #expect(error < 1e-4, "\(tensor) is off by \(error) of its largest after ten steps")
        }
        try checkLogits(of: trained[0], fixture, on: backend)
    }

    /// Holds what a network with running statistics predicts against PyTorch's logits, before and after a file.
    private func checkLogits(
        of weights: ModelWeights, _ fixture: ConvolutionalFixture, on backend: any Backend
    ) throws {
        let folder = try TemporaryFolder()
        let path = folder / "w.safetensors"
        try weights.write(to: path, normalisation: fixture.normalisation, steps: 10)
        let read = try ModelWeights.read(path, of: fixture.layout.model).weights
        #expect(read == weights)
        let count = fixture.all.batch_size
        let schedule = try StepSchedule(capacity: 1, replicas: 1, on: backend)
        try schedule.load([0..<count], firstStep: 0, learningRate: 1, on: backend)
        let network = try ModelParameters([read], on: backend).makeNetwork(
            batchSize: count, schedule: schedule, on: backend)
        let source = try SampleSource(
            try fixture.store(on: backend),
            order: try backend.makeBuffer((0..<fixture.all.samples).map(Int32.init), label: "order"), orderStride: 0,
            normalisation: fixture.normalisation, on: backend)
        try network.predict(
            source, into: try backend.makeBuffer(of: Int32.self, count: count, label: "predictions"), stride: count)
        let (flat, tile, classes) = (try backend.read(network.logits), backend.tile, ConvolutionalFixture.classes)
        let logits = (0..<count * classes).map { (place: Int) -> Float in
            let (sample, logit) = (place / classes, place % classes)
            return flat[(sample / tile * classes + logit) * tile + sample % tile]
        }
        #expect(relativeError(logits, fixture.expected.logits.map { Float($0) }) < 1e-4)
    }

    @Test(arguments: TestBackends.names) func aRunAloneAndAmongThreeGivesTheSameBits(backendName: String) throws {
        let backend = try TestBackends.make(backendName)
        let fixture = try ConvolutionalFixture("odd")
        let trainer = Trainer(
            try fixture.store(on: backend), model: fixture.layout.model, normalisation: fixture.normalisation,
            on: backend)
        let runs = (0..<3).map { run in
            TrainingRun(subset: (0..<35).map { ($0 * 3 + run) % fixture.all.samples }, seed: 3, run: run)
        }
        let options = TrainingOptions(length: .epochs(2), batchSize: 20)
        let together = try trainer.train(runs, options: options)
        let alone = try trainer.train([runs[2]], options: options)
        #expect(alone.weights[0] == together.weights[2])
        #expect(together.weights[0] != together.weights[1])
        #expect(together.divergedSteps == [nil, nil, nil])
        #expect(together.movedWeights.allSatisfy { $0 > 0 })
        // Biases before batch norm stay as they started.
        let initial = ModelWeights(layout: fixture.layout, seed: 3, run: 2)
        for name in fixture.expected.untrained { #expect(alone.weights[0][name] == initial[name], "\(name)") }
        #expect(alone.weights[0]["0.bias"] != initial["0.bias"])
    }
}

/// docs/kernels.md states how many launches a step of a layered network has.
@Suite struct LayeredLaunchTests {
    @Test(.enabled(if: (try? Device.all().isEmpty) == false, "this host has no OpenCL device"))
    func aStepHasTheLaunchesThatAreStated() throws {
        let device = try #require(try Device.all().first)
        let fixture = try ConvolutionalFixture("lenet5-1998")
        let (mlp, linear) = (try #require(ModelLibrary.model("mlp")), try #require(ModelLibrary.model("linear")))
        for (model, launches) in [
            (fixture.layout.model, 29), (mlp, 15), (linear, 5), (ModelLibrary.autoencoder(), 18),
        ] {
            let backend = try OpenCLBackend(device: device, profile: DeviceProfile(for: device), profiling: true)
            _ = try Trainer(
                try fixture.store(on: backend), model: model, normalisation: fixture.normalisation, on: backend
            ).train([TrainingRun(subset: [3, 1, 2], seed: 1, run: 0)], options: TrainingOptions(length: .epochs(1)))
            let count = backend.kernelTimes.values.reduce(0) { $0 + $1.launches }
            #expect(count == launches, "\(model.name): \(backend.kernelTimes.mapValues(\.launches))")
        }
    }
}

/// Weights of models that take planes of any size.
@Suite struct FreeExtentsTests {
    private func layout(_ layers: [ModelSpec.Layer], _ channels: Int, _ height: Int, _ width: Int) throws
        -> ParameterLayout
    {
        try ParameterLayout(
            ModelSpec(name: "x", layers: layers), samples: .init(channels: channels, height: height, width: width),
            classes: 4)
    }

    @Test func filesTellTheExtents() throws {
        let folder = try TemporaryFolder()
        let layers: [ModelSpec.Layer] = [
            .batchNorm, .conv(out: 3, kernel: 3, padding: 1), .relu, .maxPool(2), .flatten, .linear(.classes),
        ]
        let layout = try layout(layers, 2, 7, 9)
        let weights = ModelWeights(layout: layout, seed: 1, run: 0)
        let path = folder / "w.safetensors"
        let normalisation = Normalisation((0..<2).map { _ in ChannelStatistics(mean: 0, std: 1) })
        try weights.write(to: path, normalisation: normalisation, steps: 1)
        #expect(try Safetensors.read(path).metadata["input"] == "2x7x9")
        #expect(try ModelWeights.read(path, of: layout.model).weights == weights)
        // PyTorch's files do not: a square of the same tensors is taken, and the samples' own shape later. 3 x 4 pools are
        // those of no square.
        try Safetensors.write(weights.tensors, metadata: [:], to: path)
        #expect(throws: NetworkError.self) { try ModelWeights.read(path, of: layout.model) }
        let square = try self.layout(layers, 2, 9, 9)
        let other = ModelWeights(layout: square, seed: 1, run: 0)
        try Safetensors.write(other.tensors, metadata: [:], to: path)
        let read = try ModelWeights.read(path, of: layout.model).weights
        #expect(read.tensors == other.tensors && read.layout.input == .init(channels: 2, height: 8, width: 8))
        #expect(read.laidOut(as: square) == other)
        #expect(read.laidOut(as: layout) == read)
    }

    @Test func shapesOfAllKindsOfModelsAreFound() throws {
        for layers in [
            [.avgPool(2), .flatten, .linear(.classes)], [.batchNorm, .linear(.classes)],
            [.flatten, .batchNorm, .tanh, .linear(.count(5)), .linear(.classes)],
            [.conv(out: 2, kernel: 6, padding: 0), .flatten, .linear(.classes)],
        ] as [[ModelSpec.Layer]] {
            let isVector = layers[1] == .linear(.classes)
            let layout = try isVector ? layout(layers, 1, 1, 12) : layout(layers, 3, 6, 6)
            let weights = ModelWeights(layout: layout, seed: 1, run: 0)
            let read = try ModelWeights(layout.model, tensors: weights.tensors)
            #expect(read.tensors == weights.tensors, "\(layers)")
            #expect(read.laidOut(as: layout) == weights, "\(layers)")
        }
    }
}
