import Compute
import Foundation
import Support
import TestSupport
import Testing

@testable import Datasets
@testable import Networks

/// Samples of several channels, each with a mean and a standard deviation of its own.
@Suite struct NormalisationTests {
    private static let statistics = [
        ChannelStatistics(mean: 0.31, std: 0.27), ChannelStatistics(mean: 0.82, std: 0.011),
        ChannelStatistics(mean: -4, std: 13),
    ]

    private func bytes(_ count: Int, seed: UInt64 = 3) -> [UInt8] {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        return (0..<count).map { _ in UInt8(random.nextIndex(below: 256)) }
    }

    /// The logits of the first `count` samples: [sample][class].
    private func logits(
        _ weights: ModelWeights, _ stored: (store: SampleStore, backend: any Backend), _ normalisation: Normalisation,
        _ count: Int
    ) throws -> [[Float]] {
        let (store, backend) = stored
        let schedule = try StepSchedule(capacity: 1, replicas: 1, on: backend)
        try schedule.load([0..<count], firstStep: 0, learningRate: 1, on: backend)
        let network = try ModelParameters([weights], on: backend).makeNetwork(
            batchSize: count, schedule: schedule, on: backend)
        let source = try SampleSource(
            store, order: try backend.makeBuffer((0..<Int32(count)).map { $0 }, label: "order"), orderStride: 0,
            normalisation: normalisation, on: backend)
        try network.predict(
            source, into: try backend.makeBuffer(of: Int32.self, count: count, label: "predictions"), stride: count)
        let (tile, classes) = (backend.tile, weights.layout.classes)
        let flat = try backend.read(network.logits)
        return (0..<count).map { sample in
            (0..<classes).map { flat[(sample / tile * classes + $0) * tile + sample % tile] }
        }
    }

    /// A linear network's logits against the same in float64.
    @Test(arguments: TestBackends.names, [1, 3]) func layeredNetworksSeeNormalisedValues(name: String, channels: Int)
        throws
    {
        let backend = try TestBackends.make(name)
        let (count, shape) = (21, SampleShape(channels: channels, height: 3, width: 5))
        let pixels = bytes(count * shape.featureCount)
        let labels = [UInt8](repeating: 0, count: count)
        let model = try #require(ModelLibrary.model("linear"))
        let weights = ModelWeights(layout: try ParameterLayout(model, samples: shape, classes: 4), seed: 5, run: 1)
        let statistics = Array(Self.statistics.prefix(channels))
        for isBytes in [true, false] {
            let store =
                isBytes
                ? try SampleStore(pixels: pixels, labels: labels, shape: shape, classes: 4, on: backend)
                : try SampleStore(
                    floats: pixels.map { Float($0) }, labels: labels, shape: shape, classes: 4, on: backend)
            let found = try logits(weights, (store, backend), Normalisation(statistics), count)
            let (matrix, bias) = (weights["1.weight"], weights["1.bias"])
            for sample in 0..<count {
                for output in 0..<4 {
                    var (sum, size) = (Double(bias[output]), Double(bias[output].magnitude))
                    for feature in 0..<shape.featureCount {
                        let channel = statistics[feature / shape.planeSize]
                        let value = Double(pixels[sample * shape.featureCount + feature]) / (isBytes ? 255 : 1)
                        let weight = Double(matrix[output * shape.featureCount + feature])
                        sum += weight * (value - channel.mean) / channel.std
                        // Scaling and shifting cancel: what counts is the size of both.
                        size += weight.magnitude * (value.magnitude + channel.mean.magnitude) / channel.std
                    }
                    #expect(abs(Double(found[sample][output]) - sum) <= 1e-5 * size, "\(isBytes) \(sample) \(output)")
                }
            }
        }
    }

