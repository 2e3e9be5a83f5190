import Compute
import Datasets
import Foundation
import Testing

@testable import Networks
import TestSupport

/// A Python with PyTorch and safetensors, as tools/fixtures uses it; nil if there is none.
private let pythonWithTorch: String? = {
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    let candidates = [
        ProcessInfo.processInfo.environment["COPPICE_PYTHON"], "\(checkout)/.venv/peers/bin/python",
        "\(checkout)/.venv/recipes/bin/python",
    ]
    return candidates.compactMap(\.self).first { python in
        !python.isEmpty && FileManager.default.isExecutableFile(atPath: python)
            && (try? run(python, ["-c", "import torch, safetensors.torch"]))?.status == 0
    }
}()

private func run(_ program: String, _ arguments: [String], in folder: String? = nil) throws -> (
    status: Int32, output: Data, errors: String
) {
    let files = try TemporaryFolder()
    defer { withExtendedLifetime(files) {} }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.standardInput = FileHandle.nullDevice
    // Output goes to files: nothing reads a pipe while the child runs, and a full pipe would block it.
    let (out, err) = (URL(fileURLWithPath: try files.file("out", [])), URL(fileURLWithPath: try files.file("err", [])))
    process.standardOutput = try FileHandle(forWritingTo: out)
    process.standardError = try FileHandle(forWritingTo: err)
    try process.run()
    process.waitUntilExit()
    return (
        process.terminationStatus, try Data(contentsOf: out), String(decoding: try Data(contentsOf: err), as: UTF8.self)
    )
}

/// The modules of `coppice model show --torch` in PyTorch itself.
@Suite struct PrintedModuleTests {
    private static let (samples, classes) = (40, 7)

