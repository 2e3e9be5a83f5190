import Datasets
import Foundation
import Networks
import Testing
import TestSupport

@Suite struct TrainCommandTests {
    /// A small data set, and `coppice train` on it with `more`.
    private func train(
        _ folder: TemporaryFolder, _ data: SyntheticData = SyntheticData(), _ more: String...,
        environment: [String: String] = [:]
    ) throws -> Outcome {
        try data.write(to: folder / "data")
        return try coppice(
            ["train", "--data", folder / "data", "--quiet", "--json"] + more, environment: environment)
    }

    @Test(arguments: SyntheticData.all)
    func whatTrainSavesEvaluateScoresTheSame(_ data: SyntheticData) throws {
        let folder = try TemporaryFolder()
        let weights = folder / "weights.safetensors"
        let trained = try train(folder, data, "--epochs", "6", "--save", weights)
        #expect(trained.status == 0, "\(trained.stderr)")
        #expect(trained.stderr.isEmpty)
        let report = try trained.json()
        let accuracy = try #require(report["accuracy"] as? Double)
        #expect(accuracy > 90)
        #expect(report["images"] as? Int == data.train)
        #expect(report["epochs"] as? Int == 6)
        #expect(report["replicas"] as? Int == 1)
        #expect(try #require(report["seconds"] as? Double) > 0)
        #expect((report["device"] as? [String: Any])?["name"] is String)

        let arguments = ["evaluate", "--data", folder / "data", "--weights", weights, "--quiet"]
        let tested = try coppice(arguments + ["--json"]).json()
        #expect(tested["accuracy"] as? Double == accuracy)
        let confusion = try #require(tested["confusion"] as? [[Int]])
        #expect(confusion.map(\.count) == Array(repeating: data.classes, count: data.classes))
        #expect(confusion.joined().reduce(0, +) == data.test)
        #expect(tested["count"] as? Int == data.test)
        #expect(tested["correct"] as? Int == confusion.indices.reduce(0) { $0 + confusion[$1][$1] })
        let whole = try #require(try Dataset.load(directory: folder / "data").channels.first)
        #expect(abs(try #require(tested["mean"] as? Double) - whole.mean) < 1e-12)
        #expect(abs(try #require(tested["std"] as? Double) - whole.std) < 1e-12)
        #expect(try coppice(arguments).stdout.contains("confusion"))
    }

    @Test(arguments: ["mlp", "linear"]) func otherModelsAreTrainedAndEvaluated(model: String) throws {
        let folder = try TemporaryFolder()
        let weights = folder / "weights.safetensors"
        // Images that are no squares stay as they are.
        let data = SyntheticData.all[1]
        let trained = try train(folder, data, "--model", model, "--epochs", "6", "--save", weights)
        #expect(trained.status == 0, "\(trained.stderr)")
        let accuracy = try #require(try trained.json()["accuracy"] as? Double)
        #expect(accuracy > 90)
        let contents = try Safetensors.read(weights)
        #expect(contents.metadata["model"] == model)
        #expect(contents.tensors["1.weight"]?.shape == [model == "mlp" ? 300 : 4, 20 * 24])
        let arguments = ["evaluate", "--data", folder / "data", "--weights", weights, "--quiet", "--json"]
        #expect(try coppice(arguments).json()["accuracy"] as? Double == accuracy)
        #expect(try coppice(arguments + ["--model", model]).json()["accuracy"] as? Double == accuracy)
        expectComplaint(
            try coppice(arguments + ["--model", "lenet5"]), code: 65,
            mentions: ["holds weights of \(model), not of lenet5"])
        expectComplaint(
            try train(folder, data, "--init", weights, "--epochs", "1"), code: 65,
            mentions: ["holds weights of \(model), not of lenet5"])
        let more = try train(folder, data, "--model", model, "--init", weights, "--epochs", "1")
        #expect(more.status == 0, "\(more.stderr)")
    }

