import Foundation
import Support
import TestSupport
import Testing

@Suite struct StagedTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func filesAppearTogether() throws {
        let old = try folder.file("a", [9])
        do {
            let files = try ["a", "b"].map { try StagedFile(folder / $0) }
            for file in files {
                try file.write([UInt8](repeating: 1, count: 3_000_000))
                try file.write([2])
                try file.seal()
            }
            #expect(FileManager.default.contents(atPath: old) == Data([9]))
            #expect(try folder.names().count == 3)
            for file in files { try file.commit() }
        }
        for name in ["a", "b"] {
            let contents = try #require(FileManager.default.contents(atPath: folder / name))
            #expect(contents.count == 3_000_001 && contents.last == 2 && contents.first == 1)
        }
        #expect(try folder.names() == ["a", "b"])
    }

    @Test func whatIsNotPutInPlaceGoesAway() throws {
        do {
            let file = try StagedFile(folder / "a")
            try file.write([1])
            let sealed = try StagedFile(folder / "b")
            try sealed.seal()
            let made = try StagedFolder(folder / "c")
            try FileManager.default.createDirectory(
                atPath: made.temporary + "/sub", withIntermediateDirectories: false)
            #expect(try folder.names().count == 3)
        }
        #expect(try folder.names().isEmpty)
        #expect(throws: FileError.self) { try StagedFile(folder.path) }
        #expect(throws: FileError.self) { try StagedFile(folder / "none/a") }
    }

    @Test func aFolderTakesNoOthersPlace() throws {
        _ = try folder.file("file", [1])
        _ = try folder.file("full/file", [1])
        try FileManager.default.createDirectory(atPath: folder / "empty", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: folder / "link", withDestinationPath: "empty")
        for (name, words) in [
            ("file", "a file of that name exists"), ("full", "not empty"), ("file/new", "Not a directory"),
        ] {
            let error = try #require(throws: FileError.self) { try StagedFolder.check(folder / name) }
            #expect(error.category == .cannotCreate && error.description.contains(words), "\(error)")
        }
        for name in ["new", "new/deep/er/", "empty", "empty/"] {
            #expect(try StagedFolder.check(folder / name).hasPrefix("/"))
        }
        let staged = try StagedFolder(folder / "link")
        #expect(FileManager.default.createFile(atPath: staged.temporary + "/x", contents: nil))
        // Somebody else was faster.
        _ = try folder.file("empty/y", [1])
        #expect(throws: FileError.self) { try staged.commit() }
        try FileManager.default.removeItem(atPath: folder / "empty/y")
        try staged.commit()
        #expect(try folder.names(in: "link") == ["x"])
        #expect(try folder.names() == ["empty", "file", "full", "link"])
    }
}