    /// Each with the samples that it is tested on: all kinds of layers, and batch norm of planes and of vectors.
    private static var models: [(ModelSpec, SampleShape)] {
        get throws {
            let library: [(String, SampleShape)] = [
                ("lenet5", .init(height: 32, width: 32)), ("lenet5-1998", .init(channels: 3, height: 32, width: 32)),
                ("lenet5-wide2", .init(channels: 2, height: 32, width: 32)),
                ("mlp", .init(channels: 3, height: 9, width: 6)), ("linear", .vector(11)),
                ("autoencoder", .init(channels: 3, height: 5, width: 7)),
            ]
            let own: [(ModelSpec, SampleShape)] = [
                (ConvolutionalFixture.model("odd"), .init(channels: 2, height: 13, width: 11)),
                (
                    ModelSpec(
                        name: "vectors",
                        layers: [.batchNorm, .linear(.count(9)), .batchNorm, .relu, .linear(.classes)]), .vector(12)
                ),
            ]
            return try library.map { (try #require(ModelLibrary.model($0.0)), $0.1) } + own
        }
    }

    /// Reads each weights file into the module of its name and computes logits from samples that are as the module's comment
    /// says: normalised by the mean and the std of the file's metadata.
    private static let script = """
        import importlib, json, sys
        import torch
        from safetensors import safe_open
        from safetensors.torch import load_file

        found = {}
        for name in sys.argv[1:]:
            model = importlib.import_module(name).model
            model.load_state_dict(load_file(f"{name}.safetensors"), strict=True)
            model.eval()
            case = load_file(f"{name}-case.safetensors")
            with safe_open(f"{name}.safetensors", "pt") as file:
                metadata = file.metadata()
            samples, logits = case["samples"], case["logits"]
            channels = [1, -1] + [1] * (samples.dim() - 2)
            mean, std = (
                torch.tensor([float(x) for x in metadata[key].split(",")]).reshape(channels) for key in ("mean", "std")
            )
            with torch.no_grad():
                theirs = model((samples - mean) / std)
            found[name] = {
                "difference": (theirs - logits).abs().max().item(), "spread": logits.std().item(),
                "sameClasses": bool((theirs.argmax(1) == logits.argmax(1)).all()), "shape": list(theirs.shape),
            }
        print(json.dumps(found))
        """

    private struct Found: Decodable {
        var difference: Double
        var spread: Double
        var sameClasses: Bool
        var shape: [Int]
    }

    @Test(.enabled(if: pythonWithTorch != nil, "no Python with PyTorch: COPPICE_PYTHON or .venv/peers"))
    func thePrintedModulesTakeTheWeightsAndPredictAlike() throws {
        let python = try #require(pythonWithTorch)
        let folder = try TemporaryFolder()
        let models = try Self.models
        for (index, (model, shape)) in models.enumerated() {
            try write(model, shape, as: "model\(index)", to: folder)
        }
        _ = try folder.file("compare.py", Array(Self.script.utf8))
        let outcome = try run(
            python, ["-B", "compare.py"] + models.indices.map { "model\($0)" }, in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let found = try JSONDecoder().decode([String: Found].self, from: outcome.output)
        for (index, (model, shape)) in models.enumerated() {
            let result = try #require(found["model\(index)"])
            let outputs = model.isAutoencoder ? shape.featureCount : Self.classes
            #expect(result.shape == [Self.samples, outputs], "\(model.name)")
            #expect(result.difference < 1e-4 && result.spread > 0.01, "\(model.name): \(result)")
            // The position of the largest value means nothing in a reconstruction.
            #expect(result.sameClasses || model.isAutoencoder, "\(model.name)")
        }
    }

    /// Trains a model for a few steps and writes its module, its weights, and logits of the samples that it was trained on:
    /// of an autoencoder, their reconstructions.
    private func write(_ model: ModelSpec, _ shape: SampleShape, as name: String, to folder: TemporaryFolder) throws {
        let backend = CPUBackend()
        let (count, size) = (Self.samples, shape.featureCount)
        let pixels = (0..<count * size).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }
        let values = pixels.map { Float($0) / 255 }
        let labels = (0..<count).map { UInt8($0 % Self.classes) }
        let store =
            model.side == nil
            ? try SampleStore(floats: values, labels: labels, shape: shape, classes: Self.classes, on: backend)
            : try SampleStore(
                pixels: pixels, labels: labels, shape: shape, classes: Self.classes, on: backend)
        let normalisation = Normalisation(
            (0..<shape.channels).map { ChannelStatistics(mean: 0.4 + 0.1 * Double($0), std: 0.3 + 0.05 * Double($0)) })
        let trained = try Trainer(store, model: model, normalisation: normalisation, on: backend).train(
            [TrainingRun(subset: Array(0..<count), seed: 2, run: 0)],
            options: TrainingOptions(length: .epochs(2), batchSize: 16, learningRate: 0.003))
        let weights = trained.weights[0]
        try weights.write(to: folder / "\(name).safetensors", normalisation: normalisation, steps: 6)
        let description = try ModelDescription(model, samples: shape, classes: Self.classes)
        _ = try folder.file("\(name).py", Array(description.pyTorch.utf8))

        let logits =
            model.isAutoencoder
            ? try Embedder(
                StoredWeights(weights: weights, normalisation: normalisation, notes: []), on: backend
            ).reconstruct(store)
            : try Self.logits(weights, store, normalisation, on: backend)
        let isVector = shape.channels == 1 && shape.height == 1
        let extents = isVector ? [count, size] : [count, shape.channels, shape.height, shape.width]
        try Safetensors.write(
            [
                "samples": Tensor(shape: extents, values: values),
                "logits": Tensor(shape: [count, logits.count / count], values: logits),
            ], metadata: [:], to: folder / "\(name)-case.safetensors")
    }

    /// Logits of all samples of a store, [sample][class].
    private static func logits(
        _ weights: ModelWeights, _ store: SampleStore, _ normalisation: Normalisation, on backend: any Backend
    ) throws -> [Float] {
        let count = store.count
        let schedule = try StepSchedule(capacity: 1, replicas: 1, on: backend)
        try schedule.load([0..<count], firstStep: 0, learningRate: 1, on: backend)
        let network = try ModelParameters([weights], on: backend).makeNetwork(
            batchSize: count, schedule: schedule, on: backend)
        let source = try SampleSource(
            store, order: try backend.makeBuffer((0..<count).map(Int32.init), label: "order"), orderStride: 0,
            normalisation: normalisation, on: backend)
        try network.predict(
            source, into: try backend.makeBuffer(of: Int32.self, count: count, label: "predictions"), stride: count)
        let (flat, tile) = (try backend.read(network.logits), backend.tile)
        return (0..<count * classes).map { (place: Int) -> Float in
            let (sample, logit) = (place / classes, place % classes)
            return flat[(sample / tile * classes + logit) * tile + sample % tile]
        }
    }
}
