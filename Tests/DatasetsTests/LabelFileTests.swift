import Foundation
import Testing

@testable import Datasets
import TestSupport

@Suite struct LabelFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ text: String) throws -> LabelFile {
        try LabelFile.read(try folder.file("y.txt", Array(text.utf8)))
    }

    @Test func everyFormatIsRead() throws {
        let labels: [UInt8] = [3, 0, 255, 7]
        var paths: [String] = []
        for (index, contents) in [
            npyFile("|u1", [4], labels), npyFile("|i1", [4], [3, 0, 100, 7]),
            npyFile("<i2", [4], bytes(labels.map { Int16($0) })),
            npyFile(">i8", [4], bytes(labels.map { Int64($0) }, bigEndian: true)),
            idx([4], labels), gzip(idx([4], labels)), Array("3\n0\n255\n7\n".utf8), Array("3\r\n 0\t\r\n255\r\n7".utf8),
            gzip(Array("\u{feff}3\n0\n255\n+7\n".utf8)),
        ].enumerated() {
            // Names say nothing.
            paths.append(try folder.file("\(index)", contents))
        }
        for path in paths {
            let file = try LabelFile.read(path)
            #expect(file.labels == (path.hasSuffix("/1") ? [3, 0, 100, 7] : labels), "\(path)")
            #expect(file.names.isEmpty && file.note == nil)
        }
    }

    @Test func wordsAreNumberedInTheOrderOfTheirBytes() throws {
        let file = try read("dog\ncat\nzebra \nDog\ncat\né\ne\u{301}\n")
        #expect(file.names == ["Dog", "cat", "dog", "e\u{301}", "zebra", "é"])
        #expect(file.labels == [2, 1, 4, 0, 1, 5, 3])
        #expect(file.note == "\(folder / "y.txt"): the classes are 0 Dog, 1 cat, 2 dog, 3 e\u{301}, 4 zebra, 5 é")
        let many = try read((0..<256).map { "class\($0)" }.joined(separator: "\n"))
        #expect(many.names.count == 256 && many.labels.max() == 255)
        #expect(many.note?.hasSuffix("19 class115 and 236 more") == true, "\(many.note ?? "")")
    }

    @Test(arguments: [
        ("", "it is empty"), ("1\n\n2\n", "line 2: it is blank"), ("1\n256\n", "line 2: label 256 is outside 0 to 255"),
        ("-1\n", "line 1: label -1 is outside"), ("1\n2\ncat\n", "line 3: 'cat' is not a whole number"),
        ("cat\n3\n", "line 2: '3' is a number, and the labels before it are words"),
        ("1.0\n2.0\n", "line 1: '1.0' is not a whole number"), ("cat\nnan\n", "line 2: 'nan' is a number"),
        ((0...256).map { "c\($0)\n" }.joined(), "line 257: 'c256' would be class number 257"),
    ])
    func whatIsNoLabelIsNamedWithItsLine(text: String, words: String) throws {
        let error = try #require(throws: DatasetError.self) { try read(text) }
        #expect(error.category == .badData && error.description.contains("y.txt: \(words)"), "\(error)")
    }

    @Test func whatIsNoFileOfLabelsIsRefused() throws {
        for (contents, words) in [
            ([0x63, 0x0a, 0xff, 0xfe, 0x0a], "line 2: it is not text in UTF-8"),
            ([0x63, 0, 0x63], "line 1: it is not text"),
            (idx([2, 2, 1], [1, 2, 3, 4]), "magic number"), (npyFile("<f4", [1], [0, 0, 0, 0]), "holds floats"),
            (npyFile("<i4", [1, 1], [0, 0, 0, 0]), "one dimension is needed"),
            (npyFile("<i4", [1], [0, 1, 0, 0]), "label 256 at position 0"),
        ] as [([UInt8], String)] {
            let error = try #require(throws: DatasetError.self) { try LabelFile.read(try folder.file("y", contents)) }
            #expect(error.category == .badData && error.description.contains(words), "\(error)")
        }
        let error = try #require(throws: DatasetError.self) { try LabelFile.read(folder / "none") }
        #expect(error.category == .noInput)
    }
}
