import Datasets
import Foundation
import Testing
import TestSupport

/// Folders of image files as data sets, from the command line.
@Suite struct ImageFolderCommandTests {
    private let folder: TemporaryFolder

    /// Two classes of 8x8 images that a network tells apart: dark above, or dark below.
    init() throws {
        folder = try TemporaryFolder()
        for (name, count) in [("train", 40), ("test", 10)] {
            for index in 0..<2 * count {
                let isBelow = index % 2 == 1
                let pixels = (0..<64).map { UInt8(($0 < 32) == isBelow ? 250 - index % 7 : 20 + index % 11) }
                _ = try folder.file(
                    "data/\(name)/\(isBelow ? "below" : "above")/\(index).png",
                    MadePNG.file(width: 8, height: 8, pixels: pixels))
            }
        }
    }

    private func run(_ arguments: String...) throws -> Outcome {
        try coppice(arguments, environment: ["XDG_CACHE_HOME": folder / "cache"])
    }

    @Test func imagesAreSelectedTrainedAndTested() throws {
        let (data, kept) = (folder / "data", folder / "kept.npy")
        let info = try run("data", "info", data, "--json")
        #expect(info.status == 0 && info.stderr.contains("classes are 0 above, 1 below"), "\(info.stderr)")
        #expect((try info.json()["train"] as? [String: Any])?["perClass"] as? [Int] == [40, 40])
        #expect((try info.json()["files"] as? [Any])?.isEmpty == true)

        let selected = try run(
            "select", "--data", data, "--k", "4", "--strategy", "furthest", "--size", "30", "--out", kept, "--device",
            "cpu", "--quiet")
        #expect(selected.status == 0 && selected.stderr.isEmpty, "\(selected.stderr)")
        #expect(try NumPyArray.read(kept).count == 30)
        for more in [[], ["--model", "linear"]] {
            let trained = try coppice(
                ["train", "--data", data, "--indices", kept, "--epochs", "20", "--json", "--device", "cpu"] + more,
                environment: ["XDG_CACHE_HOME": folder / "cache"])
            #expect(trained.status == 0, "\(trained.stderr)")
            #expect(try #require(try trained.json()["accuracy"] as? Double) > 90)
            #expect(trained.stderr.contains("data: data in \(data)"))
        }
        // A study of them, from the images that are decoded already.
        let study = try folder.file(
            "study.yaml",
            Array("{dataset: shapes, runs: 1, epochs: 1, experiments: [{pruning_method: random, sizes: 20}]}".utf8))
        let studied = try run(
            "run", study, "--data", data, "--out", folder / "results", "--device", "cpu", "--no-report")
        #expect(studied.status == 0, "\(studied.stderr)")
        #expect(try folder.names(in: "cache/coppice/images").count == 1)
    }

