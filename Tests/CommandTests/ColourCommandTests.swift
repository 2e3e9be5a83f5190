import Foundation
import Support
import Testing
import TestSupport

/// A made CIFAR-10 whose classes are told apart by colour alone: red, green and blue on noise.
private func writeCIFAR10(to directory: String, perFile: Int = 60) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for (file, name) in ((1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]).enumerated() {
        var random = RandomStream(seed: 5, run: file, purpose: .testing)
        var bytes: [UInt8] = []
        for image in 0..<perFile {
            let label = image % 3
            bytes.append(UInt8(label))
            for channel in 0..<3 {
                for _ in 0..<1024 { bytes.append(UInt8((channel == label ? 120 : 60) + random.nextIndex(below: 90))) }
            }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
}

/// Images of three channels, from the files to weights, selections and the report.
@Suite struct ColourCommandTests {
    private let folder: TemporaryFolder
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        data = folder / "colours"
        try writeCIFAR10(to: data)
    }

    @Test(arguments: ["lenet5", "mlp", "linear"]) func networksLearnColours(model: String) throws {
        let weights = folder / "w.safetensors"
        let epochs = model == "lenet5" ? "3" : "1"
        let trained = try coppice(
            "train", "--data", data, "--model", model, "--epochs", epochs, "--save", weights, "--quiet", "--json")
        #expect(trained.status == 0, "\(trained.stderr)")
        let accuracy = try #require(try trained.json()["accuracy"] as? Double)
        #expect(accuracy > 90)
        let tested = try coppice("evaluate", "--data", data, "--weights", weights, "--quiet", "--json").json()
        #expect(tested["accuracy"] as? Double == accuracy)
        #expect((tested["mean"] as? [Double])?.count == 3 && (tested["std"] as? [Double])?.count == 3)
        // Grey images do not fit these weights.
        try SyntheticData().write(to: folder / "grey")
        let grey = try coppice("evaluate", "--data", folder / "grey", "--weights", weights, "--quiet")
        expectComplaint(grey, code: 65)
    }

    @Test func theSamePixelsAreClusteredAndSelected() throws {
        let clustered = try coppice(
            "cluster", "--data", data, "--k", "3", "--kmeans", "lloyd", "--out", folder / "clusters", "--quiet",
            "--json")
        #expect(clustered.status == 0, "\(clustered.stderr)")
        #expect(try clustered.json()["dimensions"] as? Int == 3072)
        let selected = try coppice(
            "select", "--data", data, "--clustering", folder / "clusters", "--strategy", "closest", "--size", "30",
            "--out", folder / "kept.npy", "--quiet", "--json")
        #expect(selected.status == 0, "\(selected.stderr)")
        // The clusters are the colours.
        #expect(try selected.json()["per_class"] as? [Int] == [10, 10, 10])
        let trained = try coppice(
            "train", "--data", data, "--indices", folder / "kept.npy", "--epochs", "1", "--model", "linear", "--quiet")
        #expect(trained.status == 0, "\(trained.stderr)")
    }

    /// The study is of MNIST, which the folder cannot hold: it goes by the folder's name.
    @Test func aStudyGoesByTheFoldersName() throws {
        try """
        {runs: 2, epochs: 1, model: linear, experiments: [{pruning_method: none},
        {pruning_method: cluster, sizes: 30, ks: 3, use_pca: false, selection_strategies: closest}]}
        """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let outcome = try coppice(["run", "study.yaml", "--data", data], directory: folder.path)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stderr.contains("does not hold mnist: the study is run on it under the name colours"))
        let results = folder / "results/study-colours"
        let environment = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: results + "/environment.json")))
                as? [String: Any])
        let facts = try #require((environment["datasets"] as? [String: [String: Any]])?["colours"])
        #expect(
            facts["channels"] as? Int == 3 && facts["featureCount"] as? Int ?? facts["feature_count"] as? Int == 3072)
        // The sheets of clusters are in the page.
        let page = try String(contentsOfFile: results + "/report.html", encoding: .utf8)
        #expect(page.contains("data:image/png;base64,"))
        // Under a known name of another layout, nothing is run.
        let named = try coppice("train", "--data", data, "--dataset", "mnist", "--quiet")
        expectComplaint(named, code: 66, mentions: ["\(data) (which has the files of cifar10)"])
    }

    @Test func aDamagedRecordIsNamed() throws {
        try damage(data + "/data_batch_3.bin") { $0[7 * 3073] = 11 }
        expectComplaint(
            try coppice("train", "--data", data, "--quiet"), code: 65,
            mentions: [data + "/data_batch_3.bin: record 7 (counted from 0) has the label 11"])
    }
}