    @Test func anUnknownModelIsAnsweredWithTheNearest() throws {
        let outcome = try coppice("train", "--model", "mpl")
        #expect(outcome.status == 64)
        let known = ModelLibrary.classifiers.map(\.name).joined(separator: ", ")
        #expect(outcome.stderr.contains("unknown model 'mpl'; the nearest is mlp (\(known) are known;"))
        for command in ["train", "evaluate"] {
            let help = try coppice(command, "--help").stdout.split(whereSeparator: \.isWhitespace)
            #expect(help.joined(separator: " ").contains(ModelLibrary.choices))
        }
        #expect(try coppice("--generate-completion-script", "bash").stdout.contains("'lenet5-wide4'$'\\n''mlp'"))
        expectComplaint(
            try coppice("train", "--model", "autoencoder"), code: 64,
            mentions: ["--model: autoencoder reconstructs its input and predicts no classes"])
    }

    @Test func theNormalisationTravelsWithTheWeights() throws {
        let folder = try TemporaryFolder()
        let weights = folder / "weights.safetensors"
        #expect(try train(folder, SyntheticData(), "--epochs", "1", "--save", weights).status == 0)
        try SyntheticData(seed: 99).write(to: folder / "other")
        let tested = try coppice("evaluate", "--data", folder / "other", "--weights", weights, "--json", "--quiet")
        let mean = try #require(try tested.json()["mean"] as? Double)
        #expect([mean] == (try Dataset.load(directory: folder / "data").channels.map(\.mean)))
        #expect([mean] != (try Dataset.load(directory: folder / "other").channels.map(\.mean)))
    }

    @Test func sameSeedSameBits() throws {
        let folder = try TemporaryFolder()
        for (name, seed) in [("a", "3"), ("b", "3"), ("c", "4")] {
            let outcome = try train(
                folder, SyntheticData(), "--epochs", "2", "--seed", seed, "--save", folder / name)
            #expect(outcome.status == 0, "\(outcome.stderr)")
        }
        let saved = try ["a", "b", "c"].map { try Data(contentsOf: URL(fileURLWithPath: folder / $0)) }
        #expect(saved[0] == saved[1])
        #expect(saved[0] != saved[2])
    }

