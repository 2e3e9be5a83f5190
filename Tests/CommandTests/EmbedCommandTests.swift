import Datasets
import Foundation
import Networks
import TestSupport
import Testing

/// `coppice embed`
@Suite struct EmbedCommandTests {
    private static let quick = ["--device", "cpu", "--quiet", "--json"]

    /// 60 training images of 12x10 and 20 test images.
    private func writeImages(to folder: TemporaryFolder) throws -> [String] {
        try SyntheticData(train: 60, test: 20, height: 12, width: 10).write(to: folder / "data")
        return ["--data", folder / "data", "--dataset", "shapes"]
    }

    private func shape(_ path: String) throws -> [Int] {
        let array = try NumPyArray.read(path)
        #expect(array.type == .float32 && array.floats.allSatisfy(\.isFinite))
        return array.shape
    }

    @Test func anAutoencoderEmbedsWhatItWasTrainedOnAndOtherImages() throws {
        let folder = try TemporaryFolder()
        let data = try writeImages(to: folder)
        let embed = ["embed", "--with", "autoencoder"] + data + Self.quick
        let trained = try coppice(
            embed + ["--size", "3", "--epochs", "4", "--out", folder / "x.npy", "--save", folder / "w.safetensors"])
        #expect(trained.status == 0, "\(trained.stderr)")
        let report = try trained.json()
        #expect(report["rows"] as? Int == 60 && report["size"] as? Int == 3 && report["inputs"] as? Int == 120)
        #expect(report["method"] as? String == "autoencoder" && report["split"] as? String == "train")
        #expect(try shape(folder / "x.npy") == [60, 3])
        let explained = try #require(report["explained_variance"] as? Double)
        let ofComponents = try #require(report["pca_explained_variance"] as? Double)
        #expect(explained < ofComponents && ofComponents < 1 && ofComponents > 0.3, "\(report)")
        #expect(try #require(report["mean_squared_error"] as? Double) > 0)

        // The saved network gives the same rows, and needs no size; its file has the code's size in it.
        let again = try coppice(embed + ["--weights", folder / "w.safetensors", "--out", folder / "y.npy"])
        #expect(again.status == 0, "\(again.stderr)")
        #expect(try NumPyArray.read(folder / "y.npy").floats == NumPyArray.read(folder / "x.npy").floats)
        #expect(try again.json()["mean_squared_error"] as? Double == report["mean_squared_error"] as? Double)
        #expect(try again.json()["training_seconds"] == nil)
        let test = try coppice(
            embed + ["--weights", folder / "w.safetensors", "--out", folder / "t.npy", "--split", "test"])
        #expect(try shape(folder / "t.npy") == [20, 3])
        #expect(try #require(test.json()["pca_explained_variance"] as? Double) < ofComponents)
        let other = try coppice(
            embed + ["--size", "3", "--epochs", "4", "--out", folder / "z.npy", "--seed", "2"])
        #expect(other.status == 0)
        #expect(try NumPyArray.read(folder / "z.npy").floats != NumPyArray.read(folder / "x.npy").floats)

        // The output can be used as features by the other commands.
        for command in [
            ["cluster", "--k", "3", "--out", folder / "clusters"],
            ["select", "--k", "3", "--size", "10", "--out", folder / "kept.npy", "--strategy", "closest"],
        ] {
            let outcome = try coppice(command + ["--features", folder / "x.npy", "--device", "cpu", "--quiet"])
            #expect(outcome.status == 0, "\(outcome.stderr)")
        }
        #expect(try NumPyArray.read(folder / "kept.npy").shape == [10])
        let text = try coppice(
            ["embed", "--with", "autoencoder", "--weights", folder / "w.safetensors", "--out", folder / "y.npy"] + data
                + ["--device", "cpu"])
        #expect(
            text.stdout.hasPrefix("embedded 60 images of 120 values in 3 by autoencoder, ")
                && text.stdout.contains("; mean squared error 0.") && text.stdout.contains(", that of PCA "),
            "\(text.stdout)")
        #expect(text.stdout.filter(\.isNewline).count == 1)
    }

    /// LeNet-5 is trained as `train` does it.
    @Test func leNet5IsThatOfTrain() throws {
        let folder = try TemporaryFolder()
        let data = try writeImages(to: folder)
        let common = data + ["--epochs", "2", "--seed", "4", "--batch", "16"] + Self.quick
        let embedded = try coppice(
            ["embed", "--with", "lenet5", "--out", folder / "x.npy", "--save", folder / "w.safetensors"] + common)
        #expect(embedded.status == 0, "\(embedded.stderr)")
        #expect(try shape(folder / "x.npy") == [60, 84])
        #expect(try embedded.json()["explained_variance"] == nil)
        #expect(try coppice(["train", "--save", folder / "v.safetensors"] + common).status == 0)
        #expect(try Data(contentsOf: url(folder / "v.safetensors")) == Data(contentsOf: url(folder / "w.safetensors")))
        let given = try coppice(
            ["embed", "--with", "lenet5", "--out", folder / "y.npy", "--weights", folder / "v.safetensors"] + data
                + Self.quick)
        #expect(given.status == 0, "\(given.stderr)")
        #expect(try NumPyArray.read(folder / "y.npy").floats == NumPyArray.read(folder / "x.npy").floats)
        expectComplaint(
            try coppice(
                ["embed", "--with", "autoencoder", "--out", folder / "y.npy", "--weights", folder / "v.safetensors"]
                    + data + Self.quick), code: 65,
            mentions: ["holds weights of lenet5, and those of autoencoder are needed"])
    }

    private func url(_ path: String) -> URL { URL(fileURLWithPath: path) }

    @Test func principalComponentsNeedNoTraining() throws {
        let folder = try TemporaryFolder()
        let data = try writeImages(to: folder)
        let embed = ["embed", "--with", "pca", "--size", "5", "--out", folder / "x.npy"] + data + Self.quick
        let outcome = try coppice(embed)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let rows = try NumPyArray.read(folder / "x.npy").floats
        #expect(try shape(folder / "x.npy") == [60, 5])
        // Columns about 0, the first one with the largest variance, and all of them with the share that is reported.
        let variances = (0..<5).map { (column: Int) -> Double in
            let values = (0..<60).map { Double(rows[$0 * 5 + column]) }
            return values.reduce(0) { $0 + $1 * $1 }
        }
        #expect(variances == variances.sorted(by: >))
        let pixels = SyntheticData(train: 60, test: 20, height: 12, width: 10).images(60, run: 0).pixels
        let total = (0..<120).reduce(0.0) { (sum: Double, column: Int) -> Double in
            let values = (0..<60).map { Double(pixels[$0 * 120 + column]) }
            let mean: Double = values.reduce(0, +) / 60
            return sum + values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        let share = variances.reduce(0, +) / total
        #expect(abs(try #require(outcome.json()["explained_variance"] as? Double) - share) < 1e-4)
        let test = try coppice(embed + ["--split", "test"])
        #expect(try #require(test.json()["explained_variance"] as? Double) < share)
        #expect(try shape(folder / "x.npy") == [20, 5])
    }

    @Test func featuresAreEmbeddedWithoutLabels() throws {
        let folder = try TemporaryFolder()
        try writeNoise(count: 40, dimensions: 6, to: folder / "f.npy")
        try writeNoise(count: 9, dimensions: 6, to: folder / "t.npy")
        let model = try folder.file(
            "mine.yaml",
            Array("name: mine\nlayers: [flatten, linear: 8, relu, linear: 2, tanh, linear: 8, linear: inputs]\n".utf8))
        let common = ["--features", folder / "f.npy", "--standardize", "--out", folder / "x.npy"] + Self.quick
        for (method, size) in [("autoencoder", 4), ("pca", 4), (model, 2)] {
            let sized = method == model ? [] : ["--size", "4"]
            let embed = ["embed", "--with", method] + common + sized
            #expect(try coppice(embed).status == 0)
            #expect(try shape(folder / "x.npy") == [40, size])
            // The rows are the beginning of the training rows, scaled as these.
            let first = try NumPyArray.read(folder / "x.npy").floats.prefix(9 * size)
            let outcome = try coppice(embed + ["--split", "test", "--test-features", folder / "t.npy"])
            #expect(outcome.status == 0, "\(outcome.stderr)")
            #expect(try shape(folder / "x.npy") == [9, size])
            #expect(relativeError(try NumPyArray.read(folder / "x.npy").floats, Array(first)) < 1e-4, "\(method)")
        }
        // Weights know how their features were scaled.
        let save = ["embed", "--with", model, "--save", folder / "w.safetensors", "--epochs", "1"] + common
        #expect(try coppice(save).status == 0)
        let rows = try NumPyArray.read(folder / "x.npy").floats
        let plain = [
            "embed", "--with", model, "--weights", folder / "w.safetensors", "--features", folder / "f.npy", "--out",
            folder / "x.npy",
        ]
        #expect(try coppice(plain + Self.quick).status == 0)
        #expect(try NumPyArray.read(folder / "x.npy").floats == rows)
        expectComplaint(
            try coppice(["train", "--model", model]), code: 65,
            mentions: ["--model: mine reconstructs its input and predicts no classes; use it with coppice embed"])
    }

    @Test(arguments: [
        (["--size", "121"], 64, "--size is 121, and the images in shapes have only 120 values"),
        (["--size", "0"], 64, "--size is 0"), (["--epochs", "0"], 64, "--epochs is 0"),
        (["--with", "lenet5", "--size", "64"], 64, "an embedding by lenet5 has 84 values"),
        (["--with", "pca", "--size", "61"], 64, "the 60 images of 120 values in shapes have only 60 components"),
        (["--with", "pca", "--weights", "w"], 64, "--weights is for networks, and --with pca has none"),
        (["--with", "pca", "--epochs", "3"], 64, "--epochs is for networks"),
        (["--weights", "w", "--epochs", "3"], 64, "--epochs is for a training, and --weights gives a trained network"),
        (["--weights", "nowhere"], 66, "cannot read nowhere"),
        (["--test-features", "x.npy"], 64, "--test-features is for --features with --split test"),
        (["--learning-rate", "1e30", "--epochs", "3"], 65, "autoencoder diverged at step"),
        (["--normalize"], 64, "--normalize is for --features"),
        (["--with", "vae"], 64, "unknown method 'vae'; autoencoder, lenet5, pca, or a file of layers"),
        (["--with", "nowhere.yaml"], 66, "nowhere.yaml: cannot be read"),
    ])
    func whatCannotBeEmbeddedIsSaid(arguments: [String], code: Int32, sentence: String) throws {
        let folder = try TemporaryFolder()
        let data = try writeImages(to: folder)
        let method = arguments.contains("--with") ? [] : ["--with", "autoencoder"]
        let outcome = try coppice(
            ["embed", "--out", folder / "x.npy", "--device", "cpu", "--quiet"] + data + method + arguments)
        #expect(outcome.status == code && outcome.stdout.isEmpty, "\(outcome.stderr)")
        #expect(outcome.stderr.hasPrefix("coppice: ") && outcome.stderr.contains(sentence), "\(outcome.stderr)")
        #expect(!FileManager.default.fileExists(atPath: folder / "x.npy"))
    }

    @Test func featuresThatDoNotFitAreNamed() throws {
        let folder = try TemporaryFolder()
        var rows = (0..<30).map { Float($0 % 7) }
        rows[13] = .nan
        try NumPy.write(rows, shape: [6, 5], to: folder / "nan.npy")
        try writeNoise(count: 6, dimensions: 5, to: folder / "f.npy")
        try writeNoise(count: 6, dimensions: 4, to: folder / "t.npy")
        let out = ["--out", folder / "x.npy", "--device", "cpu", "--quiet"]
        for method in ["autoencoder", "pca"] {
            let embed = ["embed", "--with", method, "--size", "2"] + out
            expectComplaint(
                try coppice(embed + ["--features", folder / "nan.npy"]), code: 65,
                mentions: ["nan.npy", "row 2, column 3"])
            expectComplaint(
                try coppice(
                    embed + ["--features", folder / "f.npy", "--split", "test", "--test-features", folder / "t.npy"]),
                code: 65, mentions: ["t.npy: its rows have 4 values"])
            expectComplaint(
                try coppice(embed + ["--features", folder / "f.npy", "--split", "test"]), code: 64,
                mentions: ["needs --test-features"])
        }
        expectComplaint(
            try coppice(["embed", "--with", "lenet5", "--features", folder / "f.npy"] + out), code: 64,
            mentions: ["--with lenet5 takes images, and --features are none"])
        expectComplaint(
            try coppice(
                [
                    "embed", "--with", "pca", "--features", folder / "f.npy", "--device", "cpu", "--out",
                    folder / "f.npy",
                ]),
            code: 64, mentions: ["--out", "is the file of --features"])
        // Weights of samples of another width.
        let save = [
            "embed", "--with", "autoencoder", "--size", "2", "--epochs", "1", "--save", folder / "w.safetensors",
        ]
        #expect(try coppice(save + out + ["--features", folder / "f.npy"]).status == 0)
        expectComplaint(
            try coppice(
                [
                    "embed", "--with", "autoencoder", "--weights", folder / "w.safetensors", "--features",
                    folder / "t.npy",
                ]
                    + out), code: 65,
            mentions: [
                "w.safetensors: the weights of autoencoder-2 take samples of 5 values, and those of ",
                "t.npy have 4 values",
            ])
        expectComplaint(
            try coppice(
                [
                    "evaluate", "--weights", folder / "w.safetensors", "--data", folder / "none", "--device", "cpu",
                    "--quiet",
                ]), code: 65, mentions: ["w.safetensors: autoencoder-2 reconstructs its input and predicts no classes"])
    }

    @Test func anInterruptLeavesNothing() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 3000, test: 10).write(to: folder / "data")
        let outcome = try coppice(
            [
                "embed", "--with", "autoencoder", "--data", folder / "data", "--epochs", "100000", "--out",
                folder / "x.npy", "--save", folder / "w.safetensors", "--device", "cpu",
            ], interrupting: "training autoencoder on 3000 images")
        #expect(outcome.status == 130, "\(outcome.stderr)")
        #expect(outcome.stderr.contains("interrupted, \(folder / "x.npy") was not written"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["data"])
    }

    @Test func aStudyTrainsNoAutoencoder() throws {
        let folder = try TemporaryFolder()
        let study = try folder.file(
            "study.yaml",
            Array(
                "{model: autoencoder, epochs: 1, runs: 1, dataset: mnist, experiments: [{pruning_method: none}]}".utf8))
        expectComplaint(
            try coppice("run", study, "--out", folder / "out", "--quiet"), code: 65,
            mentions: ["study.yaml:1:9: model: autoencoder reconstructs its input and predicts no classes"])
    }
}
