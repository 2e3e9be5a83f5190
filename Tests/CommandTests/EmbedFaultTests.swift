import Datasets
import Foundation
import Networks
import TestSupport
import Testing

/// The sentences that `coppice embed` ends with, and the options of training that it shares with `train`.
@Suite struct EmbedFaultTests {
    private static let quick = ["--device", "cpu", "--quiet"]

    private func features(_ folder: TemporaryFolder, width: Int = 6) throws -> [String] {
        try writeNoise(count: 9, dimensions: width, to: folder / "f.npy")
        return ["--features", folder / "f.npy", "--out", folder / "x.npy"] + Self.quick
    }

    @Test(arguments: ["--out", "--save", "--weights", "--features"])
    func anEmptyNameIsAFaultOfUsage(option: String) throws {
        let folder = try TemporaryFolder()
        try writeNoise(count: 9, dimensions: 6, to: folder / "f.npy")
        var names = ["--out": folder / "x.npy", "--features": folder / "f.npy"]
        names[option] = ""
        expectComplaint(
            try coppice(
                ["embed", "--with", "autoencoder", "--size", "2"]
                    + names.flatMap { [$0.key, $0.value] } + Self.quick),
            code: 64, mentions: ["\(option) is empty; a file's name is needed"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["f.npy"])
    }

    /// Files of PyTorch do not say what size their code has: their tensors do.
    @Test func weightsOfPyTorchMayHaveACodeOfAnySize() throws {
        let folder = try TemporaryFolder()
        let rows = try features(folder, width: 40)
        let embed = ["embed", "--with", "autoencoder", "--weights", folder / "w.safetensors"] + rows
        for (size, others) in [(5, 4), (33, 64)] {
            let model = ModelLibrary.autoencoder(size: size)
            let weights = ModelWeights(layout: try .init(model, samples: .vector(40), classes: 1), seed: 1, run: 0)
            try Safetensors.write(weights.tensors, metadata: [:], to: folder / "w.safetensors")
            for options in [[], ["--size", "\(size)"]] {
                #expect(try coppice(embed + options).status == 0)
                #expect(try NumPyArray.read(folder / "x.npy").shape == [9, size])
            }
            expectComplaint(
                try coppice(embed + ["--size", "\(others)"]), code: 65,
                mentions: [
                    "w.safetensors: the code of autoencoder-\(size) has \(size) values, and --size is \(others); "
                        + "give --size \(size), or leave --size out"
                ])
        }
    }

    @Test func weightsOfAnotherMethodNameTheirs() throws {
        let folder = try TemporaryFolder()
        let rows = try features(folder)
        let layout = try ParameterLayout(
            ModelLibrary.leNet5, samples: SampleShape(height: 32, width: 32), classes: 3)
        try ModelWeights(layout: layout, seed: 1, run: 0).write(
            to: folder / "w.safetensors", normalisation: .none(channels: 1), steps: 0)
        expectComplaint(
            try coppice(["embed", "--with", "autoencoder", "--weights", folder / "w.safetensors"] + rows), code: 65,
            mentions: ["holds weights of lenet5, and those of autoencoder are needed; --with lenet5 takes them"])
    }

    /// A fault of a layer is named with the layer and its place in the file.
    @Test(arguments: [
        (
            "[flatten, linear: 4, linear: inputs,\n  relu]",
            ":3:3: layer 4 of mine (relu) comes after linear: inputs, which must be the last layer of an autoencoder"
        ),
        (
            "[flatten, linear: 4,\n  linear: classes]",
            ":3:3: mine is a classifier: its last layer, layer 3, is linear: classes, and that of an autoencoder is "
                + "linear: inputs"
        ),
        ("[flatten,\n  linear: inputs]", ":3:3: mine has no code: a linear layer"),
        (
            "[flatten, linear: 2, relu,\n  linear: 2, linear: inputs]",
            ":3:3: the code of mine is ambiguous: layers 2 and 4 both have 2 values"
        ),
        ("[flatten,\n  linear: 9, linear: inputs]", ":3:3: a code of 9 values is wider than the samples, which have 6"),
        ("[flatten, linear: 2,\n  max_pool: 2, linear: inputs]", ":3:3: mine: layer 3 (max_pool) takes planes"),
        ("[flatten, linear: 2,\n  linear: inputs, linear: inputs]", ":3:3: mine: layer 3 (linear) reconstructs"),
    ])
    func aFaultOfAModelHasItsLine(layers: String, sentence: String) throws {
        let folder = try TemporaryFolder()
        let model = try folder.file("mine.yaml", Array("name: mine\nlayers: \(layers)\n".utf8))
        expectComplaint(
            try coppice(["embed", "--with", model] + features(folder)), code: 65, mentions: ["mine.yaml" + sentence])
        #expect(!FileManager.default.fileExists(atPath: folder / "x.npy"))
    }

    /// If training diverges, or sums overflow, the largest value is named with its place.
    @Test func valuesThatAreTooLargeAreNamed() throws {
        let folder = try TemporaryFolder()
        var rows = try writtenNoise(folder)
        rows[3 * 6 + 2] = -1e30
        try NumPy.write(rows, shape: [9, 6], to: folder / "huge.npy")
        let place = "huge.npy has -1e+30 in row 3, column 2 (counted from 0)"
        let embed = ["embed", "--with", "autoencoder", "--size", "2", "--out", folder / "x.npy"] + Self.quick
        expectComplaint(
            try coppice(embed + ["--features", folder / "huge.npy"]), code: 65,
            mentions: [
                "autoencoder-2 diverged at step 1", place, "; give --standardize, or try a smaller --learning-rate",
            ])
        #expect(try coppice(embed + ["--features", folder / "huge.npy", "--standardize"]).status == 0)
        // Weights of the usual rows.
        let weights = folder / "w.safetensors"
        #expect(try coppice(embed + ["--features", folder / "f.npy", "--save", weights, "--epochs", "1"]).status == 0)
        rows[3 * 6 + 2] = -3e38
        try NumPy.write(rows, shape: [9, 6], to: folder / "huge.npy")
        try scale(weights, by: 1e3)
        expectComplaint(
            try coppice(
                [
                    "embed", "--with", "autoencoder", "--out", folder / "x.npy", "--features", folder / "huge.npy",
                    "--weights", weights,
                ] + Self.quick), code: 65,
            mentions: ["w.safetensors: the sums of autoencoder-2 overflow", "huge.npy has -3e+38 in row 3, column 2"])
        expectComplaint(
            try coppice(
                [
                    "embed", "--with", "pca", "--size", "2", "--out", folder / "x.npy", "--features",
                    folder / "huge.npy",
                ] + Self.quick), code: 65, mentions: ["huge.npy: row 3, column 2 (counted from 0) is -3"])
    }

    private func writtenNoise(_ folder: TemporaryFolder) throws -> [Float] {
        try writeNoise(count: 9, dimensions: 6, to: folder / "f.npy")
        return try NumPyArray.read(folder / "f.npy").floats
    }

    private func scale(_ path: String, by factor: Float) throws {
        let contents = try Safetensors.read(path)
        let tensors = contents.tensors.mapValues { Tensor(shape: $0.shape, values: $0.values.map { $0 * factor }) }
        try Safetensors.write(tensors, metadata: contents.metadata, to: path)
    }

    // MARK: - Options of training

    /// Each option changes the training.
    @Test func optionsOfTrainingReachTheTrainer() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 40, test: 10, height: 12, width: 10).write(to: folder / "data")
        var results: [[Float]] = []
        for options in [
            [], ["--optimizer", "sgd"], ["--optimizer", "sgd", "--momentum", "0.9"], ["--weight-decay", "0.1"],
            ["--optimizer", "adamw"], ["--schedule", "cosine"], ["--augment", "shift=2,flip"], ["--augment", "flip"],
        ] {
            let outcome = try coppice(
                [
                    "embed", "--with", "autoencoder", "--size", "2", "--epochs", "2", "--batch", "8", "--data",
                    folder / "data", "--dataset", "shapes", "--out", folder / "x.npy",
                ] + Self.quick + options)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            results.append(try NumPyArray.read(folder / "x.npy").floats)
        }
        #expect(Set(results).count == results.count)
    }

    /// LeNet-5 is the one that `train` trains with the same options.
    @Test func leNet5TakesTheOptionsOfTrain() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 40, test: 10).write(to: folder / "data")
        let options =
            [
                "--data", folder / "data", "--epochs", "2", "--optimizer", "sgd", "--momentum", "0.5", "--weight-decay",
                "0.01", "--schedule", "cosine", "--augment", "shift=1,flip",
            ] + Self.quick
        let embedded = try coppice(
            ["embed", "--with", "lenet5", "--out", folder / "x.npy", "--save", folder / "a"] + options)
        #expect(embedded.status == 0, "\(embedded.stderr)")
        #expect(try coppice(["train", "--save", folder / "b"] + options).status == 0)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: folder / "a"))
                == Data(contentsOf: URL(fileURLWithPath: folder / "b")))
    }

    @Test(arguments: [
        ("autoencoder", ["--augment", "flip"], "--augment is for images, and --features are none"),
        ("pca", ["--optimizer", "sgd"], "--optimizer is for networks, and --with pca has none"),
        ("pca", ["--schedule", "cosine"], "--schedule is for networks, and --with pca has none"),
        ("autoencoder", ["--weights", "w", "--weight-decay", "0"], "--weight-decay is for a training"),
    ])
    func optionsOfTrainingThatHaveNoEffectAreRefused(method: String, options: [String], sentence: String) throws {
        let folder = try TemporaryFolder()
        expectComplaint(
            try coppice(["embed", "--with", method] + features(folder) + options), code: 64, mentions: [sentence])
    }

    @Test func mistakesInThemAreErrorsOfUsage() throws {
        let folder = try TemporaryFolder()
        let outcome = try coppice(["embed", "--with", "autoencoder", "--momentum", "0.9"] + features(folder))
        #expect(
            outcome.status == 64 && outcome.stderr.contains("--momentum is for --optimizer sgd, and adam has none."))
        let bench = try coppice("bench", "--stage", "training", "--model", "autoencode")
        #expect(bench.status == 64 && bench.stderr.contains("the nearest is autoencoder"), "\(bench.stderr)")
    }
}