/// IDX sets as EMNIST has them: classes from 1 on, names of their own, rows and columns exchanged.
@Suite struct EMNISTCommandTests {
    /// Files as EMNIST's letters, from images whose classes count from 0.
    private func write(_ data: SyntheticData, to directory: String) throws {
        try data.write(to: directory)
        for (old, new) in [("train", "train"), ("t10k", "test")] {
            try damage("\(directory)/\(old)-labels-idx1-ubyte") { bytes in
                for index in 8..<bytes.count { bytes[index] += 1 }
            }
            for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
                try FileManager.default.moveItem(
                    atPath: "\(directory)/\(old)-\(kind)", toPath: "\(directory)/emnist-letters-\(new)-\(kind)")
            }
        }
    }

    @Test func anEmptyClass0IsNoObstacle() throws {
        let folder = try TemporaryFolder()
        let data = folder / "letters"
        try write(SyntheticData(), to: data)
        let trained = try coppice(
            "train", "--data", data, "--epochs", "6", "--json", "--save", folder / "w.safetensors")
        #expect(try #require(try trained.json()["accuracy"] as? Double) > 90)
        #expect(trained.stderr.contains("the highest label is 3, and 1 of the labels below it has no image"))
        let tested = try coppice("evaluate", "--data", data, "--weights", folder / "w.safetensors", "--quiet", "--json")
        let confusion = try #require(try tested.json()["confusion"] as? [[Int]])
        #expect(confusion.count == 4 && confusion[0] == [0, 0, 0, 0])
        for arguments in [["--strategy", "random", "--balance", "class"], ["--score", "prototypes", "--k", "3"]] {
            let selected = try coppice(
                ["select", "--data", data, "--size", "60", "--out", folder / "kept.npy", "--quiet", "--json"]
                    + arguments)
            #expect(selected.status == 0, "\(selected.stderr)")
            let perClass = try #require(try selected.json()["per_class"] as? [Int])
            #expect(perClass.count == 4 && perClass[0] == 0 && perClass.reduce(0, +) == 60)
            if arguments.contains("class") { #expect(perClass == [0, 20, 20, 20]) }
        }
        try """
        {runs: 2, epochs: 1, model: linear, validation: 30, experiments: [{pruning_method: random, sizes: 60, balance: recall},
        {pruning_method: score, scores: el2n, sizes: 60, balance: class, score_epochs: 1, networks: 2}]}
        """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let study = try coppice(
            "run", folder / "study.yaml", "--data", data, "--dataset", "letters", "--out", folder / "out", "--quiet")
        #expect(study.status == 0, "\(study.stderr)")
        let lines = try String(contentsOfFile: folder / "out/runs.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 4)
    }

    @Test func transposedImagesAreTheSameForEveryCommand() throws {
        let folder = try TemporaryFolder()
        let (data, turned) = (folder / "data", folder / "turned")
        let made = SyntheticData(height: 20, width: 24)
        try made.write(to: data)
        // The same with rows and columns exchanged.
        let other = SyntheticData(height: 24, width: 20)
        try other.write(to: turned)
        for (index, part) in [(made.train, "train"), (made.test, "t10k")].enumerated() {
            let pixels = made.images(part.0, run: index).pixels
            try damage("\(turned)/\(part.1)-images-idx3-ubyte") { bytes in
                for image in 0..<part.0 {
                    for y in 0..<20 {
                        for x in 0..<24 { bytes[16 + (image * 24 + x) * 20 + y] = pixels[(image * 20 + y) * 24 + x] }
                    }
                }
            }
        }
        func accuracy(_ arguments: String...) throws -> Double {
            let outcome = try coppice(["train", "--epochs", "1", "--quiet", "--json", "--data"] + arguments)
            return try #require(try outcome.json()["accuracy"] as? Double, "\(outcome.stderr)")
        }
        #expect(try accuracy(turned, "--transposed") == accuracy(data))
        let info = try coppice("data", "info", turned, "--transposed", "--json").json()
        #expect((info["train"] as? [String: Any])?["height"] as? Int == 20)
        // A study notes it, says it in the command that makes it again, and draws its clusters with it.
        try """
        {runs: 2, epochs: 1, model: linear, experiments: [{pruning_method: cluster, sizes: 30, ks: 3, use_pca: false,
        selection_strategies: [closest, random]}]}
        """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let out = folder / "out"
        let study = ["run", folder / "study.yaml", "--data", turned, "--out", out, "--quiet"]
        #expect(try coppice(study + ["--transposed"]).status == 0)
        let page = try String(contentsOfFile: out + "/report.html", encoding: .utf8)
        #expect(page.contains(" --transposed") && page.contains("data:image/png;base64,"))
        #expect(try coppice("report", out, "--data", turned, "--quiet").status == 0)
        #expect(try String(contentsOfFile: out + "/report.html", encoding: .utf8).contains("data:image/png;base64,"))
        // Without it the data are others.
        expectComplaint(try coppice(study), code: 73)
        let features = try coppice(
            "cluster", "--features", folder / "x.npy", "--k", "2", "--transposed", "--quiet")
        expectComplaint(features, code: 64, mentions: ["--transposed"])
    }
}
