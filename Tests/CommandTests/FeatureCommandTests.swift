import Datasets
import Foundation
import Testing
import TestSupport

/// `--features` in every layout, scaled and not, with `--labels` of every kind.
@Suite struct FeatureCommandTests {
    private static let (count, width) = (90, 4)

    /// Three groups of whole numbers that half precision and eight bits hold; row i is of group i mod 3.
    private static let values: [Int8] = (0..<count * width).map { element in
        let (row, column) = element.quotientAndRemainder(dividingBy: width)
        let centre = column == row % 3 ? 90 : 0
        return Int8(centre + (row &* 31 &+ column &* 17 &+ row &* column) % 23 - 11)
    }

    private static func half(_ value: Int8) -> UInt16 {
        let bits = Float(value).bitPattern
        return value == 0 ? 0 : UInt16(bits >> 16 & 0x8000) | UInt16(((bits >> 13) &- (112 << 10)) & 0x7FFF)
    }

    private func labels(_ folder: TemporaryFolder, _ features: [String], _ more: String...) throws -> [UInt8] {
        let outcome = try coppice(
            ["cluster"] + features.flatMap { ["--features", $0] } + [
                "--k", "5", "--seed", "3", "--device", "cpu", "--quiet", "--out", folder / "out",
            ] + more)
        #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(features): \(outcome.stderr)")
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder / "out/labels.npy")))
    }

    private func kept(_ folder: TemporaryFolder, _ features: [String]) throws -> [Int64] {
        let outcome = try coppice(
            ["select"] + features.flatMap { ["--features", $0] } + [
                "--k", "5", "--strategy", "furthest", "--size", "20", "--device", "cpu", "--quiet", "--out",
                folder / "kept.npy",
            ])
        #expect(outcome.status == 0, "\(features): \(outcome.stderr)")
        return try NumPyArray.read(folder / "kept.npy").integers()
    }

    @Test func everyLayoutGivesTheSameBits() throws {
        let folder = try TemporaryFolder()
        let (values, shape) = (Self.values, [Self.count, Self.width])
        try NumPy.write(values.map { Float($0) }, shape: shape, to: folder / "plain.npy")
        let halves = values.map(Self.half)
        let half = npyFile("<f2", shape, bytes(halves))
        for (index, rows) in [0..<40, 40..<41, 41..<90].enumerated() {
            let part = Array(halves[rows.lowerBound * Self.width..<rows.upperBound * Self.width])
            _ = try folder.file("shards/part-\(index).npy", npyFile("<f2", [rows.count, Self.width], bytes(part)))
        }
        let bigFortran = npyFile(
            ">f8", shape, bytes(transposed(values.map { Double($0) }, columns: Self.width), bigEndian: true),
            fortran: true)
        let brain = values.map { UInt16(Float($0).bitPattern >> 16) }
        let layouts: [[String]] = [
            [folder / "shards"], [folder / "shards/part-?.npy"], (0..<3).map { folder / "shards/part-\($0).npy" },
            [try folder.file("half.npy", half)], [try folder.file("bigfortran.npy", bigFortran)],
            [try folder.file("i1.npy", npyFile("|i1", shape, bytes(values)))],
            [try folder.file("i8.npy", npyFile("<i8", shape, bytes(values.map { Int64($0) })))],
            [try folder.file("stored.npz", zipFile([("X.npy", half)])) + ":X"],
            [try folder.file("brain.safetensors", safetensorsFile("X", "BF16", shape, bytes(brain))) + ":X"],
        ]
        let expected = try labels(folder, [folder / "plain.npy"])
        let selected = try kept(folder, [folder / "plain.npy"])
        for layout in layouts { #expect(try labels(folder, layout) == expected, "\(layout)") }
        for layout in [layouts[0], layouts[4], layouts[8]] {
            #expect(try kept(folder, layout) == selected, "\(layout)")
        }
        let scaled = try labels(folder, [folder / "plain.npy"], "--standardize", "--normalize")
        #expect(scaled != expected)
        for layout in [layouts[0], layouts[4]] {
            #expect(try labels(folder, layout, "--standardize", "--normalize") == scaled, "\(layout)")
        }
        // A deflated member says where it went.
        let path = try folder.file("deflated.npz", zipFile([("X.npy", half)], .deflated))
        let outcome = try coppice(
            "cluster", "--features", path + ":X", "--k", "5", "--seed", "3", "--device", "cpu", "--out", folder / "out")
        #expect(outcome.status == 0 && outcome.stderr.contains("note: \(path):X is compressed, and was inflated to"))
        #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder / "out/labels.npy"))) == expected)
    }

    @Test func rowsThatAreNotFiniteAreNamedByShard() throws {
        let folder = try TemporaryFolder()
        var values = Self.values.map { Float($0) }
        for name in ["a", "b"] {
            try NumPy.write(values, shape: [Self.count, Self.width], to: try folder.file("s/\(name).npy", []))
        }
        values[31 * Self.width + 2] = -.infinity
        try NumPy.write(values, shape: [Self.count, Self.width], to: folder / "s/c.npy")
        for more in [[], ["--standardize"], ["--normalize"], ["--pca", "2"]] {
            expectComplaint(
                try coppice(
                    ["cluster", "--features", folder / "s", "--k", "2", "--device", "cpu", "--quiet"] + more), code: 65,
                mentions: ["\(folder / "s/c.npy"): row 31, column 2 (counted from 0)", "finite number"])
        }
        expectComplaint(
            try coppice(
                "select", "--features", folder / "s", "--strategy", "random", "--size", "3", "--quiet", "--out",
                folder / "kept.npy"), code: 65, mentions: ["c.npy: row 31, column 2"])
        #expect(try folder.names() == ["s"])
    }

    @Test func labelsOfEveryKindGiveTheSameSelection() throws {
        let folder = try TemporaryFolder()
        try NumPy.write(Self.values.map { Float($0) }, shape: [Self.count, Self.width], to: folder / "x.npy")
        let classes = (0..<Self.count).map { UInt8($0 * 7 % 3) }
        let words = ["ape", "bear", "cat"]
        let files = [
            try folder.file("y.npy", npyFile("<i8", [Self.count], bytes(classes.map { Int64($0) }))),
            try folder.file("y.idx", [0, 0, 8, 1, 0, 0, 0, UInt8(Self.count)] + classes),
            try folder.file("y.txt", Array(classes.map { "\($0)\n" }.joined().utf8)),
            try folder.file("words.txt", Array(classes.map { "\(words[Int($0)])\r\n" }.joined().utf8)),
        ]
        func select(_ labels: String, _ more: String...) throws -> Outcome {
            try coppice(
                [
                    "select", "--features", folder / "x.npy", "--labels", labels, "--score", "moderate", "--size", "9",
                    "--device", "cpu", "--json", "--out", folder / "kept.npy",
                ] + more)
        }
        var selections: [[Int64]] = []
        for file in files {
            let outcome = try select(file)
            #expect(try outcome.json()["per_class"] as? [Int] == [3, 3, 3], "\(outcome.stderr)")
            #expect(
                outcome.stderr.contains("note: \(file): the classes are 0 ape, 1 bear, 2 cat")
                    == file.hasSuffix("words.txt"))
            selections.append(try NumPyArray.read(folder / "kept.npy").integers())
        }
        #expect(Set(selections).count == 1)
        try "0\n1\n".write(toFile: folder / "short.txt", atomically: true, encoding: .utf8)
        expectComplaint(
            try select(folder / "short.txt", "--quiet"), code: 65, mentions: ["short.txt: 2 labels for 90 samples"])
        try "0\none\n".write(toFile: folder / "mixed.txt", atomically: true, encoding: .utf8)
        expectComplaint(try select(folder / "mixed.txt", "--quiet"), code: 65, mentions: ["mixed.txt: line 2: 'one'"])
        // Networks take the rows as they are, from shards of halves too.
        let halves = npyFile("<f2", [Self.count, Self.width], bytes(Self.values.map(Self.half)))
        var scores: [Data] = []
        for path in [folder / "x.npy", try folder.file("half.npy", halves)] {
            let outcome = try coppice(
                "score", "--features", path, "--labels", files[3], "--score", "el2n", "--model", "linear",
                "--networks", "2", "--score-epochs", "2", "--device", "cpu", "--quiet", "--out", folder / "scores.npy")
            #expect(outcome.status == 0, "\(outcome.stderr)")
            scores.append(try Data(contentsOf: URL(fileURLWithPath: folder / "scores.npy")))
        }
        #expect(scores[0] == scores[1])
    }

    @Test func whatDoesNotFitIsSaid() throws {
        let folder = try TemporaryFolder()
        try NumPy.write([Float](repeating: 1, count: 12), shape: [4, 3], to: folder / "three.npy")
        try NumPy.write([Float](repeating: 1, count: 12), shape: [6, 2], to: folder / "two.npy")
        func cluster(_ arguments: String...) throws -> Outcome {
            try coppice(["cluster", "--k", "2", "--device", "cpu", "--quiet"] + arguments)
        }
        expectComplaint(
            try cluster("--features", folder / "three.npy", "--features", folder / "two.npy"), code: 65,
            mentions: ["two.npy: its rows have 2 values, and those of", "three.npy have 3"])
        expectComplaint(try cluster("--features", folder / "none-*.npy"), code: 66, mentions: ["no file matches"])
        expectComplaint(
            try cluster("--features", folder.path), code: 65, mentions: ["two.npy: its rows are 2 x float32"])
        expectComplaint(
            try cluster("--standardize", "--data", folder.path), code: 64, mentions: ["--standardize is for --features"]
        )
        // An output in place of a shard.
        expectComplaint(
            try coppice(
                "select", "--features", folder / "t*.npy", "--strategy", "random", "--size", "2", "--quiet", "--out",
                folder / "two.npy"), code: 64, mentions: ["--out \(folder / "two.npy") is the file of --features"])
    }
}