    /// With weights of 0 for the others, a channel of images acts as if it were alone: bit for bit.
    @Test(arguments: TestBackends.names) func fusedNetworksNormaliseEachChannelByItsOwn(name: String) throws {
        let backend = try TestBackends.make(name)
        let (count, plane) = (5, 1024)
        let pixels = bytes(count * 3 * plane)
        let labels = [UInt8](repeating: 0, count: count)
        let whole = try SampleStore(
            pixels: pixels, labels: labels, shape: .init(channels: 3, height: 32, width: 32), classes: 10, on: backend)
        let initial = ModelWeights(layout: try .leNet5(channels: 3), seed: 2, run: 0)
        for channel in 0..<3 {
            var tensors = initial.tensors
            let taps = initial["layer1.0.weight"]
            tensors["layer1.0.weight"]?.values = taps.indices.map { $0 / 25 % 3 == channel ? taps[$0] : 0 }
            let masked = try ModelWeights(tensors: tensors)
            tensors["layer1.0.weight"] = Tensor(
                shape: [6, 1, 5, 5], values: taps.indices.filter { $0 / 25 % 3 == channel }.map { taps[$0] })
            let alone = try SampleStore(
                pixels: (0..<count).flatMap { pixels[($0 * 3 + channel) * plane..<($0 * 3 + channel + 1) * plane] },
                labels: labels, shape: .init(height: 32, width: 32), classes: 10, on: backend)
            let found = try logits(masked, (whole, backend), Normalisation(Self.statistics), count)
            let due = try logits(
                ModelWeights(tensors: tensors), (alone, backend), Normalisation([Self.statistics[channel]]), count)
            #expect(found == due, "channel \(channel)")
        }
    }

    /// Three channels whose values differ by six orders of magnitude; the class is in the smallest ones alone.
    @Test(arguments: TestBackends.names) func trainingLearnsFromTheSmallestChannel(name: String) throws {
        let backend = try TestBackends.make(name)
        let shape = SampleShape(channels: 3, height: 2, width: 4)
        func samples(_ count: Int, run: Int) -> SampleSet {
            var random = RandomStream(seed: 8, run: run, purpose: .testing)
            let labels = (0..<count).map { UInt8($0 % 4) }
            let values = labels.flatMap { label in
                (0..<shape.featureCount).map { feature -> Float in
                    let noise = Float(random.nextUniform(-1, 1))
                    return switch feature / shape.planeSize {
                    case 0: 2000 + 900 * noise
                    case 1: 0.003 + 0.0004 * noise + (feature % 4 == Int(label) ? 0.002 : 0)
                    default: -7 + 3 * noise
                    }
                }
            }
            return SampleSet(valid: .floats(values), count: count, shape: shape, labels: labels)
        }
        let data = try Dataset(name: "three", train: samples(96, run: 0), test: samples(48, run: 1))
        #expect(data.channels.count == 3)
        let model = try #require(ModelLibrary.model("linear"))
        let train = try SampleStore.make(data.train, for: model, classes: 4, on: backend)
        let test = try SampleStore.make(data.test, for: model, classes: 4, on: backend)
        let normalisation = Normalisation(data)
        let runs = (0..<2).map { TrainingRun(subset: Array(0..<96), seed: 1, run: $0) }
        let result = try Trainer(train, model: model, normalisation: normalisation, on: backend).train(
            runs, options: TrainingOptions(length: .epochs(30), batchSize: 16, learningRate: 0.02))
        let evaluations = try Evaluator(test, normalisation: normalisation, on: backend).evaluate(result.weights)
            .results
        #expect(evaluations.allSatisfy { $0.accuracy > 95 && $0.isFinite }, "\(evaluations.map(\.accuracy))")
    }