    @Test func aRunAloneAndAmongOthersIsTheSame() throws {
        let folder = try TemporaryFolder()
        let alone = try train(folder, SyntheticData(), "--epochs", "1", "--save", folder / "alone")
        let among = try train(
            folder, SyntheticData(), "--epochs", "1", "--replicas", "3", "--save", folder / "among", "--trace",
            folder / "losses.csv")
        let accuracies = try #require(try among.json()["accuracy"] as? [Double])
        #expect(accuracies.count == 3)
        #expect(accuracies.first == (try alone.json()["accuracy"] as? Double))
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: folder / "alone"))
                == Data(contentsOf: URL(fileURLWithPath: folder / "among")))
        // 300 images in batches of 64: the last one short and kept.
        let lines = try String(contentsOfFile: folder / "losses.csv", encoding: .utf8).split(separator: "\n")
        #expect(lines.first == "step,loss_1,loss_2,loss_3")
        #expect(lines.count == 1 + 5)
        #expect(lines.dropFirst().allSatisfy { $0.split(separator: ",").compactMap { Float($0) }.count == 4 })
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func bothPathsLearnTheSame() throws {
        let folder = try TemporaryFolder()
        let data = SyntheticData(train: 96, test: 40)
        let devices = ["cpu", "opencl-cpu"]
        var losses: [[Double]] = []
        for device in devices {
            let trace = folder / "\(device).csv"
            let outcome = try train(folder, data, "--epochs", "1", "--device", device, "--trace", trace)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            let backend = try outcome.json()["device"] as? [String: Any]
            #expect(backend?["backend"] as? String == (device == "cpu" ? "cpu" : "opencl"))
            losses.append(
                try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").dropFirst()
                    .compactMap { Double($0.split(separator: ",")[1]) })
        }
        #expect(losses[0].count == 2)
        for (a, b) in zip(losses[0], losses[1]) { #expect(abs(a - b) < 1e-4) }
    }

    @Test func indicesChooseTheImages() throws {
        let folder = try TemporaryFolder()
        let kept = folder / "kept.npy"
        try NumPy.write((0..<130).map { Int64(2 * $0) }, shape: [130], to: kept)
        let report = try train(folder, SyntheticData(), "--epochs", "1", "--indices", kept).json()
        #expect(report["images"] as? Int == 130)
        // A mask of the same images is the same training.
        let header = "{'descr': '|b1', 'fortran_order': False, 'shape': (300,), }"
        let mask = (0..<300).map { UInt8($0 < 260 && $0 % 2 == 0 ? 1 : 0) }
        let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + mask
        try Data(bytes).write(to: URL(fileURLWithPath: folder / "mask.npy"))
        let masked = try train(folder, SyntheticData(), "--epochs", "1", "--indices", folder / "mask.npy").json()
        #expect(masked["images"] as? Int == 130 && masked["accuracy"] as? Double == report["accuracy"] as? Double)
    }

    @Test func badIndices() throws {
        let folder = try TemporaryFolder()
        let kept = folder / "kept.npy"
        func expectRefusal(_ code: Int32, _ words: String) throws {
            expectComplaint(
                try train(folder, SyntheticData(), "--indices", kept), code: code, mentions: ["kept.npy", words])
        }
        try expectRefusal(66, "cannot be read")
        try NumPy.write([Int64(0), 300], shape: [2], to: kept)
        try expectRefusal(65, "300 at position 1")
        try NumPy.write([Int64(0), -1], shape: [2], to: kept)
        try expectRefusal(65, "-1 at position 1")
        try NumPy.write([Float(1)], shape: [1], to: kept)
        try expectRefusal(65, "floats")
        try NumPy.write([Int64(5), 7, 5], shape: [3], to: kept)
        try expectRefusal(65, "index 5 at position 2 is at position 0 too")
        try NumPy.write([Int64(5), 7, 6], shape: [3, 1], to: kept)
        try expectRefusal(65, "its shape (3, 1) is a column")
        try NumPy.write((0..<300).map { Int64($0 % 2) }, shape: [300], to: kept)
        try expectRefusal(65, "looks like a mask stored as int64")
        try NumPy.write([Int64](), shape: [0], to: kept)
        try expectRefusal(65, "no indices")
        try Data("no array".utf8).write(to: URL(fileURLWithPath: kept))
        try expectRefusal(65, "not a .npy file")
    }

    @Test(arguments: [
        ["--epochs", "-1"], ["--epochs", "9000000000000000000"], ["--replicas", "9000000000000000000"],
        ["--batch", "0"], ["--replicas", "0"], ["--learning-rate", "0"],
        ["--until-accuracy", "0"], ["--until-accuracy=-1"], ["--until-accuracy", "100.1"],
        ["--until-accuracy", "nan"], ["--until-accuracy", "99%"], ["--until-accuracy", "99", "--profile-kernels"],
        ["--learning-rate=-0.1"], ["--learning-rate", "nan"], ["--epochs", "many"], ["--nonsense"],
    ])
    func badOptions(arguments: [String]) throws {
        let outcome = try coppice(["train", "--quiet"] + arguments)
        #expect(outcome.status == 64, "\(outcome.stderr)")
        #expect(outcome.stderr.hasPrefix("coppice: "))
        #expect(outcome.stdout.isEmpty)
    }

    /// The epoch at which an accuracy is reached, and the same weights, accuracy and losses as that many epochs give.
    @Test(arguments: ["cpu", "auto"])
    func trainingStopsAtAnAccuracy(_ device: String) throws {
        let folder = try TemporaryFolder()
        func run(_ epochs: Int, _ name: String, _ more: String...) throws -> [String: Any] {
            let outcome = try coppice(
                [
                    "train", "--data", folder / "data", "--quiet", "--json", "--device", device, "--epochs",
                    "\(epochs)",
                    "--save", folder / "\(name).safetensors", "--trace", folder / "\(name).csv",
                ] + more)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            return try outcome.json()
        }
        func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder / name)) }
        try SyntheticData().write(to: folder / "data")
        var accuracies: [Double] = []
        for epochs in 1...6 {
            let report = try run(epochs, "\(epochs)")
            #expect(report["seconds_to_accuracy"] == nil && report["until_accuracy"] == nil)
            accuracies.append(try #require(report["accuracy"] as? Double))
        }
        let goal = try #require(accuracies.max())
        let first = try #require(accuracies.firstIndex(of: goal)) + 1
        let reached = try run(6, "goal", "--until-accuracy", "\(goal)")
        #expect(reached["accuracy"] as? Double == goal && reached["until_accuracy"] as? Double == goal)
        #expect(reached["epochs"] as? Int == first && reached["epochs_to_accuracy"] as? Int == first)
        let images = try #require(reached["images"] as? Int)
        #expect(reached["images_to_accuracy"] as? Int == first * images && reached["steps"] == nil)
        #expect(try #require(reached["steps_to_accuracy"] as? Int) % first == 0)
        let seconds = try #require(reached["seconds_to_accuracy"] as? Double)
        #expect(seconds > 0 && seconds <= (reached["seconds"] as? Double ?? 0))
        #expect(try #require(reached["evaluation_seconds"] as? Double) > 0)
        for file in ["safetensors", "csv"] { #expect(try bytes("goal.\(file)") == bytes("\(first).\(file)")) }
        // Not reached in time: null, the last test, the weights of all epochs, and no failure.
        if goal < 100 {
            let never = try run(2, "never", "--until-accuracy", "100")
            #expect(never["seconds_to_accuracy"] is NSNull && never["epochs_to_accuracy"] is NSNull)
            #expect(never["steps_to_accuracy"] is NSNull && never["images_to_accuracy"] is NSNull)
            #expect(never["epochs"] as? Int == 2 && never["accuracy"] as? Double == accuracies[1])
            #expect(try bytes("never.safetensors") == bytes("2.safetensors"))
        }
        let none = try run(0, "none", "--until-accuracy", "1")
        #expect(none["seconds_to_accuracy"] is NSNull && none["epochs"] as? Int == 0)
    }

    @Test func everyReplicaHasItsOwnSecondsToAnAccuracy() throws {
        let folder = try TemporaryFolder()
        let kept = folder / "kept.npy"
        try NumPy.write((0..<120).map { Int64($0) }, shape: [120], to: kept)
        let arguments = ["--epochs", "4", "--indices", kept, "--until-accuracy"]
        try SyntheticData().write(to: folder / "data")
        func run(_ goal: String, _ replicas: Int, json: Bool = true) throws -> Outcome {
            try coppice(
                ["train", "--data", folder / "data", "--quiet", "--replicas", "\(replicas)"] + arguments + [goal]
                    + (json ? ["--json"] : []))
        }
        // Some reach what others do not, unless all are alike.
        let among = try run("90", 3).json()
        let alone = try run("90", 1).json()
        let seconds = try #require(among["seconds_to_accuracy"] as? [Any])
        let epochs = try #require(among["epochs_to_accuracy"] as? [Any])
        let accuracies = try #require(among["accuracy"] as? [Double])
        #expect(seconds.count == 3 && epochs.count == 3 && accuracies.count == 3)
        for replica in 0..<3 {
            let hasReached = accuracies[replica] >= 90
            #expect((seconds[replica] as? Double != nil) == hasReached)
            #expect((epochs[replica] as? Int != nil) == hasReached)
        }
        #expect(alone["accuracy"] as? Double == accuracies[0])
        #expect(alone["epochs_to_accuracy"] as? Int == epochs[0] as? Int)
        let low = try run("1", 2, json: false)
        #expect(low.stdout.contains("; 1% after 1 epoch, "), "\(low.stdout)")
        #expect(low.stdout.contains("trained 2 x 1 epochs of 120 images"))
        let text = try run("99.995", 1, json: false).stdout
        #expect(text.contains("; 99.995% after ") || text.contains("; 99.995% was not reached in 4 epochs"), "\(text)")
    }

    @Test func badWeights() throws {
        let folder = try TemporaryFolder()
        let weights = folder / "weights.safetensors"
        #expect(try train(folder, SyntheticData(), "--epochs", "0", "--save", weights).status == 0)
        let whole = try Data(contentsOf: URL(fileURLWithPath: weights))
        func expectRefusal(_ code: Int32) throws {
            expectComplaint(
                try coppice("evaluate", "--data", folder / "data", "--weights", weights, "--quiet"), code: code,
                mentions: ["weights.safetensors"])
            expectComplaint(
                try coppice("train", "--data", folder / "data", "--init", weights, "--quiet"), code: code,
                mentions: ["weights.safetensors"])
        }
        for length in [0, 4, 8, 100, whole.count / 2, whole.count - 1] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: weights))
            try expectRefusal(65)
        }
        try FileManager.default.removeItem(atPath: weights)
        try expectRefusal(66)
    }

    @Test func whatTheWeightsFileSaysAndDoesNotSay() throws {
        let folder = try TemporaryFolder()
        let weights = folder / "weights.safetensors"
        #expect(try train(folder, SyntheticData(), "--epochs", "1", "--save", weights).status == 0)
        let contents = try Safetensors.read(weights)
        func evaluate(_ metadata: [String: String], prefix names: String = "") throws -> Outcome {
            let tensors = Dictionary(uniqueKeysWithValues: contents.tensors.map { (names + $0.key, $0.value) })
            try Safetensors.write(tensors, metadata: metadata, to: weights)
            return try coppice("evaluate", "--data", folder / "data", "--weights", weights, "--quiet", "--json")
        }
        let whole = try evaluate(contents.metadata)
        #expect(whole.stderr.isEmpty)
        let wrapped = try evaluate(contents.metadata, prefix: "module._orig_mod.")
        #expect(try wrapped.json()["confusion"] as? [[Int]] == whole.json()["confusion"] as? [[Int]])
        // The data set's own values are another normalisation in general, so this is said in any case.
        let silent = try evaluate([:])
        #expect(silent.status == 0 && silent.complaints.count == 1)
        #expect(silent.stderr.contains("has no mean and std in its metadata"))
        expectComplaint(try evaluate(["mean": "0.1"]), code: 65, mentions: ["there is mean and no std"])
        expectComplaint(
            try evaluate(["mean": "0.1", "std": "0x1"]), code: 65, mentions: ["std is \"0x1\"", "not hexadecimal"])
        expectComplaint(
            try evaluate(["mean": "0.1", "std": "0"]), code: 65, mentions: ["std is 0.0; a number above 0"])
        expectComplaint(try evaluate(["mean": "nan", "std": "1"]), code: 65, mentions: ["mean is \"nan\"", "NaN"])
    }

    @Test func weightsOfOtherClasses() throws {
        let folder = try TemporaryFolder()
        let weights = folder / "weights.safetensors"
        #expect(try train(folder, SyntheticData(), "--epochs", "0", "--save", weights).status == 0)
        try SyntheticData(classes: 5).write(to: folder / "more")
        for command in [["evaluate", "--weights"], ["train", "--init"]] {
            let outcome = try coppice([command[0], "--data", folder / "more", "--quiet", command[1], weights])
            expectComplaint(outcome, code: 65, mentions: ["classes"])
        }
    }

    @Test func outputsThatCannotBeMade() throws {
        let folder = try TemporaryFolder()
        let missing = folder / "missing/file"
        for option in ["--save", "--trace"] {
            // The sentence comes before the training, which would be lost.
            let outcome = try train(folder, SyntheticData(), "--epochs", "1000", option, missing)
            expectComplaint(outcome, code: 73, mentions: [missing])
            expectComplaint(
                try train(folder, SyntheticData(), "--epochs", "1000", option, folder.path), code: 73,
                mentions: ["directory"])
            expectComplaint(
                try train(folder, SyntheticData(), "--epochs", "0", option, "/dev/full"), code: 74,
                mentions: ["/dev/full"])
        }
        #expect(try folder.names() == ["data"])
    }

    @Test func ctrlCEndsATrainingSoon() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let outcome = try coppice(
            "train", "--data", folder / "data", "--epochs", "100000", "--save", folder / "weights",
            interrupting: "training 1 network on 300 images")
        #expect(outcome.status == 130)
        #expect(outcome.complaints.last == "coppice: stopped before the end")
        #expect(outcome.secondsAfterInterrupt < 5)
        #expect(try folder.names() == ["data"])
    }
}
