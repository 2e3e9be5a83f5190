import Datasets
import Foundation
import Support
import TestSupport
import Testing

/// `coppice dedup` from files to files.
@Suite struct DedupCommandTests {
    private static let dimensions = 6

    /// Rows in every direction, of which the last `twins` are nearly the first.
    private func rows(_ count: Int, twins: Int, seed: UInt64) -> [Float] {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        var values = (0..<(count - twins) * Self.dimensions).map { _ in Float(random.nextUniform(-1, 1)) }
        values += values.prefix(twins * Self.dimensions).map { $0 + Float(random.nextUniform(-1e-3, 1e-3)) }
        return values
    }

    private func write(_ values: [Float], to path: String) throws {
        try NumPy.write(values, shape: [values.count / Self.dimensions, Self.dimensions], to: path)
    }

    private func lines(_ path: String) throws -> [[String: Any]] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.isEmpty || text.hasSuffix("}\n"))
        return try text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    private func dedup(_ folder: TemporaryFolder, _ more: [String], k: Int = 3) throws -> Outcome {
        try coppice(
            [
                "dedup", "--features", folder / "x.npy", "--k", "\(k)", "--out", folder / "kept.npy", "--device", "cpu",
                "--quiet",
            ] + more)
    }

    private func kept(_ folder: TemporaryFolder, _ name: String = "kept.npy") throws -> [Int64] {
        try NumPyArray.read(folder / name).integers()
    }

    @Test func aThresholdDropsWhatSelectDrops() throws {
        let folder = try TemporaryFolder()
        try write(rows(300, twins: 60, seed: 1), to: folder / "x.npy")
        for eps in ["0.001", "0.05", "0.3"] {
            let outcome = try dedup(
                folder,
                ["--eps", eps, "--json", "--pairs", folder / "pairs.jsonl", "--curve", folder / "curve.csv"])
            #expect(outcome.status == 0, "\(outcome.stderr)")
            let selected = try coppice(
                "select", "--features", folder / "x.npy", "--k", "3", "--score", "semdedup", "--eps", eps, "--out",
                folder / "selected.npy", "--device", "cpu", "--quiet")
            #expect(selected.status == 0, "\(selected.stderr)")
            let kept = try kept(folder)
            #expect(Set(kept) == Set(try self.kept(folder, "selected.npy")), "eps \(eps)")
            let report = try outcome.json()
            let dropped = 300 - kept.count
            #expect(report["kept"] as? Int == kept.count && report["dropped"] as? Int == dropped)
            #expect(report["n"] as? Int == 300 && report["zero_rows"] as? Int == 0 && report["old"] == nil)
            #expect(try #require(report["largest_cosine_kept"] as? Double) <= 1 - (Double(eps) ?? 0) + 1e-6)
            let pairs = try lines(folder / "pairs.jsonl")
            #expect(pairs.compactMap { $0["dropped"] as? Int } == (0..<300).filter { !kept.contains(Int64($0)) })
            for pair in pairs {
                #expect(kept.contains(Int64(try #require(pair["kept"] as? Int))))
                #expect((-1...1).contains(try #require(pair["cosine"] as? Double)) && pair["old"] == nil)
                #expect((0..<3).contains(try #require(pair["cluster"] as? Int)))
            }
            let curve = try String(contentsOfFile: folder / "curve.csv", encoding: .utf8).split(separator: "\n")
            #expect(curve.first == "eps,dropped,kept" && curve.contains("\(eps),\(dropped),\(kept.count)"))
        }
    }

    @Test func aBudgetIsExactAndInMemoryOfAnySize() throws {
        let folder = try TemporaryFolder()
        try write(rows(300, twins: 60, seed: 2), to: folder / "x.npy")
        let outcome = try dedup(folder, ["--size", "240", "--keep", "first"], k: 1)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        // Each twin comes after its original.
        #expect(try kept(folder).sorted() == (0..<240).map(Int64.init))
        for words in ["kept 240 of 300 rows", "dropped 60 rows in 1 of 1 cluster\n"] {
            #expect(outcome.stdout.contains(words), "\(outcome.stdout)")
        }
        #expect(!outcome.stdout.contains("most were dropped"), "each goes for a row of its own")
        expectComplaint(
            try dedup(folder, ["--size", "240", "--memory", "5M"]), code: 64,
            mentions: ["deduplicating 300 rows", "5M are allowed"])
        let highest = try dedup(folder, ["--size", "240", "--keep", "score", "--score", folder / "s.npy"])
        expectComplaint(highest, code: 66, mentions: ["s.npy"])
        try NumPy.write((0..<300).map { Float($0) }, shape: [300], to: folder / "s.npy")
        let last = try dedup(folder, ["--size", "240", "--keep", "score", "--score", folder / "s.npy"], k: 1)
        #expect(last.status == 0, "\(last.stderr)")
        #expect(try kept(folder).sorted() == (60..<300).map(Int64.init))
        // A score that is made here.
        let made = try dedup(folder, ["--eps", "0.001", "--keep", "score", "--score", "distance"])
        let furthest = try kept(folder)
        #expect(made.status == 0, "\(made.stderr)")
        #expect(try dedup(folder, ["--eps", "0.001"]).status == 0)
        #expect(try kept(folder) == furthest)
    }

    @Test func newRowsAreHeldAgainstAnOldSet() throws {
        let folder = try TemporaryFolder()
        let old = rows(90, twins: 20, seed: 3)
        // The first ten are nearly old ones, the last five nearly the tenth to fourteenth.
        let fresh = rows(40, twins: 0, seed: 4)
        let d = Self.dimensions
        let near = old.prefix(10 * d).map { $0 * 1.5 } + fresh + fresh.prefix(5 * d).map { $0 * 2 }
        try write(near, to: folder / "x.npy")
        try NumPy.write(old.map { Double($0) }, shape: [90, d], to: folder / "old.npy")
        let outcome = try dedup(
            folder, ["--eps", "1e-6", "--against", folder / "old.npy", "--pairs", folder / "p.jsonl", "--json"], k: 1)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try outcome.json()
        #expect(report["n"] as? Int == 55 && report["old"] as? Int == 90 && report["dropped"] as? Int == 15)
        let kept = try kept(folder)
        #expect(kept.allSatisfy { (10..<55).contains($0) })
        for pair in try lines(folder / "p.jsonl") {
            let (row, partner) = (
                try #require(pair["dropped"] as? Int), try #require(pair["kept"] as? Int)
            )
            if row < 10 {
                // Row i of the old set, or its own near-twin there.
                #expect(pair["old"] as? Bool == true && partner == row)
            } else {
                #expect(pair["old"] == nil && kept.contains(Int64(partner)) && abs(row - partner) == 40)
            }
        }
        // Shards of an old set are inputs as others are, and notes on them are made.
        try FileManager.default.createDirectory(atPath: folder / "shards", withIntermediateDirectories: false)
        for name in ["s10.npy", "s9.npy"] { try write(old, to: folder / "shards/\(name)") }
        for name in ["s9.npy", "s11.npy"] {
            expectComplaint(
                try dedup(
                    folder, ["--eps", "0.1", "--against", folder / "shards", "--pairs", folder / "shards/\(name)"]),
                code: 64, mentions: ["--pairs \(folder / "shards/\(name)")", "--against"])
        }
        let noted = try coppice(
            "dedup", "--features", folder / "x.npy", "--k", "1", "--eps", "0.1", "--out", folder / "k.npy",
            "--against", folder / "shards", "--against", folder / "old.npy", "--device", "cpu")
        #expect(noted.status == 0 && noted.stderr.contains("s10.npy"), "\(noted.stderr)")
        #expect(noted.stdout.contains("against 270 old rows"), "\(noted.stdout)")
        try NumPy.write([Float](repeating: 1, count: 8), shape: [2, 4], to: folder / "narrow.npy")
        expectComplaint(
            try dedup(folder, ["--eps", "0.1", "--against", folder / "narrow.npy"]), code: 65,
            mentions: ["narrow.npy", "4 columns", "6 are needed"])
        var broken = old
        broken[7 * d + 2] = .nan
        try write(broken, to: folder / "broken.npy")
        expectComplaint(
            try dedup(folder, ["--eps", "0.1", "--against", folder / "broken.npy"]), code: 65,
            mentions: ["broken.npy: row 7, column 2"])
        expectComplaint(
            try coppice(
                "dedup", "--features", folder / "broken.npy", "--k", "2", "--eps", "0.1", "--out", folder / "k.npy",
                "--against", folder / "old.npy", "--device", "cpu", "--quiet"), code: 65,
            mentions: ["broken.npy: row 7, column 2"])
    }

    @Test func idsAreInTheLogAndBesideWhatStays() throws {
        let folder = try TemporaryFolder()
        let d = Self.dimensions
        let fresh = rows(6, twins: 2, seed: 9)
        try write(fresh, to: folder / "x.npy")
        let ids = ["a", "b \"c\"", "d", "e", "f", "g"]
        _ = try folder.file("ids", Array(ids.map { $0 + "\r\n" }.joined().utf8))
        let options = [
            "--eps", "1e-3", "--keep", "first", "--pairs", folder / "p.jsonl", "--ids", folder / "ids", "--dropped",
            folder / "rest.npy",
        ]
        let outcome = try dedup(folder, options, k: 1)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        func text(_ name: String) throws -> String { try String(contentsOfFile: folder / name, encoding: .utf8) }
        let pairs = try lines(folder / "p.jsonl")
        #expect(pairs.map { $0["dropped_id"] as? String } == ["f", "g"])
        #expect(pairs.map { $0["kept_id"] as? String } == ["a", "b \"c\""])
        #expect(try text("kept.txt") == (try kept(folder)).map { ids[Int($0)] + "\r\n" }.joined())
        #expect(try kept(folder, "rest.npy") == [4, 5] && text("rest.txt") == "f\r\ng\r\n")
        #expect(outcome.stdout.contains("their lines of \(folder / "ids") are in \(folder / "kept.txt")\n"))
        let report = try dedup(folder, options + ["--json"], k: 1).json()
        #expect(report["ids_out"] as? String == folder / "kept.txt")
        #expect(report["dropped_out"] as? String == folder / "rest.npy" && report["dropped"] as? Int == 2)

        // JSONL as it is; of rows of the old set nothing is known.
        _ = try folder.file("ids", Array((0..<6).map { "{\"n\":  \($0)}\n" }.joined().utf8))
        try NumPy.write(Array(fresh.prefix(d)), shape: [1, d], to: folder / "old.npy")
        #expect(try dedup(folder, options + ["--against", folder / "old.npy"], k: 1).status == 0)
        let old = try text("p.jsonl").split(separator: "\n")
        #expect(old.count == 3 && old.allSatisfy { !$0.contains("\"old\": true") || !$0.contains("kept_id") })
        #expect(old[0].hasSuffix("\"old\": true, \"dropped_id\": {\"n\":  0}}"), "\(old)")
        #expect(old[2].hasSuffix("\"dropped_id\": {\"n\":  5}, \"kept_id\": {\"n\":  1}}"), "\(old)")
        #expect(try text("kept.jsonl").split(separator: "\n").count == 3)

        _ = try folder.file("ids", Array("a\n".utf8))
        expectComplaint(try dedup(folder, options), code: 65, mentions: ["ids: 1 line for 6 samples"])
        _ = try folder.file("ids", Array(((0..<5).map { _ in "{}\n" } + ["{\"a\"\n"]).joined().utf8))
        expectComplaint(try dedup(folder, options, k: 1), code: 65, mentions: ["ids: line 6: no JSON object"])
        // Before anything else is read.
        try FileManager.default.removeItem(atPath: folder / "x.npy")
        expectComplaint(try dedup(folder, options, k: 1), code: 65, mentions: ["ids: line 6: no JSON object"])
    }

    /// Rows that are brought piece by piece are dropped as those in memory are, byte for byte.
    @Test func streamedRowsGiveTheSameFiles() throws {
        let folder = try TemporaryFolder()
        var random = RandomStream(seed: 14, run: 0, purpose: .testing)
        let (count, twins, columns) = (20_000, 2_000, 128)
        var values = (0..<(count - twins) * columns).map { _ in Float(random.nextUniform(-1, 1)) }
        values += values.prefix(twins * columns).map { $0 + Float(random.nextUniform(-1e-3, 1e-3)) }
        try NumPy.write(values, shape: [count, columns], to: folder / "x.npy")
        func dedup(_ name: String, _ memory: [String]) throws -> Outcome {
            try coppice(
                [
                    "dedup", "--features", folder / "x.npy", "--k", "30", "--eps", "0.001", "--out",
                    folder / "\(name).npy", "--pairs", folder / "\(name).jsonl", "--curve", folder / "\(name).csv",
                    "--dropped", folder / "\(name)-rest.npy", "--device", "cpu", "--json", "--quiet",
                ] + memory)
        }
        // Next to the least that is accepted.
        let refusal = try dedup("none", ["--memory", "1M"])
        expectComplaint(refusal, code: 64, mentions: ["even when its samples are streamed; 1M are allowed"])
        let words = refusal.stderr.split(separator: " ")
        let least = try #require(words.firstIndex(of: "needs").flatMap { Int(words[$0 + 1].dropLast(2)) })
        let reports = try [("all", []), ("pieces", ["--memory", "\(least + 3)M"])].map { name, memory in
            let outcome = try dedup(name, memory)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            return try outcome.json()
        }
        #expect(reports.map { $0["streamed"] as? Bool } == [false, true])
        #expect(reports[0]["dropped"] as? Int ?? 0 >= twins / 2)
        for ending in [".npy", ".jsonl", ".csv", "-rest.npy"] {
            let files = try ["all", "pieces"].map { try Data(contentsOf: URL(fileURLWithPath: folder / $0 + ending)) }
            #expect(files[0] == files[1] && files[0].count > 100, "\(ending)")
        }
    }

    /// The old rows take the figures of the new ones, and are brought to unit length after that.
    @Test(arguments: [[], ["--normalize"]]) func oldRowsAreScaledAsTheNewOnesAre(more: [String]) throws {
        let folder = try TemporaryFolder()
        let d = Self.dimensions
        // Far from the origin, where all directions are alike unless columns are standardized.
        let fresh = rows(60, twins: 0, seed: 11).map { 100 + $0 }
        try write(fresh, to: folder / "x.npy")
        // The first ten are new rows; the others lie elsewhere, so that figures of their own would be others.
        let old = fresh.prefix(10 * d) + rows(30, twins: 0, seed: 12).map { 500 + 40 * $0 }
        try NumPy.write(Array(old), shape: [40, d], to: folder / "old.npy")
        let outcome = try dedup(
            folder,
            ["--standardize", "--eps", "1e-6", "--against", folder / "old.npy", "--pairs", folder / "p.jsonl"] + more,
            k: 1)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let pairs = try lines(folder / "p.jsonl")
        #expect(pairs.map { $0["dropped"] as? Int } == (0..<10).map { $0 })
        #expect(pairs.allSatisfy { $0["old"] as? Bool == true && $0["kept"] as? Int == $0["dropped"] as? Int })
        try NumPy.write([Float](repeating: 1, count: 8), shape: [2, 4], to: folder / "narrow.npy")
        expectComplaint(
            try dedup(folder, ["--standardize", "--eps", "0.1", "--against", folder / "narrow.npy"]), code: 65,
            mentions: ["narrow.npy", "4 columns", "6 are needed"])
    }

    @Test func rowsOfZerosStayAndAreCounted() throws {
        let folder = try TemporaryFolder()
        var values = rows(50, twins: 10, seed: 5)
        for row in [3, 17, 20] { for column in 0..<Self.dimensions { values[row * Self.dimensions + column] = 0 } }
        try write(values, to: folder / "x.npy")
        let outcome = try coppice(
            "dedup", "--features", folder / "x.npy", "--k", "1", "--eps", "1", "--out", folder / "kept.npy", "--device",
            "cpu")
        #expect(outcome.status == 0 && outcome.stderr.contains("note: 3 rows of zeros"), "\(outcome.stderr)")
        #expect(Set(try kept(folder)).isSuperset(of: [3, 17, 20]))
    }

    @Test func theLargestGroupsAndCopiesAreReported() throws {
        let folder = try TemporaryFolder()
        let d = Self.dimensions
        let different = rows(30, twins: 0, seed: 6)
        // Row 4 is there nine times, and row 7 three times.
        let copies = [Int](repeating: 4, count: 8) + [7, 7]
        try write(different + copies.flatMap { different[$0 * d..<($0 + 1) * d] }, to: folder / "x.npy")
        let options = ["--eps", "1e-9", "--keep", "first", "--pairs", folder / "p.jsonl"]
        let outcome = try dedup(folder, options)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stdout.contains("10 of them with a cosine of 1 to a row that stays"), "\(outcome.stdout)")
        #expect(outcome.stdout.contains("most were dropped for row 4: 8, row 7: 2\n"), "\(outcome.stdout)")
        #expect(try lines(folder / "p.jsonl").map { $0["kept"] as? Int } == copies)
        let report = try dedup(folder, options + ["--json"]).json()
        #expect(report["copies"] as? Int == 10 && report["clusters_with_dropped"] as? Int ?? 0 >= 1)
        let groups = try #require(report["largest_groups"] as? [[String: Int]])
        #expect(groups == [["kept": 4, "dropped": 8], ["kept": 7, "dropped": 2]])
        #expect(report["without_kept"] as? Int == 0 && report["largest_cosine_kept"] as? Double ?? 1 < 1)
    }

    @Test func whatMakesNoSenseIsRefusedBeforeAnythingIsRead() throws {
        let folder = try TemporaryFolder()
        for (options, words) in [
            ([], "--eps or --size is missing"), (["--eps", "0.1", "--size", "3"], "mutually exclusive"),
            (["--eps", "0"], "above 0 and at most 1"), (["--eps", "1.5"], "above 0 and at most 1"),
            (["--size", "0"], "--size is 0"), (["--eps", "0.1", "--keep", "score"], "--keep score requires --score"),
            (["--eps", "0.1", "--score", "el2n"], "--score requires --keep score"),
            (["--eps", "0.1", "--keep", "score", "--score", "el3n"], "el2n"),
            (["--eps", "0.1", "--keep", "score", "--score", "el2n"], "--labels"),
            (["--eps", "0.1", "--labels", "y.npy"], "--labels is for"),
            (["--eps", "0.1", "--networks", "3"], "--networks is for"),
            (["--eps", "0.1", "--pairs", folder / "kept.npy"], "is the file of --out"),
            (["--eps", "0.1", "--curve", folder / "x.npy"], "is the file of --features"),
        ] {
            let outcome = try dedup(folder, options)
            #expect(outcome.status == 64 && outcome.stderr.contains(words), "\(options): \(outcome.stderr)")
        }
        let none = try coppice(
            "dedup", "--features", folder / "x.npy", "--eps", "0.1", "--out", folder / "kept.npy", "--quiet")
        expectComplaint(none, code: 64, mentions: ["--k is missing"])
        expectComplaint(
            try dedup(folder, ["--eps", "0.1", "--pairs", "/nowhere/p.jsonl"]), code: 73, mentions: ["/nowhere/p.jsonl"]
        )
        expectComplaint(try dedup(folder, ["--eps", "0.1"]), code: 66, mentions: ["x.npy"])
        #expect(try folder.names().isEmpty)
    }
}
