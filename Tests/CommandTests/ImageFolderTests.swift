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