    /// Images of three channels through the fused network: a few steps, alike on every backend.
    @Test(arguments: TestBackends.names) func fusedTrainingTakesThreeChannels(name: String) throws {
        func losses(_ backend: any Backend) throws -> [Float] {
            let (count, plane) = (32, 1024)
            let labels = (0..<count).map { UInt8($0 % 2) }
            let noise = bytes(count * 3 * plane)
            // Dark, dim and bright; the class is in the dim one.
            let pixels = noise.indices.map { index -> UInt8 in
                switch index / plane % 3 {
                case 0: noise[index] / 64
                case 1: 30 + noise[index] / 32 + 6 * labels[index / (3 * plane)]
                default: 150 + noise[index] / 3
                }
            }
            let set = try SampleSet(pixels: pixels, labels: labels, channels: 3, height: 32, width: 32)
            let data = try Dataset(name: "three", train: set, test: set)
            let store = try SampleStore.make(set, classes: 2, on: backend)
            let result = try Trainer(store, normalisation: Normalisation(data), on: backend).train(
                [TrainingRun(subset: Array(0..<count), seed: 1, run: 0)],
                options: TrainingOptions(length: .steps(6), batchSize: 16, learningRate: 0.003))
            #expect(result.divergedSteps == [nil])
            return result.losses.map { $0[0] }
        }
        let found = try losses(TestBackends.make(name))
        #expect(found[5] < 0.3 * found[0], "\(found)")
        if name != "cpu" {
            #expect(zip(found, try losses(CPUBackend())).allSatisfy { abs($0 - $1) < 1e-3 }, "\(found)")
        }
    }

