import Foundation
import TestSupport
import Testing

/// docs/recipes/notes.md, and what its scripts make of notes and files that are not as they should be.
@Suite(.enabled(if: hasRecipesPython, "the recipes' Python is not in .venv/recipes"))
struct NotesRecipeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, _ text: String) throws { _ = try folder.file(name, Array(text.utf8)) }

    /// The objects of a JSONL file.
    private func lines(_ name: String) throws -> [[String: Any]] {
        try String(contentsOfFile: folder / name, encoding: .utf8).split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }

    private func column<Value>(_ key: String, of name: String) throws -> [Value] {
        try lines(name).map { try #require($0[key] as? Value, "\(name) has no \(key)") }
    }

    private func text(_ name: String) throws -> String { try String(contentsOfFile: folder / name, encoding: .utf8) }

    /// Expects one sentence and a code.
    private func expectComplaint(_ command: String, code: Int32, _ words: String...) throws {
        let outcome = try recipe(command, in: folder)
        #expect(outcome.status == code && outcome.stdout.isEmpty, "\(command): \(outcome.stderr)")
        #expect(outcome.complaints.count == 1, "\(command): \(outcome.stderr)")
        for word in words { #expect(outcome.stderr.contains(word), "\(command): \(outcome.stderr)") }
    }

    /// Writes 30 notes in the folders of six subjects, whose last three sections are the same in all of them.
    private func writeNotes() throws {
        let subjects = [
            "bread flour yeast oven dough crust", "engine piston valve fuel torque gear",
            "violin sonata chord tempo cello",
            "planet orbit telescope comet galaxy", "goal striker referee penalty league",
            "contract clause court lawyer verdict",
        ].map { $0.split(separator: " ").map(String.init) }
        let all = subjects.flatMap { $0 }
        for number in 0..<30 {
            let words = subjects[number % subjects.count]
            // Three words of the subject and three of any.
            func sentence(_ part: Int) -> String {
                let own = (0..<3).map { words[(number + part * ($0 + 1)) % words.count] }
                return (own + (0..<3).map { all[(7 * number + 11 * part + 5 * $0) % all.count] }).joined(separator: " ")
                    + "."
            }
            var note = "---\ntags: [x]\n---\n# \(words[0]) \(number)\n\n\(sentence(0))\n"
            for part in 1...3 { note += "\n## \(words[part]) \(number)\n\n\(sentence(part))\n" }
            note += "\n## Licence\n\nYou may copy this.\n\n## Contact\n\nSend a letter.\n\n## Sources\n\nNone known.\n"
            try write("notes/\(words[0])/\(number).md", note)
        }
    }

    @Test func thePageRunsAsWritten() throws {
        try writeNotes()
        var page = try RecipePage("notes.md")
        for name in [
            "0769-sound-generic-drop", "3646-remove-crate-transfer-mediation-policy", "3617-precise-capturing",
        ] {
            page.replace("(\(name).md)", by: "(bread/0.md)")
        }
        page.replace("--k 150", by: "--k 6")
        page.replace("--k 12 ", by: "--k 2 ")
        page.replace("--budget 200000", by: "--budget 500")
        page.replace("for seed in 1 2 3 4 5", by: "for seed in 1 2")
        page.replace(
            "--out result", by: "--out result --seeds 2 --steps 2 --width 64 --layers 1 --context 16 --batch 2")
        try page.run(in: folder)

        // Of the sections that all notes share one each is left.
        let headings: [[String]] = try column("heading", of: "unique.jsonl")
        for name in ["Licence", "Contact", "Sources"] { #expect(headings.filter { $0.last == name }.count == 1) }
        #expect(headings.count >= 30 && headings.count < 30 * 7 - 3 * 29 + 1)
        // The budget holds, and what is left over is less than any section that was not kept.
        let kept: [Int] = try column("tokens", of: "kept.jsonl")
        let sum = kept.reduce(0, +)
        #expect(sum <= 500 && sum > 400)
        #expect(try lines("train.jsonl").allSatisfy { Array($0.keys) == ["text"] })
        #expect(try column("text", of: "train.jsonl") as [String] == column("text", of: "kept.jsonl"))
        // Documents set aside are whole.
        let (aside, rest) = try (
            Set(column("path", of: "study/held-out.jsonl") as [String]),
            Set(column("path", of: "study/train.jsonl") as [String])
        )
        #expect(aside.count == 3 && rest.count == 27 && aside.isDisjoint(with: rest))
        // Every link of the index leads somewhere.
        let pages = try folder.names(in: "index").filter { $0.hasSuffix(".md") }
        #expect(pages.count == 7)
        for page in pages {
            let content = try text("index/" + page)
            let targets = content.matches(of: #/\]\(([^)#]+)(?:#[^)]*)?\)/#).map { String($0.1) }
            #expect(!targets.isEmpty, "\(page)")
            for target in targets {
                #expect(FileManager.default.fileExists(atPath: folder / "index/" + target), "\(page): \(target)")
            }
            #expect(content.contains("A summary of ") && !content.contains("<!-- summary"))
        }
        #expect(try text("index/index.md").contains("](../notes/"))
        let runs: [String] = try column("case", of: "result/runs.jsonl")
        #expect(runs == ["all", "random half", "dedup, furthest", "all", "random half", "dedup, furthest"])
        #expect(
            try text("result/table.md").hasPrefix("| case | texts | bytes | passes | bits per byte | against all | "))
    }

    @Test func notesAreCutAtTheirHeadings() throws {
        try write(
            "n/a b.md",
            "\u{FEFF}---\r\ntitle: x\r\n---\r\nbefore\r\n\r\nTitle *a* [`b`](c)\r\n=====\r\ntext\r\n\r\n```\r\n# no heading\r\n```\r\n"
                + "> # quoted\r\n## Same\r\na\r\n### Deep\r\nd\r\n## Same\r\nb\r\n## Empty\r\n\r\n# C++ & \u{C4}_ö\r\n\r\nend"
        )
        try write("n/.trash/x.md", "# hidden")
        try write("n/z.MARKDOWN", "+++\nx = 1\n+++\n")
        try write("n/picture.png", "")
        // The bytes of "é" come after those of all of ASCII.
        try write("n/é.md", "x\u{2028}y")
        let outcome = try recipe(
            "cut-notes n --out o.jsonl && cut-notes n --out again.jsonl && cmp o.jsonl again.jsonl", in: folder)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(
            outcome.complaints.prefix(2) == [
                "cut-notes: left out 1 file not named *.md or *.markdown",
                "cut-notes: left out 1 document without text and 1 heading with nothing below",
            ])
        #expect(
            try column("id", of: "o.jsonl") as [String] == [
                "a b.md", "a b.md#title-a-b", "a b.md#same", "a b.md#deep", "a b.md#same-1", "a b.md#c--ä_ö", "é.md",
            ])
        #expect(try column("line", of: "o.jsonl") as [Int] == [4, 6, 14, 16, 18, 22, 1])
        let texts: [String] = try column("text", of: "o.jsonl")
        #expect(texts[1] == "Title *a* [`b`](c)\n=====\ntext\n\n```\n# no heading\n```\n> # quoted")
        #expect(texts[6] == "x\u{2028}y")
        #expect(
            try column("heading", of: "o.jsonl") as [[String]] == [
                [], ["Title a b"], ["Title a b", "Same"], ["Title a b", "Same", "Deep"], ["Title a b", "Same"],
                ["C++ & Ä_ö"], [],
            ])
        #expect(try column("bytes", of: "o.jsonl") as [Int] == texts.map(\.utf8.count))
    }

    @Test func longSectionsAreCutAgainAndLoseNothing() throws {
        let paragraphs = (0..<40).map { "Paragraph \($0) has a few words of its own." }.joined(separator: "\n\n")
        let line = (0..<200).map { "word\($0)" }.joined(separator: " ")
        try write("n/a.md", "# Long\n\n\(paragraphs)\n")
        try write("n/b.md", "# Line\n\n\(line)\n\n" + String(repeating: "x", count: 3000))
        #expect(try recipe("cut-notes n --out o.jsonl --most 100", in: folder).status == 0)
        let entries = try lines("o.jsonl")
        #expect(entries.count > 12)
        #expect(entries.allSatisfy { ($0["tokens"] as? Int ?? 101) <= 100 })
        #expect(entries.prefix(2).map { $0["id"] as? String } == ["a.md#long", "a.md#long~2"])
        for (path, whole) in [("a.md", paragraphs), ("b.md", line + String(repeating: "x", count: 3000))] {
            let parts = entries.filter { $0["path"] as? String == path }
            #expect(parts.map { $0["part"] as? Int } == (1...parts.count).map { $0 })
            let joined = parts.map { $0["text"] as? String ?? "" }.joined().filter { !$0.isWhitespace }
            #expect(joined.hasSuffix(whole.filter { !$0.isWhitespace }))
            // Lines say where in the file a part starts.
            let content = try text("n/" + path).split(separator: "\n", omittingEmptySubsequences: false)
            for part in parts where path == "a.md" {
                let (text, number) = (part["text"] as? String ?? "?", part["line"] as? Int ?? 0)
                #expect(content[number - 1] == text.split(separator: "\n")[0])
            }
        }
    }

    @Test func filesThatAreNoTextAreNamed() throws {
        try write("n/good.md", "# A\nb")
        _ = try folder.file("n/latin.md", Array("a\n".utf8) + [0xE9])
        _ = try folder.file("n/wide.md", [0xFF, 0xFE, 0x41, 0])
        _ = try folder.file("n/zero\n.md", [0x41, 0])
        try expectComplaint(
            "cut-notes n --out o.jsonl", code: 65, "latin.md: line 2 is not in UTF-8", "wide.md: is in UTF-16",
            #"zero\n.md: line 1 has a zero byte"#, "--skip-bad goes on without them")
        #expect(try folder.names() == ["n"])
        let outcome = try recipe("cut-notes n --out o.jsonl --skip-bad", in: folder)
        #expect(outcome.status == 0 && outcome.stderr.contains("left out 3: latin.md"), "\(outcome.stderr)")
        #expect(try lines("o.jsonl").count == 1)
        try expectComplaint("cut-notes nowhere --out o.jsonl", code: 66, "nowhere: no such folder")
        try expectComplaint("cut-notes n --out o.jsonl --most 9", code: 64, "'9' is not a whole number from 16")
        try expectComplaint(
            "cut-notes n --out o.jsonl --tokenizer n/good.md", code: 65, "n/good.md: is not a tokenizer.json")
    }

    @Test func linesThatCannotBeEmbeddedAreNamed() throws {
        try write("a.jsonl", "{\"text\": \"a\"}\n{\"text\": 1}\n")
        try write("b.jsonl", "{\"text\": \"a\"}\n\n")
        try write("c.jsonl", "{\"text\": \" \"}\n")
        try expectComplaint("embed-notes a.jsonl --out x.npy", code: 65, #"a.jsonl: line 2: "text" is not a text"#)
        try expectComplaint("embed-notes a.jsonl --out x.npy --field body", code: 65, #"line 1: "body" is missing"#)
        try expectComplaint("embed-notes b.jsonl --out x.npy", code: 65, "b.jsonl: line 2 is not JSON")
        try expectComplaint("embed-notes c.jsonl --out x.npy", code: 65, #"c.jsonl: line 1: "text" is empty"#)
        #expect(try folder.names() == ["a.jsonl", "b.jsonl", "c.jsonl"])
    }

    @Test func anIndexNeedsClustersOfTheseLines() throws {
        try write("n/a (1).md", "# One\n\nends --> here <b>\n\n# Two\n\nmore of it\n")
        let made = try recipe(
            """
            cut-notes n --out a.jsonl; head -n 1 a.jsonl > one.jsonl
            python3 -c '
            import numpy as np, os
            for folder, labels in [("clusters", [1, 1]), ("topics", [0, 0]), ("short", [0])]:
                os.mkdir(folder)
                np.save(folder + "/labels.npy", np.array(labels, np.int32))
                np.save(folder + "/distances.npy", np.arange(len(labels))[::-1].astype(np.float32))
                np.save(folder + "/centroids.npy", np.zeros((2, 4)))'
            """, in: folder)
        #expect(made.status == 0, "\(made.stderr)")
        let index = "index-notes a.jsonl --notes n --out index"
        try expectComplaint(
            index + " --clusters short --topics topics", code: 65, "short/labels.npy: has the shape (1,)",
            "2 lines in a.jsonl")
        try expectComplaint(
            index + " --clusters clusters --topics short", code: 65, "short/labels.npy: has the shape (1,)", "2 rows in"
        )
        try expectComplaint(index + " --clusters none --topics topics", code: 66, "none/labels.npy: No such file")
        #expect(try !folder.names().contains("index"))
        let outcome = try recipe(index + " --clusters clusters --topics topics", in: folder)
        #expect(outcome.stdout == "index: 2 sections on one page\n", "\(outcome.stderr)")
        // The nearest comes first; a comment ends where it should; a name with a space and brackets is one link.
        let page = try text("index/index.md")
        #expect(page.contains("1. [a (1) › Two](../n/a%20%281%29.md#two)\n2. [a (1) › One](../n/a%20%281%29.md#one)"))
        #expect(page.components(separatedBy: "-->").count == 2)
        try expectComplaint(index + " --clusters clusters --topics topics", code: 73, "index: it is there")
        try expectComplaint(index + " --topics topics", code: 64, "--topics needs --clusters")
    }

    /// Writes embeddings' clusters of so many sections, and topics of these clusters.
    private func writeClusters(_ labels: [Int], topics: [Int]) throws {
        let k = topics.count
        let made = try recipe(
            """
            python3 -c '
            import numpy as np, os
            for folder, labels, k in [("clusters", \(labels), \(k)), ("topics", \(topics), \(k))]:
                os.makedirs(folder, exist_ok=True)
                np.save(folder + "/labels.npy", np.array(labels, np.int32))
                np.save(folder + "/distances.npy", np.arange(len(labels)).astype(np.float32))
                np.save(folder + "/centroids.npy", np.zeros((k, 4)))'
            """, in: folder)
        #expect(made.status == 0, "\(made.stderr)")
    }

    /// The lines of index.md without its title and places for summaries, and the names of the other pages.
    private func index(_ options: String = "--clusters clusters --topics topics") throws -> (
        told: String, lines: [String], pages: [String]
    ) {
        let outcome = try recipe(
            "rm -rf index && index-notes a.jsonl --notes n --out index \(options)", in: folder)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let content = try text("index/index.md").replacing(#/<!--.*?-->/#.dotMatchesNewlines(), with: "")
        let lines = content.split(separator: "\n").map(String.init)
        #expect(lines.first == "# Index of notes")
        return (
            outcome.stdout, Array(lines.dropFirst()),
            try folder.names(in: "index").filter { $0.hasPrefix("cluster-") }
        )
    }

    @Test func fewNotesHaveAnIndexWithoutEmptyLevels() throws {
        func write(_ notes: Int) throws {
            for number in 0..<notes {
                try self.write("n/\(number).md", "# Note \(number)\n\nkind\(number % 2) has word\(number) in it\n")
            }
            #expect(try recipe("cut-notes n --out a.jsonl", in: folder).status == 0)
        }
        func link(_ number: Int) -> String { "[\(number) › Note \(number)](../n/\(number).md#note-\(number))" }

        try write(1)
        let one = try index("")
        #expect(one.told == "index: 1 section on one page\n" && one.pages.isEmpty)
        #expect(one.lines == ["1 section.", "- \(link(0))"])
        #expect(try lines("index/prompts.jsonl").count == 1)
        // A cluster and a topic of their own add nothing.
        try writeClusters([0], topics: [0])
        #expect(try index().lines == ["1 section.", "1. \(link(0))"])

        try write(3)
        #expect(try index("").lines == ["3 sections."] + (0..<3).map { "- \(link($0))" })
        // A cluster per note, each of a topic of its own.
        try writeClusters([0, 1, 2], topics: [0, 1, 2])
        let three = try index()
        #expect(three.told == "index: 3 sections on one page\n" && three.pages.isEmpty)
        #expect(three.lines == ["3 sections in 3 groups."] + (0..<3).map { "- \(link($0))" })
        #expect(try lines("index/prompts.jsonl").isEmpty)

        try write(10)
        // Six, two and two: the last is alone in its topic.
        try writeClusters([0, 0, 0, 0, 0, 0, 1, 1, 2, 2], topics: [0, 0, 1])
        let ten = try index()
        #expect(ten.told == "index: 1 page of 10 sections in 1 topic\n" && ten.pages == ["cluster-0.md"])
        #expect(ten.lines[0] == "10 sections in 3 groups and 1 topic.")
        #expect(
            ten.lines[1].hasPrefix("## ")
                && ten.lines[2].contains("](cluster-0.md), 6 sections; most central: \(link(0))"))
        #expect(ten.lines[3...] == ["- \(link(6)), \(link(7))", "## Other groups", "- \(link(8)), \(link(9))"])
        // One topic of all needs no name, and neither do clusters without topics.
        for (topics, options) in [
            ([0, 0, 0], "--clusters clusters --topics topics"), ([0, 1, 2], "--clusters clusters"),
        ] {
            try writeClusters([0, 0, 0, 0, 0, 0, 1, 1, 2, 2], topics: topics)
            let found = try index(options)
            #expect(found.told == "index: 1 page of 10 sections\n")
            #expect(found.lines.count == 4 && !found.lines.contains { $0.hasPrefix("#") })
            #expect(try text("index/cluster-0.md").contains("6 sections of the [index](index.md)."))
        }
    }

    @Test func bothPartsOfACutAreReplacedOrNone() throws {
        for number in 0..<4 { try write("n/\(number).md", "# A\n\nb \(number)\n") }
        let cut = "cut-notes n --out train.jsonl --held-out"
        #expect(try recipe(cut + " test.jsonl", in: folder).status == 0)
        let before = try text("train.jsonl")
        try write("n/5.md", "# New\n\nnote\n")
        try FileManager.default.createDirectory(atPath: folder / "folder", withIntermediateDirectories: false)
        try expectComplaint(cut + " none/test.jsonl", code: 73, "none/test.jsonl: cannot be created")
        try expectComplaint(cut + " folder", code: 74, "folder: writing failed: Is a directory")
        #expect(try text("train.jsonl") == before)
        #expect(try folder.names() == ["folder", "n", "test.jsonl", "train.jsonl"])
        #expect(try recipe(cut + " test.jsonl", in: folder).status == 0)
        #expect(try text("train.jsonl") + text("test.jsonl") != before)
    }

    @Test func trainingsGoOnWhereTheyStopped() throws {
        try write("a.jsonl", (0..<40).map { "{\"text\": \"line \($0) of a\"}\n" }.joined())
        try write("b.jsonl", (0..<40).map { "{\"text\": \"other \($0 * $0) words\"}\n" }.joined())
        let command =
            "compare-notes all=a.jsonl part=b.jsonl --held-out a.jsonl --out r --steps 3 --width 64 --layers 1 --context 8"
        #expect(try recipe(command + " --seeds 2", in: folder).status == 0)
        let whole = try lines("r/runs.jsonl")
        let log = try text("r/runs.jsonl").split(separator: "\n")
        #expect(log.count == 4)
        // As if it had been killed in the third training.
        try write("r/runs.jsonl", log[..<2].joined(separator: "\n") + "\n")
        let outcome = try recipe(command + " --seeds 2", in: folder)
        #expect(outcome.status == 0 && outcome.stderr.contains("has 2 of 4 trainings"), "\(outcome.stderr)")
        #expect(outcome.complaints.count == 3)
        for key in ["case", "bits_per_byte", "data"] {
            #expect(try lines("r/runs.jsonl").map { "\($0[key] ?? "")" } == whole.map { "\($0[key] ?? "")" })
        }
        #expect(try text("r/table.md") == outcome.stdout)
        try expectComplaint(command + " --batch 4", code: 65, "r/runs.jsonl: line 1 has other settings")
        try write("b.jsonl", String(repeating: "{\"text\": \"new\"}\n", count: 9))
        try expectComplaint(command, code: 65, "is of other texts for part, seed 1")
        try expectComplaint(
            "compare-notes all=a.jsonl all=b.jsonl --held-out a.jsonl --out r", code: 64, "'all' names two cases")
    }
}
