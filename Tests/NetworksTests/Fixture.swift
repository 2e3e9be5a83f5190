import Compute
import Foundation
import OpenCL

@testable import Networks

/// The files that tools/fixtures made with PyTorch.
enum Fixture {
    /// The folder Tests/Fixtures/lenet of this checkout.
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/lenet").path

    /// expected.json.
    struct Expected: Decodable {
        struct Step: Decodable {
            var weights: String
            var tensors: String
            var first: Int
            var count: Int
            var loss: Double
            var logits: [[Double]]
        }
        struct Trace: Decodable {
            var batch_size: Int
            var learning_rate: Double
            var losses: [Double]
        }
        struct Evaluation: Decodable {
            var first: Int
            var count: Int
            var logits: [[Double]]
        }
        var mean: Double
        var std: Double
        var steps: [Step]
        var trace: Trace
        var evaluation: Evaluation
        var normalisation: Normalisation { Normalisation(mean: mean, std: std) }
    }

    static func expected() throws -> Expected {
        try JSONDecoder().decode(Expected.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/expected.json")))
    }

    static func tensors(_ name: String) throws -> [String: Tensor] {
        try Safetensors.read(folder + "/" + name).tensors
    }

    /// The 600 synthetic images and their labels; the npy files end with the values.
    static func store(on backend: any Backend) throws -> SampleStore {
        func values(_ name: String, _ count: Int) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)).suffix(count))
        }
        return try SampleStore(
            pixels: values("images.npy", 600 * 1024), labels: values("labels.npy", 600),
            shape: .init(height: 32, width: 32), classes: 10, on: backend)
    }
}

/// A network over the fixture's images that takes them in their own order.
struct FixtureNetwork {
    let backend: any Backend
    let store: SampleStore
    let normalisation: Normalisation
    let parameters: ModelParameters
    let network: any Network
    private let images: SampleSource

    /// Replicas of the same weights; the schedule's batches are `ranges` of images.
    init(
        weights name: String, replicas: Int = 1, ranges: [Range<Int>], learningRate: Double = 0.001,
        training: Bool = true, on backend: any Backend
    ) throws {
        self.backend = backend
        store = try Fixture.store(on: backend)
        normalisation = try Fixture.expected().normalisation
        let weights = try ModelWeights(tensors: Fixture.tensors(name))
        parameters = try ModelParameters(Array(repeating: weights, count: replicas), on: backend)
        let schedule = try StepSchedule(capacity: ranges.count, replicas: replicas, on: backend)
        try schedule.load(ranges, firstStep: 0, learningRate: learningRate, on: backend)
        network = try parameters.makeNetwork(
            batchSize: ranges.map(\.count).max() ?? 1, schedule: schedule,
            trainingSteps: training ? ranges.count : nil, on: backend)
        images = try SampleSource(
            store, order: try backend.makeBuffer((0..<600).map(Int32.init), label: "order"), orderStride: 0,
            normalisation: normalisation, on: backend)
    }

    /// A training step over the next batch.
    func step() throws {
        try network.backpropagate(images)
        try network.update()
    }

    /// The predicted classes of the next batch, which has `count` images.
    func predict(_ count: Int) throws -> [Int32] {
        let predictions = try backend.makeBuffer([Int32](repeating: -1, count: 600), label: "predictions")
        try network.predict(images, into: predictions, stride: 600)
        return try backend.read(predictions).filter { $0 >= 0 }
    }

    /// The logits of the last forward pass: [sample][class] of replica 0.
    func logits(_ count: Int) throws -> [[Float]] {
        let (tile, classes) = (backend.tile, 10)
        let flat = try backend.read(network.logits)
        return (0..<count).map { sample in
            (0..<classes).map { flat[(sample / tile * classes + $0) * tile + sample % tile] }
        }
    }
}
