import Datasets
import Foundation
import Support
import TestSupport
import Testing

@Suite struct IdentifiersTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ bytes: [UInt8], count: Int? = nil) throws -> Identifiers {
        try Identifiers(try folder.file("ids", bytes), count: count)
    }

    private func written(_ ids: Identifiers, _ indices: [Int]) throws -> [UInt8] {
        try ids.write(indices, to: folder / "out")
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder / "out")))
    }

    private func refusal(_ bytes: [UInt8], count: Int? = nil) throws -> String {
        let error = try #require(throws: DatasetError.self) { try open(bytes, count: count) }
        #expect(error.category == .badData)
        return error.description
    }

    @Test(
        arguments: [
            ("a\nb\nc\n", ["a", "b", "c"], "c\na\nb\n"), ("a\nb\nc", ["a", "b", "c"], "c\na\nb\n"),
            ("a\r\nb\r\nc\r\n", ["a", "b", "c"], "c\r\na\r\nb\r\n"), ("a\r\nb\nc", ["a", "b", "c"], "c\na\r\nb\n"),
            ("\n\n\n", ["", "", ""], "\n\n\n"), ("a\n\n c ", ["a", "", " c "], " c \na\n\n"),
            ("a\rb\n\r\n\r", ["a\rb", "", "\r"], "\r\na\rb\n\r\n"),
            ("{\"a\": 1}\n {}\r\n\t{}", ["{\"a\": 1}", " {}", "\t{}"], "\t{}\n{\"a\": 1}\n {}\r\n"),
            ("{}\n{", ["{}", "{"], nil), ("", [], ""), ("x", ["x"], nil), ("\n", [""], nil),
        ] as [(String, [String], String?)]) func linesAreKeptAsTheyAre(text: String, lines: [String], turned: String?)
        throws
    {
        // A byte order mark is of the file, not of its first line.
        for mark in [[], [0xEF, 0xBB, 0xBF]] as [[UInt8]] {
            let ids = try open(mark + text.utf8, count: lines.count)
            #expect(ids.isJSON == text.hasPrefix("{"))
            #expect(try lines.indices.map { String(decoding: try ids.line($0), as: UTF8.self) } == lines)
            var walked: [String] = []
            try ids.forEachLine { (index, line) throws(DatasetError) in
                #expect(index == walked.count)
                walked.append(String(decoding: line, as: UTF8.self))
            }
            #expect(walked == lines)
            if let turned { #expect(try written(ids, lines.isEmpty ? [] : [2, 0, 1]) == Array(turned.utf8)) }
        }
    }

    @Test func anyBytesAreALine() throws {
        let lines: [[UInt8]] = [[0xFF, 0xFE, 0x41], [0x00, 0x80], [0xC3], [0xF0, 0x9F]]
        let ids = try open(Array(lines.joined(separator: [0x0A])))
        #expect(try (0..<4).map { try ids.line($0) } == lines)
        #expect(try written(ids, [3, 1]) == lines[3] + [0x0A] + lines[1] + [0x0A])
    }

    /// Lines that end within, at and after the border of what is read at a time.
    @Test func longLinesAreWhole() throws {
        let sizes = [(1 << 22) - 2, 1, (1 << 22) - 1, 1 << 22, 0, 9_000_001, 3]
        let lines = sizes.enumerated().map { [UInt8](repeating: UInt8(97 + $0), count: $1) }
        let ids = try open(Array(lines.joined(separator: [0x0A])), count: sizes.count)
        var walked: [[UInt8]] = []
        try ids.forEachLine { (_, line) throws(DatasetError) in walked.append(Array(line)) }
        #expect(walked == lines)
        #expect(try written(ids, [5, 4, 6]) == lines[5] + [10, 10] + lines[6] + [10])
    }

    @Test func anotherNumberOfLinesIsRefused() throws {
        #expect(
            try refusal(Array("a\nb\n".utf8), count: 3).hasSuffix(
                "ids: 2 lines for 3 samples; one line per sample is needed"))
        #expect(try refusal(Array("a\nb\n\n".utf8), count: 2).hasSuffix("is needed, and the last one is empty"))
        #expect(try refusal(Array("a\nb\nc\n".utf8), count: 2).hasSuffix("is needed"))
        #expect(try refusal([], count: 1).contains("0 lines for 1 sample"))
    }

    @Test(arguments: [
        ("{}\n\n{}\n", "line 2: it is blank"), ("{}\n{}\n\n", "line 3: it is blank"),
        ("{}\n \t\r\n", "line 2: it is blank"),
        ("{}\n{}\n  ", "line 3: it is blank"), ("{}\n[]\n", "line 2: it does not start with {"),
        ("\u{FEFF}{}\n1", "line 2: it does not start with {"),
    ]) func linesOfJSONAreObjects(text: String, words: String) throws {
        #expect(try refusal(Array(text.utf8)).contains(words))
    }

    /// By the name, and otherwise by the start of the first line.
    @Test(arguments: [
        ("ids", "{cat}.jpg\n{dog}.jpg\n", false), ("ids", "{}\n{}\n", true), ("ids", "{ \t\"a\": 1}\n{}", true),
        ("ids", "{0f3a}", false), ("ids", "{", true), ("ids", "a\n{}\n", false), ("ids.csv", "{}", true),
        ("a.txt", "{}\n{}\n", false), ("a.TXT", "{}\nx\n", false), ("a.jsonl", "{cat}\n", true),
        ("a.NDJSON", "{}", true),
        ("a.jsonl", "", true), ("ids", "", false), ("x.jsonl/ids", "{cat}", false),
    ]) func theNameOrTheFirstLineSaysWhichKindItIs(name: String, text: String, isJSON: Bool) throws {
        let ids = try Identifiers(try folder.file(name, Array(text.utf8)))
        #expect(ids.isJSON == isJSON)
        if !isJSON { try ids.checkObjects() }
    }

    @Test(arguments: [
        ("ids", "{}\n{}\n{x\n", "line 3: no JSON object"), ("ids", "{}.jpg\n", "line 1: no JSON object"),
        ("ids", "{}.jpg\n", "; a file whose name ends in .txt is read as text"),
        ("ids", "{}\n{}\nx\n", "line 3: it does not start with {, as line 1 does"),
        ("ids", "{}\nx\n", "a file whose name ends in .txt is read as text"),
        ("ids", "{\n  \"a\": 1\n}\n", "line 2: it does not start with {"),
        ("a.jsonl", "cat\n{}\n", "line 1: it does not start with {; in JSONL each line is an object"),
        ("a.jsonl", "{}\n{}}", "line 2: no JSON object"),
    ]) func everyLineOfJSONIsRead(name: String, text: String, words: String) throws {
        let error = try #require(throws: DatasetError.self) {
            try Identifiers(try folder.file(name, Array(text.utf8))).checkObjects()
        }
        #expect(error.category == .badData && error.description.contains("\(name): line"), "\(error)")
        #expect(error.description.contains(words), "\(error)")
        #expect(name == "ids" || !error.description.contains(".txt"), "\(error)")
    }

    @Test func otherFilesAreRefused() throws {
        #expect(try refusal([0xFF, 0xFE, 0x61, 0x00, 0x0A, 0x00]).contains("UTF-16"))
        #expect(try refusal([0xFE, 0xFF, 0x00, 0x61, 0x00, 0x0A]).contains("UTF-16"))
        for (name, text) in [("ids.txt", "a.png\nb.png\n"), ("ids.jsonl", "{}\n{}\n"), ("ids", "1\n2\n")] {
            for isBig in [false, true] {
                let bytes = Array(text.utf8).flatMap { (byte: UInt8) -> [UInt8] in isBig ? [0, byte] : [byte, 0] }
                let error = try #require(throws: DatasetError.self) { try Identifiers(try folder.file(name, bytes)) }
                #expect(
                    error.description.hasSuffix(
                        "\(name): it is UTF-16, whose lines do not end with one byte; save it as UTF-8"))
            }
        }
        // A zero here and there is a byte of a line like any other.
        #expect(try open([0x61, 0x00, 0x00, 0x0A]).count == 1)
        let latin = Array("{\"path\": \"caf".utf8) + [0xE9] + Array("\"}\n".utf8)
        let error = try #require(throws: DatasetError.self) {
            try Identifiers(try folder.file("a.jsonl", Array("{}\n".utf8) + latin)).checkObjects()
        }
        #expect(
            error.description.hasSuffix("a.jsonl: line 2: it is not UTF-8, as JSON has to be; save the file as UTF-8"),
            "\(error)")
        for path in [folder.path, folder / "none"] {
            let error = try #require(throws: DatasetError.self) { try Identifiers(path) }
            #expect(error.category == .noInput && error.description.contains(path))
        }
    }

    @Test func aFileThatChangesIsAnError() throws {
        let ids = try open(Array("a\nb\nc\n".utf8))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder / "ids"))
        try file.truncate(atOffset: 3)
        for attempt in [
            { _ = try ids.line(2) }, { try ids.write([0, 2], to: folder / "out") },
            { try ids.forEachLine { (_, _) throws(DatasetError) in } },
        ] as [() throws -> Void] {
            let error = try #require(throws: DatasetError.self) { try attempt() }
            #expect(error.category == .badData && error.description.contains("changed while it was read"), "\(error)")
        }
        // What was begun is gone.
        #expect(try folder.names() == ["ids"])
        try file.seekToEnd()
        try file.write(contentsOf: Data("\nCCC\n".utf8))
        #expect(throws: DatasetError.self) { try ids.write([0], to: folder / "out") }
    }

    @Test func linesGoBesideAnArray() throws {
        let text = try open(Array("a".utf8))
        #expect(text.name(beside: "x/kept.npy") == "x/kept.txt" && text.name(beside: "kept.v2") == "kept.v2.txt")
        #expect(try open(Array("{}".utf8)).name(beside: "kept.npy") == "kept.jsonl")
    }
}
