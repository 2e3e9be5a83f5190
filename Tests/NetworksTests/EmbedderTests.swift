import Datasets
import Foundation
import Testing

@testable import Compute
@testable import Networks
import TestSupport

/// Embeddings by trained networks.
@Suite struct EmbedderTests {
    private static let count = 150

    /// Points near a plane in nine dimensions: two numbers make each of them, but for a little noise.
    private static let values: [Float] = {
        var state: UInt64 = 5
        func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 33) / Double(1 << 31)
        }
        return (0..<count).flatMap { _ -> [Float] in
            let (a, b) = (next(), next())
            return (0..<9).map { (column: Int) -> Float in
                let first: Double = a * Double(column % 3) / 3
                let second: Double = b * Double(column % 2)
                return Float(0.1 * Double(column) + first + second + 0.01 * next())
            }
        }
    }()

    private static func store(_ count: Int = count, on backend: any Backend) throws -> SampleStore {
        try SampleStore(
            floats: Array(values.prefix(count * 9)), labels: [UInt8](repeating: 0, count: count),
            shape: .init(channels: 3, height: 1, width: 3), classes: 1, on: backend)
    }

    private static func recipe(_ size: Int = 2, epochs: Int = 40) throws -> EmbeddingRecipe {
        try EmbeddingRecipe(
            ModelLibrary.autoencoder(size: size),
            training: TrainingOptions(length: .epochs(epochs), batchSize: 16, learningRate: 0.005), seed: 3)
    }

    private static func fit(_ recipe: EmbeddingRecipe, _ store: SampleStore, on backend: any Backend) throws -> Embedder
    {
        try Embedder.fit(store, recipe, normalisation: .none(channels: 3), on: backend)
    }

    @Test func aCodeOfTwoValuesHoldsAPlane() throws {
        let backend = CPUBackend()
        let store = try Self.store(on: backend)
        let embedder = try Self.fit(Self.recipe(), store, on: backend)
        #expect(embedder.size == 2 && embedder.steps == 40 * 10 && embedder.seconds > 0 && embedder.isAutoencoder)
        let error = try embedder.error(of: store)
        let explained = try #require(error.explainedVariance)
        #expect(explained > 0.98 && explained < 1, "\(error)")
        // One value is not enough, and without training nothing is reconstructed.
        let line = try Self.fit(Self.recipe(1), store, on: backend).error(of: store)
        #expect(try #require(line.explainedVariance) < explained - 0.01, "\(line)")

        // The errors equal those of plain loops over the reconstructions.
        let outputs = try embedder.reconstruct(store)
        var (squares, variance) = (0.0, 0.0)
        for column in 0..<9 {
            let own = (0..<Self.count).map { Double(Self.values[$0 * 9 + column]) }
            let mean = own.reduce(0, +) / Double(Self.count)
            for row in 0..<Self.count {
                let difference: Double = own[row] - Double(outputs[row * 9 + column])
                squares += difference * difference
                variance += (own[row] - mean) * (own[row] - mean)
            }
        }
        #expect(abs(error.meanSquaredError - squares / Double(9 * Self.count)) < 1e-12)
        #expect(abs(explained - (1 - squares / variance)) < 1e-9)
    }

    @Test(arguments: TestBackends.names) func rowsHaveTheirBitsInAnyCompany(backendName: String) throws {
        let backend = try TestBackends.make(backendName)
        let store = try Self.store(on: backend)
        let recipe = try Self.recipe(3, epochs: 2)
        let embedder = try Self.fit(recipe, store, on: backend)
        let all = try embedder.embed(store)
        #expect(all.count == Self.count * 3 && all.allSatisfy(\.isFinite))
        #expect(Set(all).count > Self.count)
        let some = [149, 0, 63, 64, 7]
        #expect(try embedder.embed(store, rows: some) == some.flatMap { all[3 * $0..<3 * $0 + 3] })
        #expect(try embedder.embed(store, rows: []) == [])
        let first = try Self.store(7, on: backend)
        #expect(try embedder.embed(first) == Array(all.prefix(21)))
        #expect(try Self.fit(recipe, store, on: backend).weights == embedder.weights)
        var other = recipe
        other.run = 1
        #expect(try Self.fit(other, store, on: backend).weights != embedder.weights)
        #expect(
            throws: NetworkError.self, "row 150 is outside the 150 samples"
        ) { try embedder.embed(store, rows: [150]) }
        #expect(throws: NetworkError.self) { try embedder.embed(store, progress: { _ in false }) }
    }

    /// The embedding of a sample is the input of the last layer, so applying that layer to it gives the predictions.
    @Test(arguments: TestBackends.names) func aClassifiersLastLayerTakesItsEmbedding(backendName: String) throws {
        let backend = try TestBackends.make(backendName)
        let store = try Fixture.store(on: backend)
        let normalisation = try Fixture.expected().normalisation
        let weights = try ModelWeights(tensors: Fixture.tensors("trained.safetensors"))
        let embedder = try Embedder(
            StoredWeights(weights: weights, normalisation: normalisation, notes: []), on: backend)
        #expect(embedder.size == 84 && !embedder.isAutoencoder && embedder.seconds == 0)
        let rows = Array(0..<70)
        let embedded = try embedder.embed(store, rows: rows)
        #expect(embedded.allSatisfy { $0 >= 0 })
        let (kernel, bias) = (weights["fc2.weight"], weights["fc2.bias"])
        let answers = rows.map { row -> Int32 in
            let logits = (0..<10).map { (out: Int) -> Float in
                var sum = bias[out]
                for input in 0..<84 { sum += embedded[row * 84 + input] * kernel[out * 84 + input] }
                return sum
            }
            return Int32(logits.indices.max { logits[$0] < logits[$1] } ?? -1)
        }
        let predicted = try Evaluator(store, normalisation: normalisation, on: backend).predictions([weights])
        #expect(answers == Array(predicted.classes[0].prefix(70)))
        #expect(throws: NetworkError.self) { try embedder.reconstruct(store) }
        #expect(throws: NetworkError.self) { try embedder.error(of: store) }
    }

    @Test func whatDoesNotFitIsSaidInASentence() throws {
        let backend = CPUBackend()
        let store = try Self.store(on: backend)
        func refusal(_ body: () throws -> Void) -> String {
            do {
                try body()
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            refusal { _ = try Self.fit(Self.recipe(10), store, on: backend) }
                == "a code of 10 values is wider than the samples, which have 9; 1 to 9 are accepted")
        #expect(try Self.fit(Self.recipe(9, epochs: 0), store, on: backend).size == 9)
        let embedder = try Self.fit(Self.recipe(2, epochs: 0), store, on: backend)
        let wider = try SampleStore(
            floats: [Float](repeating: 1, count: 12), labels: [0], shape: .vector(12), classes: 1, on: backend)
        #expect(
            refusal { _ = try embedder.embed(wider) }
                == "the weights of autoencoder-2 take samples of 9 values, and these have 12 values")
        let narrow = try SampleStore(
            floats: [Float](repeating: 1, count: 9), labels: [0], shape: .vector(9), classes: 1, on: backend)
        #expect(refusal { _ = try embedder.embed(narrow) }.contains("those of 3 channels, the samples have 1 channel"))
        #expect(
            refusal { _ = try EmbeddingRecipe(.classifier, size: 50, seed: 1) }.contains("lenet5 has 84 values, not 50")
        )
        #expect(try EmbeddingRecipe(.autoencoder, size: 12, epochs: 3, seed: 1).model.name == "autoencoder-12")
        #expect(try EmbeddingRecipe(.autoencoder, seed: 1).size == 64)
        #expect(
            refusal {
                _ = try Embedder(
                    StoredWeights(
                        weights: ModelWeights(
                            layout: .init(#require(ModelLibrary.model("linear")), samples: .vector(3), classes: 2),
                            seed: 1,
                            run: 0), notes: []), on: backend)
            }.hasPrefix("linear has no linear layer before its last one"))
        // A training that diverges gives no embedding, and neither do sums that overflow.
        var steep = try Self.recipe(2, epochs: 5)
        steep.training.learningRate = 1e30
        #expect(refusal { _ = try Self.fit(steep, store, on: backend) }.contains("autoencoder-2 diverged at step"))
        let huge = ModelWeights(layout: embedder.weights.layout, seed: 1, run: 0).tensors.mapValues {
            Tensor(shape: $0.shape, values: $0.values.map { $0 * 1e20 })
        }
        let overflowing = try Embedder(
            StoredWeights(
                weights: ModelWeights(embedder.weights.layout.model, tensors: huge),
                normalisation: .none(channels: 3), notes: []), on: backend)
        #expect(refusal { _ = try overflowing.embed(store) }.contains("overflow for sample 0"))
    }

    /// Weights of the library's autoencoder with a code of another size have their own name and layers; a file with
    /// neither is read as the expected model.
    @Test func weightsOfEverySizeAreReadBack() throws {
        let folder = try TemporaryFolder()
        let path = folder / "w.safetensors"
        for size in [1, 64, 65] {
            let model = ModelLibrary.autoencoder(size: size)
            let weights = ModelWeights(layout: try .init(model, samples: .vector(9), classes: 1), seed: 1, run: 0)
            try weights.write(to: path, normalisation: .none(channels: 1), steps: 0)
            #expect(try ModelWeights.read(path).weights == weights)
            #expect(try Safetensors.read(path).metadata["model"] == model.name)
            try Safetensors.write(weights.tensors, metadata: [:], to: path)
            #expect(try ModelWeights.read(path, unnamed: model).weights == weights)
            #expect(throws: NetworkError.self) { try ModelWeights.read(path) }
        }
    }
}
