import Foundation
import TestSupport
import Testing

/// docs/recipes/images.md and tools/recipes/embed-images.
@Suite(.enabled(if: hasRecipesPython, "the recipes' Python is not in .venv/recipes"))
struct ImageRecipeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes 32x32 pictures of three classes in colours and stripes of their own, a picture per number in each class. A
    /// number that repeats gives a picture that differs from the first in one value.
    private func writePictures(_ part: String, _ numbers: [Int]) throws {
        for (index, label) in ["circle", "square", "star"].enumerated() {
            for (place, number) in numbers.enumerated() {
                var pixels = (0..<32 * 32 * 3).map { place -> UInt8 in
                    let (x, y, channel) = (place / 3 % 32, place / 96, place % 3)
                    let isStripe = (x * (index + 1) + y * (number % 5 + 1)) / 6 % 2 == 0
                    return UInt8(isStripe ? 40 * (channel + index) : 250 - (11 * number + 50 * channel) % 200)
                }
                pixels[0] ^= UInt8(place)
                _ = try folder.file("pictures/\(part)/\(label)/\(place).png", png(pixels))
            }
        }
    }

    private func png(_ pixels: [UInt8]) -> [UInt8] { MadePNG.file(width: 32, height: 32, channels: 3, pixels: pixels) }

    private func embed(_ arguments: String) throws -> Outcome { try recipe("embed-images " + arguments, in: folder) }

    private func lines(_ name: String) throws -> [String] {
        try String(contentsOfFile: folder / name, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// Expects one sentence and a code.
    private func expectComplaint(_ outcome: Outcome, code: Int32, _ words: String) {
        #expect(outcome.status == code && outcome.stdout.isEmpty, "\(outcome.stderr)")
        #expect(outcome.stderr.hasPrefix("embed-images: ") && outcome.stderr.contains(words), "\(outcome.stderr)")
    }

    @Test func thePageRunsAsWritten() throws {
        // Nine of the training pictures are copies, and so are four of the test pictures, two of them of one picture.
        try writePictures("train", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 0, 1])
        try writePictures("test", [23, 24, 25, 5])
        try FileManager.default.copyItem(
            atPath: folder / "pictures/test/star/3.png", toPath: folder / "pictures/test/star/4.png")
        var page = try RecipePage("images.md")
        page.replace("--k 50 --eps 0.1", by: "--k 3 --eps 0.001")
        for (name, made) in [("2964.jpg", "circle/1.png"), ("2120.jpg", "square/1.png"), ("2852.jpg", "star/1.png")] {
            page.replace("automobile/\(name)", by: made)
        }
        page.replace("--k 100", by: "--k 3")
        page.replace("--size 10000", by: "--size 15")
        page.replace("--epochs 10 --replicas 5", by: "--epochs 1 --replicas 5")
        // The built-in study takes more rows than there are.
        _ = try folder.file(
            "probe.yaml",
            Array(
                """
                {dataset: features, model: linear, runs: 2, epochs: 1, experiments: [{pruning_method: none},
                 {pruning_method: cluster, sizes: 15, ks: 3, selection_strategies: furthest}]}
                """.utf8))
        page.replace("coppice run probe ", by: "coppice run probe.yaml ")
        try page.run(in: folder)
        #expect(try folder.names(in: "results/probe-features").contains("report.html"))

        // Of each picture and its copy one is left, and what is kept is linked by the name of its class.
        #expect(try lines("embedded/train/ids.jsonl").count == 45)
        #expect(try lines("unique-ids.jsonl").count == 36)
        let links = try lines("kept.jsonl").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
            let (path, label) = (try #require(object?["path"]), try #require(object?["class"]))
            let target = try FileManager.default.destinationOfSymbolicLink(atPath: folder / "kept/train/\(path)")
            #expect(target.hasSuffix("/pictures/train/\(path)") && path.hasPrefix(label + "/"))
            return path
        }
        #expect(Set(links).count == 15)
        #expect(
            try ["circle", "square", "star"].map { try folder.names(in: "kept/train/\($0)").count }.reduce(0, +) == 15)
    }

    @Test func itGoesOnWhereItStopped() throws {
        try writePictures("train", [0, 1, 2, 3])
        let whole = try embed("pictures whole --shard-rows 5 --batch 2")
        #expect(whole.stdout.hasPrefix("12 pictures as 12 x 1,280 float16 in whole/shards, "), "\(whole.stderr)")
        // The second shard cannot be written.
        _ = try folder.file("out/shards/00001.npy/x", [])
        _ = try folder.file(
            "out/state.json", Array(try Data(contentsOf: URL(fileURLWithPath: folder / "whole/state.json"))))
        expectComplaint(
            try embed("pictures out --shard-rows 5 --batch 2"), code: 74, "out/shards/00001.npy: writing failed")
        #expect(try folder.names(in: "out") == ["parts", "shards", "state.json"])
        try FileManager.default.removeItem(atPath: folder / "out/shards/00001.npy")
        let rest = try embed("pictures out --shard-rows 5 --batch 2")
        #expect(rest.status == 0 && rest.stderr.contains("5 of 12 pictures were embedded before"), "\(rest.stderr)")
        #expect(try folder.names(in: "out") == ["ids.jsonl", "labels.txt", "shards", "state.json"])
        for name in ["ids.jsonl", "labels.txt", "shards/00000.npy", "shards/00001.npy", "shards/00002.npy"] {
            #expect(
                FileManager.default.contentsEqual(atPath: folder / "out/" + name, andPath: folder / "whole/" + name))
        }
        #expect(try lines("out/ids.jsonl")[4] == #"{"path": "train/square/0.png", "class": "square"}"#)
        #expect(try embed("pictures out --shard-rows 5").stdout == "out is complete: nothing to do\n")
        expectComplaint(try embed("pictures out"), code: 73, "other pictures or options (differing: shard_rows)")
        _ = try folder.file("pictures/train/star/new.png", [])
        expectComplaint(
            try embed("pictures out --shard-rows 5"), code: 73, "(differing: pictures, fingerprint); name a new folder")
    }

    @Test func badFilesAreNamedAndSkippedOnRequest() throws {
        try writePictures("train", [0, 1])
        let good = Array(try Data(contentsOf: URL(fileURLWithPath: folder / "pictures/train/star/0.png")))
        _ = try folder.file("pictures/train/star/cut.png", Array(good.prefix(2000)))
        _ = try folder.file("pictures/train/star/empty.jpg", [])
        _ = try folder.file("pictures/.hidden/x", [])
        let made = #"mkfifo pipe; ln -s none broken; cp 0.png $'\xff.png'"#
        #expect(try recipe("cd pictures/train/star; \(made)", in: folder).status == 0)
        let refused = try embed("pictures/train out")
        expectComplaint(refused, code: 65, "star/empty.jpg: it is no picture of the kinds PNG, JPEG, ")
        for words in [
            "star/cut.png: ", "star/pipe: it is no regular file", "star/broken: No such file",
            #"star/\udcff.png: its path is not UTF-8"#,
            "has files that cannot be embedded (see above); go on without such files by --skip-bad",
        ] { #expect(refused.stderr.contains(words), "\(refused.stderr)") }
        let skipped = try embed("pictures/train out --skip-bad")
        #expect(skipped.status == 0 && skipped.stdout.hasPrefix("6 pictures as 6 x 1,280 "), "\(skipped.stderr)")
        #expect(skipped.stderr.contains("skipped 5 of 11 files; out/skipped.jsonl lists them"))
        #expect(
            try lines("out/skipped.jsonl").last
                == #"{"path": "pictures/train/star/\udcff.png", "why": "its path is not UTF-8; rename it"}"#)
        #expect(try lines("out/labels.txt") == ["circle", "circle", "square", "square", "star", "star"])
    }

    @Test(arguments: [
        ("none out", 66, "none: there is no such folder"), ("empty out", 66, "empty: there are no files in it"),
        ("pictures", 64, "the following arguments are required: OUT"),
        ("pictures pictures/out", 64, "pictures/out is in pictures, whose pictures are read"),
        ("pictures other", 73, "other: it is there, and not an empty folder"),
        ("pictures out --size 16", 64, "'16' is not a whole number from 32 to 1,024"),
        ("pictures out --size 1e2", 64, "--size: '1e2' is not"),
        ("pictures out --device tpu", 64, "invalid choice: 'tpu'"),
    ]) func optionsAndFoldersThatAreRefused(_ arguments: String, _ code: Int32, _ words: String) throws {
        for name in ["empty/.hidden", "pictures/x.png", "other/x"] { _ = try folder.file(name, []) }
        let outcome = try embed(arguments)
        expectComplaint(outcome, code: code, words)
        #expect(outcome.complaints.count == 1, "\(outcome.stderr)")
        #expect(try !folder.names().contains("out"))
    }
}