    @Test func filesOfTheFolderComeBack() throws {
        let data = folder / "data"
        let common = ["--data", data, "--device", "cpu", "--quiet"]
        func run(_ arguments: [String]) throws -> Outcome {
            try coppice(arguments + common, environment: ["XDG_CACHE_HOME": folder / "cache"])
        }
        func text(_ name: String) throws -> String { try String(contentsOfFile: folder / name, encoding: .utf8) }
        // What is deeper in a class's folder is of that class.
        try FileManager.default.createDirectory(atPath: data + "/train/above/deep", withIntermediateDirectories: false)
        for index in stride(from: 0, to: 40, by: 2) {
            try FileManager.default.moveItem(
                atPath: "\(data)/train/above/\(index).png", toPath: "\(data)/train/above/deep/\(index).png")
        }
        let select = ["select", "--strategy", "random", "--size", "60", "--out", folder / "kept.npy"]
        let outcome = try run(
            select + ["--link", folder / "links", "--details", folder / "d.csv", "--dropped", folder / "rest.npy"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(
            outcome.stdout.contains("per class: above ") && outcome.stdout.contains(", below "), "\(outcome.stdout)")
        let kept = try text("kept.txt").split(separator: "\n").map(String.init)
        let dropped = try text("rest.txt").split(separator: "\n").map(String.init)
        #expect(kept.count == 60 && Set(kept + dropped).count == 80)
        #expect((kept + dropped).allSatisfy { FileManager.default.fileExists(atPath: "\(data)/\($0)") })
        let indices = try NumPyArray.read(folder / "kept.npy").integers()
        let rows = try text("d.csv").split(separator: "\n").dropFirst()
        #expect(rows.map(String.init) == zip(indices, kept).enumerated().map { "\($0),\($1.0),\($1.1),,," })
        #expect(try folder.names(in: "links") == ["above", "below"])
        let links = try folder.names(in: "links/above") + folder.names(in: "links/below")
        #expect(links.sorted() == kept.map { String($0.split(separator: "/").last ?? "") }.sorted())
        // Links are a data set of the same images, whose paths are its own.
        let linked = try coppice(
            "select", "--data", folder / "links", "--strategy", "none", "--out", folder / "all.npy", "--quiet",
            environment: ["XDG_CACHE_HOME": folder / "cache"])
        #expect(linked.status == 0, "\(linked.stderr)")
        // Indices are enough for a clustering that is there already, and --data says whose they are.
        let clustered = try run(["cluster", "--k", "2", "--out", folder / "c"])
        #expect(clustered.status == 0, "\(clustered.stderr)")
        let again = try run(
            ["select", "--clustering", folder / "c", "--strategy", "closest", "--size", "3", "--out", folder / "k.npy"]
                + ["--link", folder / "three"])
        #expect(again.status == 0 && again.stdout.contains("links to 3 images"), "\(again.stderr)")
        // Near-duplicates by their paths.
        let dedup = try run(
            ["dedup", "--k", "1", "--size", "10", "--out", folder / "d.npy", "--pairs", folder / "p.jsonl"])
        #expect(dedup.status == 0, "\(dedup.stderr)")
        #expect(try text("d.txt").split(separator: "\n").count == 10)
        #expect(try text("p.jsonl").split(separator: "\n").allSatisfy { $0.contains("\"dropped_id\": \"train/") })
    }

    /// Without test/, indices count the images that the split leaves for training, as the list beside them does.
    @Test func indicesOfASplitFolderNameItsFiles() throws {
        for index in 0..<60 {
            _ = try folder.file(
                "flat/\(index % 3 == 0 ? "b" : "a")/\(index).png",
                MadePNG.file(width: 8, height: 8, pixels: [UInt8](repeating: UInt8(100 + index), count: 64)))
        }
        let outcome = try run(
            "select", "--data", folder / "flat", "--k", "3", "--strategy", "furthest", "--size", "20", "--out",
            folder / "kept.npy", "--dropped", folder / "rest.npy", "--device", "cpu", "--quiet")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let train = try Dataset.load(directory: folder / "flat").train
        let pixels = try #require(train.pixels)
        var named: Set<String> = []
        for (array, list) in [("kept.npy", "kept.txt"), ("rest.npy", "rest.txt")] {
            let paths = try String(contentsOfFile: folder / list, encoding: .utf8).split(separator: "\n")
            let indices = try NumPyArray.read(folder / array).integers()
            #expect(paths.count == indices.count && !paths.isEmpty)
            for (index, path) in zip(indices, paths) {
                let value = Int(pixels[Int(index) * 64]) - 100
                #expect(path == "\(value % 3 == 0 ? "b" : "a")/\(value).png")
                named.insert(String(path))
            }
        }
        #expect(named.count == train.count && train.count == 51)
    }

    /// Ids of other samples are refused for their number before their images are looked for.
    @Test func linesOfOtherSamplesAreCountedBeforeTheirImages() throws {
        _ = try folder.file("ids", Array("nowhere.png\n".utf8))
        try NumPy.write([Float](repeating: 1, count: 20), shape: [10, 2], to: folder / "X.npy")
        _ = try folder.file("c/x", [])
        try NumPy.write([Int32](repeating: 0, count: 9), shape: [9], to: folder / "c/labels.npy")
        try NumPy.write([Float](repeating: 0, count: 9), shape: [9], to: folder / "c/distances.npy")
        for (source, count) in [
            (["--data", folder / "data"], 80), (["--features", folder / "X.npy"], 10),
            (["--clustering", folder / "c"], 9),
        ] {
            let outcome = try coppice(
                ["select", "--ids", folder / "ids", "--link", folder / "links", "--strategy", "random", "--size", "3"]
                    + ["--out", folder / "kept.npy", "--quiet"] + source,
                environment: ["XDG_CACHE_HOME": folder / "cache"])
            expectComplaint(outcome, code: 65, mentions: ["ids: 1 line for \(count) samples"])
        }
    }

    @Test func namesThatDoNotFitOnALineAreNotListed() throws {
        let data = folder / "data"
        try FileManager.default.moveItem(atPath: data + "/train/above/0.png", toPath: data + "/train/above/a\nb.png")
        let outcome = try run(
            "select", "--data", data, "--strategy", "none", "--out", folder / "kept.npy", "--device", "cpu",
            "--details",
            folder / "d.csv", "--link", folder / "links")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stderr.contains("kept.txt is not written: the path of sample"), "\(outcome.stderr)")
        #expect(try folder.names() == ["cache", "d.csv", "data", "kept.npy", "links"])
        #expect(try String(contentsOfFile: folder / "d.csv", encoding: .utf8).contains("\"train/above/a\nb.png\""))
        #expect(try folder.names(in: "links/above").contains("a\nb.png"))
    }

    @Test func outputsAreNotWrittenAmongTheImages() throws {
        let data = folder / "data"
        try NumPy.write([Float](repeating: 1, count: 20), shape: [10, 2], to: try folder.file("shards/a.npy", []))
        let select = ["select", "--data", data, "--strategy", "random", "--size", "9"]
        let shards = ["--features", folder / "shards"]
        for (arguments, option) in [
            (select + ["--out", data + "/train/above/kept.npy"], "--out"),
            (select + ["--out", folder / "kept.npy", "--details", data + "/test/below/d.csv"], "--details"),
            (select + ["--out", folder / "kept.npy", "--dropped", data + "/train/new/d.npy"], "--dropped"),
            (select + ["--out", folder / "kept.npy", "--link", data + "/val"], "--link"),
            (["dedup", "--data", data, "--k", "1", "--eps", "0.1", "--out", data + "/train/above/k.npy"], "--out"),
            (["cluster", "--data", data, "--k", "2", "--out", data + "/train/above"], "--out"),
            (["train", "--data", data, "--save", data + "/train/above/w.safetensors"], "--save"),
            (["score", "--score", "herding", "--out", folder / "shards/s.npy"] + shards, "--out"),
        ] {
            let outcome = try coppice(arguments + ["--quiet"], environment: ["XDG_CACHE_HOME": folder / "cache"])
            expectComplaint(outcome, code: 64, mentions: [option, "would be read as a part of"])
        }
        #expect(try folder.names() == ["data", "shards"] && folder.names(in: "data") == ["test", "train"])
        let beside = try run(
            "select", "--data", data, "--strategy", "random", "--size", "9", "--out", data + "/kept.npy", "--quiet")
        #expect(beside.status == 0, "\(beside.stderr)")
        let link = try run(
            "select", "--features", folder / "shards/a.npy", "--strategy", "random", "--size", "3", "--out",
            folder / "k.npy", "--link", folder / "l", "--quiet")
        expectComplaint(link, code: 64, mentions: ["--link requires --ids", "a folder of image files as --data"])
    }

    @Test func badFilesEndTheCommandUnlessTheyAreSkipped() throws {
        let data = folder / "data"
        _ = try folder.file("data/train/above/bad.jpg", Array("no image".utf8))
        for arguments in [["data", "info", data], ["train", "--data", data, "--device", "cpu", "--epochs", "1"]] {
            let refused = try coppice(arguments, environment: ["XDG_CACHE_HOME": folder / "cache"])
            #expect(refused.status == 65)
            #expect(
                refused.stderr.contains(
                    "1 of 101 files is not an image that can be read; remove it, or leave it out by"
                        + " --skip-bad:\n  \(data)/train/above/bad.jpg is neither PNG nor JPEG"), "\(refused.stderr)")
            let skipped = try coppice(
                arguments + ["--skip-bad"], environment: ["XDG_CACHE_HOME": folder / "cache"])
            #expect(skipped.status == 0 && skipped.stderr.contains("bad.jpg is neither PNG nor JPEG"))
        }
    }
}
