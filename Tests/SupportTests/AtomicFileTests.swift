import Foundation
import Support
import TestSupport
import Testing

@Suite struct AtomicFileTests {
    @Test func replacesAWholeFileAndKeepsALink() throws {
        let folder = try TemporaryFolder()
        let target = try folder.file("target", [9, 9, 9])
        let link = try folder.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        try AtomicFile.write([1], to: link)
        #expect(FileManager.default.contents(atPath: target) == Data([1]))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
        #expect(try folder.names() == ["link", "target"])
    }

    @Test func writesPiecesOneAfterTheOther() throws {
        let folder = try TemporaryFolder()
        var left = 3
        try AtomicFile.write(to: folder.file("pieces", [9])) {
            left -= 1
            return left < 0 ? nil : [UInt8](repeating: UInt8(left), count: left + 1)
        }
        #expect(FileManager.default.contents(atPath: folder.path + "/pieces") == Data([2, 2, 2, 1, 1, 0]))
        #expect(try folder.names() == ["pieces"])
    }

    /// A link may point to a file that is not there yet, through other links and by relative paths.
    @Test func makesWhatALinkPointsTo() throws {
        let folder = try TemporaryFolder()
        let files = FileManager.default
        try files.createDirectory(atPath: folder.path + "/below", withIntermediateDirectories: true)
        try files.createSymbolicLink(atPath: folder.path + "/first", withDestinationPath: "below/second")
        try files.createSymbolicLink(atPath: folder.path + "/below/second", withDestinationPath: "third")
        for value in [1, 2] as [UInt8] {
            try AtomicFile.checkCanWrite(folder.path + "/first")
            try AtomicFile.write([value], to: folder.path + "/first")
            #expect(try files.destinationOfSymbolicLink(atPath: folder.path + "/first") == "below/second")
            #expect(try files.destinationOfSymbolicLink(atPath: folder.path + "/below/second") == "third")
            #expect(files.contents(atPath: folder.path + "/below/third") == Data([value]))
            #expect(try files.contentsOfDirectory(atPath: folder.path + "/below").sorted() == ["second", "third"])
        }
    }

    @Test func refusesLinksThatLeadNowhere() throws {
        let folder = try TemporaryFolder()
        for (name, target) in [("circle", "circle"), ("one", "two"), ("two", "one"), ("missing", "none/file")] {
            try FileManager.default.createSymbolicLink(atPath: folder.path + "/" + name, withDestinationPath: target)
        }
        for name in ["circle", "one", "missing"] {
            for attempt in [
                { path in try AtomicFile.checkCanWrite(path) }, { path in try AtomicFile.write([1], to: path) },
            ] as [(String) throws -> Void] {
                let error = try #require(throws: FileError.self) { try attempt(folder.path + "/" + name) }
                #expect(
                    error.category == .cannotCreate && error.description.contains("/\(name): cannot be created: "),
                    "\(error)")
            }
        }
        #expect(try folder.names() == ["circle", "missing", "one", "two"])
    }

    @Test func movesAFileToWhereALinkPoints() throws {
        let folder = try TemporaryFolder()
        let (file, link) = (try folder.file("file", [7]), try folder.file("link"))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "target")
        try AtomicFile.move(file, to: link)
        #expect(FileManager.default.contents(atPath: folder.path + "/target") == Data([7]))
        #expect(try folder.names() == ["link", "target"])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "target")
        // A device is no file to be replaced.
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/null", withDestinationPath: "/dev/null")
        try AtomicFile.move(try folder.file("file", [7]), to: folder.path + "/null")
        #expect(try folder.names() == ["link", "null", "target"])
        // As long a name as there is leaves no room for a longer one beside it.
        let long = folder.path + "/" + String(repeating: "ä", count: 127)
        try AtomicFile.write([7], to: long)
        #expect(FileManager.default.contents(atPath: long) == Data([7]))
    }

    @Test func noRoomIsAFailedWrite() {
        for code in [ENOSPC, EDQUOT, EMFILE] {
            #expect(FileError.creating("f", code).category == .writeFailed)
        }
        for code in [ENOENT, EACCES, EROFS] { #expect(FileError.creating("f", code).category == .cannotCreate) }
    }

    @Test func saysWhatCannotBeWritten() throws {
        let folder = try TemporaryFolder()
        let missing = folder.path + "/none/x.npy"
        for path in [missing, folder.path] {
            let error = try #require(throws: FileError.self) { try AtomicFile.write([1], to: path) }
            #expect(error.category == .cannotCreate)
        }
        #expect(try folder.names().isEmpty)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"))) func reportsAFullDisk() throws {
        let error = try #require(throws: FileError.self) {
            try AtomicFile.write(header: [1], elements: [Float](repeating: 1, count: 5000), to: "/dev/full")
        }
        #expect(error.category == .writeFailed)
        // The device itself is still there.
        #expect(FileManager.default.fileExists(atPath: "/dev/full"))
    }
}