    @Test func aChannelWithoutSpreadIsShiftedAlone() throws {
        let set = try SampleSet(pixels: [9, 0, 9, 51], labels: [0, 1], channels: 2, height: 1, width: 1)
        let normalisation = Normalisation(try Dataset(name: "x", train: set, test: set))
        #expect(normalisation.stds == [1, 0.1] && normalisation.means[0] == 9.0 / 255)
        let same = try SampleSet(pixels: [9, 0, 9, 0], labels: [0, 1], channels: 2, height: 1, width: 1)
        #expect(throws: DatasetError.self) { try Dataset(name: "x", train: same, test: same) }
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            #expect((error as? NetworkError)?.category == .badData)
            return "\(error)"
        }
    }

    @Test func weightsKeepTheNumbersOfEveryChannel() throws {
        let folder = try TemporaryFolder()
        let path = folder / "w.safetensors"
        let weights = ModelWeights(layout: try .leNet5(channels: 3), seed: 1, run: 0)
        let normalisation = Normalisation(Self.statistics)
        try weights.write(to: path, normalisation: normalisation, steps: 1)
        let metadata = try Safetensors.read(path).metadata
        #expect(metadata["mean"] == "0.31, 0.82, -4.0" && metadata["std"] == "0.27, 0.011, 13.0")
        #expect(try ModelWeights.read(path).normalisation == normalisation)
        func read(_ mean: String, _ std: String, channels: Int = 3) -> String {
            message {
                let weights = ModelWeights(layout: try .leNet5(channels: channels), seed: 1, run: 0)
                try Safetensors.write(weights.tensors, metadata: ["mean": mean, "std": std], to: path)
                _ = try ModelWeights.read(path)
            }
        }
        #expect(read("0.1,0.2,0.3", "1,2,3").isEmpty && read("0.1", "1", channels: 1).isEmpty)
        let count = "mean and std in its metadata are those of"
        #expect(read("0.1", "1") == "\(path): \(count) 1 channel, the network takes 3 channels")
        #expect(read("1, 2", "1, 2", channels: 1) == "\(path): \(count) 2 channels, the network takes 1 channel")
        #expect(read("1, 2, 3", "1, 2").contains("mean is that of 3 channels, std that of 2 channels"))
        #expect(read("1, 2, 3", "1, 0, 2").contains("std is 0.0; a number above 0 is needed"))
        #expect(read("1, 2,", "1, 2, 3").contains("mean is \"1, 2,\""))
        #expect(read("1, x, 2", "1, 2, 3").contains("mean is \"1, x, 2\""))
        // A layered network knows its number of values alone.
        let linear = try #require(ModelLibrary.model("linear"))
        let flat = ModelWeights(
            layout: try ParameterLayout(linear, samples: .init(channels: 3, height: 1, width: 2), classes: 2), seed: 1,
            run: 0)
        try flat.write(to: path, normalisation: normalisation, steps: 1)
        #expect(try ModelWeights.read(path).normalisation == normalisation)
        try flat.write(to: path, normalisation: Normalisation(Self.statistics + [Self.statistics[0]]), steps: 1)
        #expect(
            message { _ = try ModelWeights.read(path) }
                == "\(path): \(count) 4 channels, the network takes samples of 6 values")
    }

    @Test func normalisationsThatDoNotFitAreRefused() throws {
        let backend = CPUBackend()
        let store = try SampleStore(
            pixels: bytes(12), labels: [0, 1], shape: .init(channels: 3, height: 1, width: 2), classes: 2, on: backend)
        let model = try #require(ModelLibrary.model("linear"))
        let weights = ModelWeights(
            layout: try ParameterLayout(model, samples: store.shape, classes: 2), seed: 1, run: 0)
        func refuse(_ normalisation: Normalisation, _ words: String) {
            let trained = message {
                _ = try Trainer(store, model: model, normalisation: normalisation, on: backend).train(
                    [TrainingRun(subset: [0, 1], seed: 1, run: 0)], options: TrainingOptions(length: .steps(1)))
            }
            let tested = message {
                _ = try Evaluator(store, normalisation: normalisation, on: backend).evaluate([weights])
            }
            #expect(trained == tested && trained.contains(words), "\(trained)")
        }
        refuse(Normalisation(mean: 0, std: 1), "those of 1 channel, the samples have 3 channels")
        let fine = ChannelStatistics(mean: 0, std: 1)
        // A scale of 0, which makes all samples equal, and one that is infinite.
        for std in [1e300, 1e-300] {
            refuse(Normalisation([fine, ChannelStatistics(mean: 1, std: std), fine]), "std \(std) in float32")
        }
    }

    /// Numbers of any scale, which no bound for bytes holds for: sums that overflow are seen, others are no fault.
    @Test(arguments: TestBackends.names) func largeNumbersThatOverflowInATestAreNoticed(name: String) throws {
        let backend = try TestBackends.make(name)
        let shape = SampleShape(channels: 2, height: 1, width: 4)
        let model = try #require(ModelLibrary.model("mlp"))
        let weights = ModelWeights(layout: try ParameterLayout(model, samples: shape, classes: 3), seed: 1, run: 0)
        func isFinite(_ largest: Float, std: Double) throws -> Bool {
            // One value of one sample, of the second channel and negative.
            var values = (0..<20 * shape.featureCount).map { Float($0 % 7) }
            values[13 * shape.featureCount + 6] = -largest
            let store = try SampleStore(
                floats: values, labels: (0..<20).map { UInt8($0 % 3) }, shape: shape, classes: 3, on: backend)
            let normalisation = Normalisation([0, 1].map { _ in ChannelStatistics(mean: 0, std: std) })
            return try Evaluator(store, normalisation: normalisation, on: backend).evaluate([weights]).results[0]
                .isFinite
        }
        #expect(try !isFinite(3e38, std: 1e-3) && !isFinite(1e37, std: 1e-2))
        #expect(try isFinite(3e38, std: 1e30) && isFinite(1e20, std: 1))
    }

    @Test func numbersThatAreNotFiniteAreRefused() throws {
        let shape = SampleShape(channels: 2, height: 1, width: 2)
        for bad in [Float.nan, .infinity, -.infinity] {
            let values: [Float] = [1, 2, 3, 4, 5, 6, bad, 8]
            let refusal = message {
                _ = try SampleStore(floats: values, labels: [0, 1], shape: shape, classes: 2, on: CPUBackend())
            }
            #expect(refusal == "sample 1 holds \(bad); finite float32 numbers are needed")
            let set = SampleSet(valid: .floats(values), count: 2, shape: shape, labels: [0, 1])
            let error = #expect(throws: DatasetError.self) { try Dataset(name: "x", train: set, test: set) }
            #expect(error?.description.contains("not a finite number") == true)
        }
    }
}
