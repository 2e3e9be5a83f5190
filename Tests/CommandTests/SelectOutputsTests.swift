import Datasets
import Foundation
import TestSupport
import Testing

@testable import coppice

/// What `select` writes beside the indices, and budgets.
struct SelectOutputsTests {
    private let folder: TemporaryFolder
    /// The squared distance of each sample to the one centroid there is.
    private let distances: [Float] = [9, 1, 8, 2, 7, 3, 6, 4, 5, 0]

    init() throws {
        folder = try TemporaryFolder()
        _ = try folder.file("c/x", [])
        try NumPy.write([Int32](repeating: 0, count: 10), shape: [10], to: folder / "c/labels.npy")
        try NumPy.write(distances, shape: [10], to: folder / "c/distances.npy")
        try NumPy.write((0..<20).map(Float.init), shape: [10, 2], to: folder / "X.npy")
    }

    private func run(_ command: String, limit: Double = 60) throws -> Outcome {
        try coppice(command.split(separator: " ").map(String.init), directory: folder.path, limit: limit)
    }

    /// Keeps four by a clustering, 9, 1, 3 and 5, quietly.
    private func select(_ more: String) throws -> Outcome {
        try run(
            "select --clustering c --strategy closest --quiet " + (more.contains("--budget") ? "" : "--size 4 ") + more)
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: folder / name)), as: UTF8.self)
    }

    private func indices(_ name: String) throws -> [Int64] { try NumPyArray.read(folder / name).integers() }

    private func write(_ lines: [String], to name: String = "ids", end: String = "\n") throws {
        _ = try folder.file(name, Array(lines.map { $0 + end }.joined().utf8))
    }

    /// Links to a file that is not there yet are that file.
    @Test func aLinkToNothingIsNoSecondOutput() throws {
        try FileManager.default.createSymbolicLink(atPath: folder / "rest.npy", withDestinationPath: "kept.npy")
        let outcome = try select("--out kept.npy --dropped rest.npy")
        #expect(outcome.status == 64 && outcome.stderr.contains("is the file of --out"), "\(outcome.stderr)")
        #expect(!FileManager.default.fileExists(atPath: folder / "kept.npy"))
    }

    // Lines.

    @Test func linesOfWhatIsKeptAndDropped() throws {
        try write((0..<10).map { "line \($0)" }, end: "\r\n")
        let outcome = try select("--ids ids --out kept.npy --dropped rest.npy --json")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(try indices("kept.npy") == [9, 1, 3, 5])
        #expect(try text("kept.txt") == "line 9\r\nline 1\r\nline 3\r\nline 5\r\n")
        #expect(try indices("rest.npy") == [0, 2, 4, 6, 7, 8])
        #expect(try text("rest.txt") == [0, 2, 4, 6, 7, 8].map { "line \($0)\r\n" }.joined())
        let report = try outcome.json()
        #expect(report["ids_out"] as? String == "kept.txt" && report["dropped"] as? String == "rest.npy")
        // JSONL goes into a file of its own kind; what was there of another selection is mentioned.
        _ = try folder.file("ids", Array((0..<10).map { "{\"n\": \($0)}" }.joined(separator: "\n").utf8))
        let again = try run(
            "select --clustering c --strategy closest --size 4 --ids ids --out kept.npy --dropped rest.npy")
        let stale = ["kept.txt", "rest.txt"].map { "note: \($0) is there, and is not of this selection\n" }
        #expect(again.status == 0 && stale.allSatisfy(again.stderr.contains), "\(again.stderr)")
        #expect(try text("kept.jsonl") == "{\"n\": 9}\n{\"n\": 1}\n{\"n\": 3}\n{\"n\": 5}\n")
    }

    @Test func everythingMayBeKept() throws {
        try write((0..<10).map { "\($0)" })
        let outcome = try run(
            "select --clustering c --strategy none --ids ids --out kept.npy --dropped rest.npy --quiet")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(try indices("rest.npy").isEmpty && text("rest.txt").isEmpty)
        #expect(try text("kept.txt") == text("ids"))
    }

    @Test func linesThatDoNotFitAreRefused() throws {
        for (bytes, words) in [
            ("a\n", "1 line for 10 samples"), (String(repeating: "a\n", count: 10) + "\n", "the last one is empty"),
            ("{}\n\n", "line 2: it is blank"), ("{}\n{}\n{\n", "line 3: no JSON object"),
        ] {
            _ = try folder.file("ids", Array(bytes.utf8))
            for source in ["--clustering c --strategy closest", "--features X.npy --k 2 --strategy closest"] {
                let outcome = try run("select \(source) --size 4 --ids ids --out kept.npy --device cpu --quiet")
                expectComplaint(outcome, code: 65, mentions: ["ids: ", words])
            }
        }
        expectComplaint(try select("--ids none --out kept.npy"), code: 66, mentions: ["none: cannot be read"])
        #expect(try folder.names() == ["X.npy", "c", "ids"])
    }

    // Details.

    @Test func detailsOfEachSample() throws {
        var lines = (0..<10).map { "line \($0)" }
        lines[1] = "a, \"b\""
        lines[9] = ""
        try write(lines)
        try NumPy.write([Int64](0..<10).map { $0 + 1 << 60 }, shape: [10], to: folder / "s.npy")
        #expect(try select("--ids ids --out kept.npy --details d.csv").status == 0)
        #expect(
            try text("d.csv") == """
                rank,index,id,score,cluster,distance
                0,9,,,0,0.0
                1,1,"a, ""b\""",,0,1.0
                2,3,line 3,,0,2.0
                3,5,line 5,,0,3.0

                """)
        let scored = try run(
            "select --clustering c --score s.npy --size 2 --out kept.npy --details d.csv --quiet")
        #expect(scored.status == 0, "\(scored.stderr)")
        #expect(
            try text("d.csv")
                == "rank,index,id,score,cluster,distance\n0,9,,1152921504606846985,0,0.0\n1,8,,1152921504606846984,0,5.0\n"
        )
        let distance = try run(
            "select --features X.npy --score k-center --size 2 --out kept.npy --details d.csv --device cpu --quiet")
        #expect(distance.status == 0, "\(distance.stderr)")
        #expect(try text("d.csv").split(separator: "\n").dropFirst().allSatisfy { $0.hasSuffix(",,") })
    }

    /// A score is what `coppice score` says it is, whichever end is kept.
    @Test(arguments: ["moderate", "aum", "semdedup"]) func scoresAreThoseOfScore(score: String) throws {
        try NumPy.write((0..<60).map { Float($0 * $0 % 17) }, shape: [30, 2], to: folder / "Y.npy")
        try NumPy.write((0..<30).map { Int64($0 % 3) }, shape: [30], to: folder / "y.npy")
        let ask =
            "--features Y.npy --score \(score) --device cpu --quiet"
            + (score == "semdedup" ? " --k 3" : " --labels y.npy")
            + (score == "aum" ? " --model linear --score-epochs 2 --networks 1" : "")
        let all = try run("score \(ask) --out s.npy")
        #expect(all.status == 0, "\(all.stderr)")
        let selected = try run("select \(ask) --size 7 --out kept.npy --details d.csv")
        #expect(selected.status == 0, "\(selected.stderr)")
        let scores = try NumPyArray.read(folder / "s.npy").doubles
        let rows = try text("d.csv").split(separator: "\n").dropFirst()
        #expect(rows.count == 7)
        for row in rows {
            let fields = row.split(separator: ",", omittingEmptySubsequences: false)
            let index = try #require(Int(fields[1]))
            let score = try #require(Double(fields[3]))
            #expect(fields.count == 6 && Float(score) == Float(scores[index]), "\(row)")
        }
    }

    // Links.

    private func writeImages() throws -> [String] {
        let paths = (0..<10).map { "train/\($0 % 2 == 1 ? "odd" : "even")/\($0 / 4).jpg" }
        for path in paths { _ = try folder.file("images/\(path)", Array(path.utf8)) }
        return paths
    }

    @Test func linksLeadToTheKeptImages() throws {
        let paths = try writeImages()
        try write(paths.map { "{\"path\": \"\($0)\"}" })
        let outcome = try select("--ids ids --data images --link out --out kept.npy --json")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(try outcome.json()["link_folders"] as? Int == 1)
        // 9, 1, 3 and 5: two of them have one name.
        #expect(try folder.names(in: "out") == ["odd"])
        #expect(try folder.names(in: "out/odd") == ["0-2.jpg", "0.jpg", "1.jpg", "2.jpg"])
        #expect(try text("out/odd/2.jpg") == paths[9] && text("out/odd/1.jpg") == paths[5])
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: folder / "out/odd/2.jpg")
        #expect(target.hasPrefix("/") && target.hasSuffix("images/train/odd/2.jpg"))
        // A folder that is full is left alone, whatever was there.
        let again = try select("--ids ids --data images --link out --out other.npy")
        expectComplaint(again, code: 73, mentions: ["out: cannot be created: it exists and is not empty"])
        #expect(try !folder.names().contains("other.npy"))
    }

    @Test func linksAreNotMadeAmongTheImages() throws {
        try write(try writeImages())
        for place in ["images/train/new", "images/test", "images/train/odd/links"] {
            let outcome = try select("--ids ids --data images --link \(place) --out kept.npy")
            expectComplaint(
                outcome, code: 64, mentions: ["--link \(place) would be read as a part of", "images, the next"])
        }
        let beside = try select("--ids ids --data images --link images/kept --out kept.npy")
        #expect(beside.status == 0, "\(beside.stderr)")
    }

    @Test func pathsStartFromTheFolderOfTheLines() throws {
        let paths = try writeImages()
        try write(paths, to: "images/list")
        try write([folder / "images/\(paths[0])"] + paths.dropFirst(), to: "images/more")
        try FileManager.default.createDirectory(atPath: folder / "empty", withIntermediateDirectories: false)
        for (ids, link) in [("images/list", "empty"), ("images/more", "new/er")] {
            let outcome = try run(
                "select --features X.npy --strategy random --size 10 --ids \(ids) --link \(link) --out kept.npy --quiet"
            )
            #expect(outcome.status == 0, "\(outcome.stderr)")
            #expect(try folder.names(in: link) == ["even", "odd"])
            #expect(try folder.names(in: "\(link)/even").count == 5)
        }
        #expect(try folder.names() == ["X.npy", "c", "empty", "images", "kept.npy", "kept.txt", "new"])
    }

    @Test func imagesThatAreNotThereAreNamed() throws {
        let paths = try writeImages()
        try write(paths)
        let elsewhere = try select("--ids ids --link out --out kept.npy")
        expectComplaint(elsewhere, code: 66, mentions: ["none of the 10 lines", "relative paths start from", "--data"])
        try FileManager.default.removeItem(atPath: folder / "images/\(paths[5])")
        try FileManager.default.createDirectory(
            atPath: folder / "images/\(paths[5])", withIntermediateDirectories: false)
        try FileManager.default.removeItem(atPath: folder / "images/\(paths[9])")
        let outcome = try select("--ids ids --data images --link out --out kept.npy --dropped rest.npy")
        #expect(outcome.status == 66)
        let named = outcome.complaints
        #expect(named.count == 3 && named[0].contains("2 of the 4 kept images are not there"))
        #expect(
            named[1].contains("odd/2.jpg (sample 9): No such file")
                && named[2].contains("(sample 5): it is a directory"))
        #expect(try folder.names() == ["X.npy", "c", "ids", "images"])
        // Those that are dropped need not be there.
        let others = try run(
            "select --clustering c --strategy furthest --size 4 --ids ids --data images --link out --out kept.npy --quiet"
        )
        #expect(others.status == 0, "\(others.stderr)")
    }

    @Test func pathsNeedNotBeUTF8() throws {
        let made = try shell(
            "d=$(printf 'caf\\351'); mkdir \"$d\" && echo x >\"$d/1.jpg\" && for i in 0 1 2 3 4 5 6 7 8 9; do "
                + "echo \"$d/1.jpg\"; done >ids", directory: folder.path)
        #expect(made.status == 0, "\(made.stderr)")
        let outcome = try select("--ids ids --link out --out kept.npy --details d.csv")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let linked = try shell(
            "cat out/$(printf 'caf\\351')/1-4.jpg; LC_ALL=C grep -ac $(printf '\\351') d.csv", directory: folder.path)
        #expect(linked.stdout == "x\n4\n", "\(linked.stdout) \(linked.stderr)")
    }

    @Test func anInterruptLeavesNothing() throws {
        _ = try writeImages()
        try write([String](repeating: "train/odd/0.jpg", count: 2000))
        try writeNoise(count: 2000, dimensions: 20, to: folder / "noise.npy")
        let before = try folder.names()
        let command =
            "select --features noise.npy --k 1000 --iterations 1000000 --strategy furthest --size 9 --device cpu"
            + " --ids ids --data images --link out --dropped rest.npy --details d.csv --out kept.npy"
        let outcome = try coppice(
            command.split(separator: " ").map(String.init), interrupting: "clustering 2000 samples",
            directory: folder.path)
        #expect(outcome.status == 130 && outcome.secondsAfterInterrupt < 5, "\(outcome.stderr)")
        #expect(outcome.stderr.contains("interrupted, nothing was written"), "\(outcome.stderr)")
        #expect(try folder.names() == before)
    }

    @Test func linesWithoutAPath() throws {
        _ = try writeImages()
        for (line, words) in [
            ("{\"file\": 1}", "has no field \"path\""), ("{\"path\": 1}", "\"path\" is a number; a string is needed"),
            ("{\"path\": \"\"}", "the path is empty"), ("{\"path\": \"a\", \"path\": \"b\"}", "is there twice"),
            ("{\"path\"}", "no JSON object"),
        ] {
            try write([line] + [String](repeating: "{\"path\": \"train/odd/0.jpg\"}", count: 9))
            let outcome = try select("--ids ids --data images --link out --out kept.npy")
            expectComplaint(outcome, code: 65, mentions: ["ids: line 1: ", words])
        }
    }

    // Budgets.

    @Test func aBudgetIsFilledInRankOrder() throws {
        let costs = ["1", "2", "3", "4.5", "5", "6", "7", "0.5", "9", "3"]
        try write(costs.enumerated().map { "{\"n\": \($0.offset), \"tokens\": \($0.element)}" })
        // In rank order 9, 1, 3, 5, 7, 8, 6, 4, 2, 0 they cost 3, 2, 4.5, 6, 0.5, 9, 7, 5, 3, 1.
        for (budget, kept, used) in [
            ("10", [9, 1, 3, 7], "10"), ("9.9", [9, 1, 3], "9.5"), ("5.5", [9, 1, 7], "5.5"), ("1", [7], "0.5"),
            ("1e9", [9, 1, 3, 5, 7, 8, 6, 4, 2, 0], "41"), ("16", [9, 1, 3, 5, 7], "16"),
            ("16.5", [9, 1, 3, 5, 7], "16"),
            ("17", [9, 1, 3, 5, 7, 0], "17"),
        ] as [(String, [Int64], String)] {
            let outcome = try select("--ids ids --budget-column tokens --budget \(budget) --out kept.npy --json")
            #expect(outcome.status == 0, "\(outcome.stderr)")
            #expect(try indices("kept.npy") == kept, "\(budget)")
            let report = try outcome.json()
            let limit = try #require(report["budget"] as? Double)
            let left = try #require(report["budget_left"] as? Double)
            #expect(report["budget_used"] as? Double == Double(used) && limit == Double(budget))
            #expect(abs(limit - left - (Double(used) ?? 0)) < 1e-9 && left >= 0)
            #expect(report["kept"] as? Int == kept.count && report["requested"] as? Int == kept.count)
        }
        let text = try select("--ids ids --budget-column tokens --budget 10.25 --out kept.npy")
        #expect(text.stdout.contains("tokens: 10 of 10.25, 0.25 left\n"), "\(text.stdout)")
    }

    @Test(arguments: [
        ("--ids ids --budget-column tokens --out k.npy", 64, "--budget-column requires --budget"),
        ("--ids ids --budget 3 --out k.npy", 64, "--budget requires --budget-column"),
        ("--budget-column tokens --budget 3 --out k.npy", 64, "--budget-column requires --ids"),
        ("--ids ids --budget-column tokens --budget 3 --size 4 --out k.npy", 64, "mutually exclusive"),
        ("--ids ids --budget-column tokens --budget 3 --quota article --out k.npy", 64, "--quota exact"),
        ("--ids ids --budget-column tokens --budget 3 --strategy none --out k.npy", 64, "--strategy none"),
        ("--ids ids --budget-column tokens --budget 0.5 --out k.npy", 64, "the least that a sample costs is 1"),
        ("--ids ids --budget-column cost --budget 3 --out k.npy", 65, "ids: line 1: it has no field \"cost\""),
        ("--ids ids --budget-column low --budget 3 --out k.npy", 65, "ids: line 1: \"low\" is -1; a number from 0 up"),
        ("--ids ids --budget-column word --budget 3 --out k.npy", 65, "ids: line 1: \"word\" is a string; a number"),
        ("--ids text --budget-column tokens --budget 3 --out k.npy", 65, "requires JSONL, and the first line of text"),
        ("--ids text.txt --budget-column tokens --budget 3 --out k.npy", 65, "text.txt is text by its name"),
        ("--link out --out k.npy", 64, "--link requires --ids"),
    ]) func badBudgets(_ more: String, _ code: Int32, _ words: String) throws {
        try write([String](repeating: #"{"tokens": 1, "low": -1, "word": "1"}"#, count: 10))
        for name in ["text", "text.txt"] { try write([String](repeating: "{tokens}", count: 10), to: name) }
        expectComplaint(try select(more), code: code, mentions: [words])
        #expect(try folder.names() == ["X.npy", "c", "ids", "text", "text.txt"])
    }

    @Test(arguments: ["0", "-1", "x", "1e19", "nan"]) func noBudgetIsOfNothing(budget: String) throws {
        try write([String](repeating: #"{"tokens": 1}"#, count: 10))
        let outcome = try select("--ids ids --budget-column tokens --budget=\(budget) --out k.npy")
        #expect(outcome.status == 64 && outcome.stderr.contains("a number above 0 is needed"), "\(outcome.stderr)")
    }

    @Test func ordersOfASizeTakeNoBudget() throws {
        try write([String](repeating: #"{"tokens": 1}"#, count: 10))
        try NumPy.write((0..<10).map { Int64($0 % 2) }, shape: [10], to: folder / "y.npy")
        for (ask, words) in [
            ("--score typiclust", "--score typiclust ranks"),
            ("--score dual --labels y.npy --model linear", "--score dual ranks"),
            ("--score el2n --keep beta --labels y.npy --model linear", "--keep beta ranks"),
            ("--score semdedup --k 2 --eps 0.1", "--eps says what is kept, in place of --budget"),
        ] {
            let outcome = try run(
                "select --features X.npy \(ask) --ids ids --budget-column tokens --budget 3 --out k.npy --quiet")
            expectComplaint(outcome, code: 64, mentions: [words])
        }
        for k in ["", "--k 2"] {
            let outcome = try run(
                "select --features X.npy --score typiclust --kmeans lloyd \(k) --size 3 --out k.npy --quiet")
            expectComplaint(outcome, code: 64, mentions: ["is for a clustering, and none is made here"])
        }
        let outcome = try run(
            "select --features X.npy --score k-center --ids ids --budget-column tokens --budget 3 --out k.npy --device cpu --quiet"
        )
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let sized = try run("select --features X.npy --score k-center --size 3 --out s.npy --device cpu --quiet")
        #expect(sized.status == 0)
        #expect(try indices("k.npy") == indices("s.npy"))
    }

    /// Greedy orders are picked in stages, and that changes nothing: what a budget keeps is what fits down the whole order.
    @Test(arguments: ["--score k-center", "--score herding --k 7 --within cluster"], [700, 3000])
    func aBudgetOfAGreedyOrderIsOfAllOfIt(ask: String, budget: Int) throws {
        let count = 1500
        try writeNoise(count: count, dimensions: 3, to: folder / "noise.npy")
        // Samples that cost nothing fit wherever they are; otherwise the end of the order is out of reach.
        let least = budget < 1000 ? 1 : 0
        let costs = (0..<count).map { least + $0 * 7919 % 5 + ($0 % 3 == 0 ? 40 : 0) }
        try write(costs.map { "{\"n\": \($0)}" })
        let command = "select --features noise.npy \(ask) --device cpu --quiet --out kept.npy"
        let whole = try run("\(command) --size \(count)")
        #expect(whole.status == 0, "\(whole.stderr)")
        var (expected, sum): ([Int64], Int) = ([], 0)
        for index in try indices("kept.npy") where sum + costs[Int(index)] <= budget {
            expected.append(index)
            sum += costs[Int(index)]
        }
        let outcome = try run("\(command) --ids ids --budget-column n --budget \(budget)")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stdout.contains("n: \(sum) of \(budget), \(budget - sum) left"), "\(outcome.stdout)")
        #expect(try indices("kept.npy") == expected)
    }

    // Places.

    @Test(arguments: [
        ("--ids kept.txt --out kept.npy", 64, "the list beside --out kept.txt is the file of --ids, which is read"),
        ("--out kept.npy --dropped kept.npy", 64, "--dropped kept.npy is the file of --out, which is written too"),
        ("--ids ids --out kept.npy --details kept.txt", 64, "--details kept.txt is the file of the list beside --out"),
        ("--ids ids --out kept.npy --dropped kept", 64, "the list beside --dropped kept.txt is the file of the list"),
        ("--out kept.npy --details c/labels.npy", 64, "is the file of --clustering"),
        ("--out kept.npy --dropped none/d.npy", 73, "none/d.npy: cannot be created"),
        ("--out kept.npy --details c", 73, "c: cannot be created: it is a directory"),
        ("--ids ids --out /dev/null", 64, "/dev/null is a device or a pipe, and the lines of --ids go beside it"),
        ("--ids ids --out kept.npy --link X.npy", 73, "X.npy: cannot be created: a file of that name exists"),
        ("--ids ids --out kept.npy --link kept.npy", 64, "--link kept.npy is the file of --out"),
        ("--ids ids --out empty/kept.npy --link empty", 64, "is in the folder of --link"),
        ("--ids ids --out kept.npy --link ids/x", 73, "Not a directory"),
    ]) func placesThatAreTaken(_ more: String, _ code: Int32, _ words: String) throws {
        try write((0..<10).map { "\($0)" })
        try write((0..<10).map { "\($0)" }, to: "kept.txt")
        try FileManager.default.createDirectory(atPath: folder / "empty", withIntermediateDirectories: false)
        expectComplaint(try select(more), code: code, mentions: [words])
        #expect(try folder.names() == ["X.npy", "c", "empty", "ids", "kept.txt"])
        #expect(try folder.names(in: "empty").isEmpty)
    }

    /// Where one output fails, none is there.
    @Test func allOrNothing() throws {
        let paths = try writeImages()
        try write(paths.map { $0 + "/" + String(repeating: "x", count: 3000) }, to: "long")
        try FileManager.default.createDirectory(atPath: folder / "out", withIntermediateDirectories: false)
        let outcome = try shell(
            "ulimit -f 8; exec \"$COPPICE\" select --clustering c --strategy closest --size 8 --ids long --dropped out/d.npy"
                + " --details out/d.csv --out out/kept.npy --quiet", directory: folder.path)
        expectComplaint(outcome, code: 74, mentions: ["writing failed: File too large"])
        #expect(try folder.names(in: "out").isEmpty)
    }

    // Python.

    private func python(_ outcome: Outcome, _ more: String) throws -> [String] {
        let lines = outcome.stdout.components(separatedBy: "\n")
        let start = try #require(lines.firstIndex(of: "in Python:"))
        #expect(lines.count == start + 5 && lines.last == "", "\(outcome.stdout)")
        _ = try folder.file("use.py", Array((lines[(start + 1)...(start + 3)] + [more]).joined(separator: "\n").utf8))
        let result = try shell("PYTHONPATH=. python3 use.py", directory: folder.path)
        #expect(result.status == 0, "\(result.stderr)")
        return result.stdout.split(separator: "\n").map(String.init)
    }

    @Test(.enabled(if: hasPython, "this host has no python3")) func linesOfPythonReadIds() throws {
        try write((0..<10).map { "{\"n\": \($0)}" })
        #expect(
            try python(select("--ids ids --out kept.npy"), "print([row[\"n\"] for row in rows])")
                == ["4 {'n': 9}", "[9, 1, 3, 5]"])
        // Lines that Python's text files would cut in two, in a folder whose name needs quoting.
        let odd = "a\u{2028}b\rc\u{0B}\u{1C}é"
        try write((0..<10).map { $0 == 9 ? odd : "\($0)" }, end: "\r\n")
        _ = try folder.file("it's \"x\"/y", [])
        let outcome = try coppice(
            ["select", "--clustering", "c", "--strategy", "closest", "--size", "4", "--ids", "ids", "--quiet", "--out"]
                + ["it's \"x\"/kept.npy"], directory: folder.path)
        let printed = try python(outcome, "print(ids == [\"a\\u2028b\\rc\\x0b\\x1c\\u00e9\", \"1\", \"3\", \"5\"])")
        #expect(printed.last == "True")
    }

    @Test(.enabled(if: hasPython, "this host has no python3")) func linesOfPythonReadLinks() throws {
        try write(try writeImages())
        // What torchvision has under this name, in small.
        let loader = """
            import os
            class ImageFolder(list):
                def __init__(self, root):
                    self.classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
                    super().__init__(name for label in self.classes for name in os.listdir(f"{root}/{label}"))
            """
        _ = try folder.file("torchvision/__init__.py", [])
        _ = try folder.file("torchvision/datasets.py", Array(loader.utf8))
        let outcome = try select("--ids ids --data images --link out --out kept.npy")
        #expect(try python(outcome, "") == ["4 images of 1 classes"])
    }

    /// EMNIST's files have rows and columns exchanged; Python reads the files as they are.
    @Test(.enabled(if: hasNumPy, "this host has no NumPy for python3")) func linesOfPythonTransposeImages() throws {
        try SyntheticData(train: 20, test: 6, height: 12, width: 16).write(to: folder / "data")
        let outcome = try run(
            "select --data data --transposed --strategy random --size 2 --out kept.npy --device cpu --quiet")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let check = """
            raw = np.fromfile("data/train-images-idx3-ubyte", np.uint8)
            n, rows, columns = raw[:16].view(">i4")[1:]
            pixels = raw[16:].reshape(n, rows, columns)
            print(images.shape == (2, columns, rows), all((images[i] == pixels[kept[i]].T).all() for i in range(2)))
            """
        #expect(try python(outcome, check) == ["True True"])
    }

    /// Shards in a folder or by a pattern, members of archives, and several of them.
    @Test(.enabled(if: hasNumPy, "this host has no NumPy for python3")) func linesOfPythonReadShards() throws {
        let made = try shell(
            """
            mkdir 's[1]' && python3 -c '
            import numpy as np
            X = np.arange(20.0).reshape(10, 2)
            np.save("s[1]/a-10.npy", X[:3]); np.save("s[1]/a-9.npy", X[3:]); np.savez("z.npz", a=X[:3], b=X[3:])
            np.save("kept.npy", np.array([9, 1, 3]))
            '
            """, directory: folder.path)
        #expect(made.status == 0, "\(made.stderr)")
        let shards = folder / "s[1]"
        for paths in [
            [shards], [shards + "/"], [folder / "s?1?/a-*.npy"], [folder / "z.npz:a", folder / "z.npz:b"],
            [shards + "/a-10.npy", folder / "z.npz:b"], [folder / "X.npy"],
        ] {
            for lines in [nil, folder / "kept.txt"] {
                try "a\nb\nc\n".write(toFile: folder / "kept.txt", atomically: true, encoding: .utf8)
                let text = PythonLines(samples: .matrix(paths), kept: folder / "kept.npy", lines: lines).text
                #expect(text.count == 3)
                try (text + ["print(X.tolist())"]).joined(separator: "\n")
                    .write(toFile: folder / "use.py", atomically: true, encoding: .utf8)
                let outcome = try shell("python3 use.py", directory: folder.path)
                #expect(outcome.stdout == "[[18.0, 19.0], [2.0, 3.0], [6.0, 7.0]]\n", "\(text) \(outcome.stderr)")
            }
        }
        let tensors = PythonLines(samples: .matrix(["a.safetensors:x"]), kept: "k.npy").text
        #expect(
            tensors == [
                "import numpy as np; from safetensors.numpy import load_file", "kept = np.load(\"k.npy\")",
                "X = load_file(\"a.safetensors\")[\"x\"][kept]",
            ])
    }

    @Test(.enabled(if: hasNumPy, "this host has no NumPy for python3")) func linesOfPythonReadRows() throws {
        let features = "select --features X.npy --strategy random --size 3 --quiet --out kept.npy"
        #expect(try python(run(features), "print(X.shape, (X[:, 0] == 2 * kept).all())") == ["(3, 2) True"])
        try write((0..<10).map { "\($0)" })
        #expect(
            try python(run(features + " --ids ids"), "print((X[:, 0] == [2 * int(id) for id in ids]).all())") == [
                "True"
            ])
    }
}

private func python3(_ code: String) -> Bool { (try? shell("python3 -c '\(code)'"))?.status == 0 }
private let hasPython = python3("pass")
private let hasNumPy = python3("import numpy")
