import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct SampleIDsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func lines(_ bytes: [UInt8]) throws -> SampleIDs {
        .lines(try Identifiers(try folder.file("ids", bytes)))
    }

    private func paths(_ paths: [[UInt8]]) -> SampleIDs {
        .paths(SampleFiles(directory: folder.path, paths: paths, classes: paths))
    }

    @Test func linesOfTextAreStringsOfJSON() throws {
        let texts = ["plain", "a \"b\" \\ /", "tab\tü€😀", "", "\u{2028}\u{7F}", "x\u{1}\u{1F}"]
        let ids = try lines(Array(texts.map { $0 + "\n" }.joined().utf8))
        for (index, text) in texts.enumerated() {
            let json = Data("[".utf8) + (try ids.json(index)) + Data("]".utf8)
            #expect(try JSONSerialization.jsonObject(with: json) as? [String] == [text])
        }
    }

    /// Bytes that are no UTF-8 come back by the reader of fields, and by Python.
    @Test func bytesThatAreNotUTF8AreEscaped() throws {
        for bytes in [[0x63, 0xE9], [0xFF, 0xC3, 0xA9, 0xC3], [0xF0, 0x9F, 0x98], [0xED, 0xB2, 0x80]] as [[UInt8]] {
            let json = try lines(bytes + [0x0A]).json(0)
            #expect(String(validating: json, as: UTF8.self) != nil)
            let object = Array("{\"a\": ".utf8) + json + Array("}".utf8)
            let field = try object.withUnsafeBytes { try JSONField.named("a", in: $0) }
            #expect(field == .string(bytes), "\(bytes)")
        }
        #expect(try lines([0x63, 0xE9, 0x0A]).json(0) == Array("\"c\\udce9\"".utf8))
    }

    @Test func linesOfJSONLStayAsTheyAre() throws {
        let ids = try lines(Array("{\"a\":  1.50}\r\n {\"b\": 2}\n{\"c\": }\n".utf8))
        #expect(try ids.json(0) == Array("{\"a\":  1.50}".utf8) && ids.json(1) == Array(" {\"b\": 2}".utf8))
        let error = try #require(throws: DatasetError.self) { try ids.json(2) }
        #expect(error.description.contains("ids: line 3: no JSON object"), "\(error)")
    }

    @Test(
        arguments: [
            ("{\"title\": \"t\", \"id\": 5, \"path\": \"p\"}", "p"), ("{\"title\": \"t\", \"id\": 5}", "5"),
            ("{\"title\": \"t\", \"path\": null}", "t"), ("{\"path\": \"\", \"id\": \"i\"}", "i"),
            ("{\"text\": \"0123456789\"}", "{\"text\": \"01234567…"), ("{\"path\"", "{\"path\""),
            ("text of a line that is long", "text of a line tha…"),
        ]) func whatPeopleReadOfAnId(line: String, shown: String) throws
    {
        #expect(try lines(Array(line.utf8)).shown(0, longest: 18) == shown)
    }

    @Test func pathsAreIds() throws {
        let ids = paths([Array("a/1.png".utf8), [0x62, 0xFF]])
        #expect(!ids.isJSON && ids.firstBroken == nil)
        #expect(try ids.id(0) == Array("a/1.png".utf8) && ids.json(1) == Array("\"b\\udcff\"".utf8))
        #expect(paths([[0x61], [0x61, 0x0A, 0x62]]).firstBroken == 1)
        #expect(paths([[0x61, 0x0D], [0x0D, 0x61]]).firstBroken == 0)
        #expect(try lines([0x61, 0x0A]).firstBroken == nil)
        let places = try ImagePaths(ids)
        #expect(try places.path(0) == Array("\(places.root)/a/1.png".utf8))
    }
}

/// Where outputs would be read as data.
@Suite struct DataFolderTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let image = MadePNG.file(width: 1, height: 1, pixels: [1])
        for path in ["plain/cat/1.png", "plain/dog/1.png", "parts/train/cat/1.png", "parts/other/x"] {
            _ = try folder.file(path, image)
        }
        for path in ["shards/train-0.npy", "shards/more-0.npy", "a1/x.npy", "a2/x.npy"] {
            _ = try folder.file(path, [1])
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder / "link", withDestinationPath: folder / "plain/cat")
    }

    @Test(arguments: [
        ("plain", "plain/cat/kept.npy", true), ("plain", "plain/new/kept.npy", true), ("plain", "link/kept.npy", true),
        ("plain", "plain/cat/new/er/kept.npy", true), ("plain", "plain/kept.npy", false),
        ("plain", "plain/.hidden/kept.npy", false), ("plain", "kept.npy", false), ("plain", "plainer/a/b", false),
        ("plain/", "plain/cat/../dog/k.npy", true), ("plain", "plain/cat/.kept.npy", false),
        ("parts", "parts/train/cat/kept.npy", true), ("parts", "parts/train/kept.npy", false),
        ("parts", "parts/test/new/kept.npy", true), ("parts", "parts/other/kept/x.npy", false),
        ("shards", "shards/a/kept.npy", false), ("none", "none/a/b", false),
    ]) func imagesTakeWhatIsInClassFolders(directory: String, file: String, isTaken: Bool) {
        #expect(Formats.imageFolder(folder / directory, takes: folder / file) == isTaken)
    }

    @Test(arguments: [
        ("shards", "shards/kept.npy", true), ("shards/", "shards/kept.npy", true), ("shards", "shards/kept.txt", false),
        ("shards", "shards/.kept.npy", false), ("shards", "shards/new/kept.npy", false),
        ("shards/train-*.npy", "shards/train-kept.npy", true), ("shards/train-*.npy", "shards/kept.npy", false),
        ("a?/*.npy", "a2/kept.npy", true), ("a?/*.npy", "shards/kept.npy", false),
        ("shards/train-0.npy", "shards/kept.npy", false),
    ]) func matricesTakeWhatTheirNamesMatch(path: String, file: String, isTaken: Bool) {
        #expect(Formats.matrix(folder / path, takes: folder / file) == isTaken)
    }
}
