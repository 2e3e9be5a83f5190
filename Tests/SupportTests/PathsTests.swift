import Foundation
import Support
import Testing

@Suite struct PathsTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("coppice-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: target)
    }

    private func isFolder(_ name: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isDirectory)
            && isDirectory.boolValue
    }

    @Test func linksAreFollowedToWhatIsNotThere() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/below", withIntermediateDirectories: true)
        try link("relative", to: "below/file")
        try link("absolute", to: folder + "/file")
        try link("below/up", to: "../relative")
        try link("circle", to: "circle")
        try link("one", to: "two")
        try link("two", to: "one")
        #expect(Paths.destination(of: folder + "/relative") == folder + "/below/file")
        #expect(Paths.destination(of: folder + "/absolute") == folder + "/file")
        #expect(Paths.destination(of: folder + "/below/up") == folder + "/below/../below/file")
        #expect(Paths.destination(of: folder + "/plain") == folder + "/plain")
        #expect(Paths.destination(of: folder + "/circle") == nil && Paths.destination(of: folder + "/one") == nil)
        #expect(Paths.folder(of: "a") == "." && Paths.folder(of: "/a") == "/" && Paths.folder(of: "/a/b/c") == "/a/b")
    }

    @Test func foldersAreMadeWithThoseAbove() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(Paths.makeFolder(folder + "/a/b//c/") == nil && isFolder("a/b/c"))
        #expect(Paths.makeFolder(folder + "/a/b/c") == nil)
        try link("link", to: "target/below")
        #expect(Paths.makeFolder(folder + "/link/") == nil && isFolder("target/below"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == "target/below")
        try link("circle", to: "circle")
        #expect(Paths.makeFolder(folder + "/circle") == ELOOP)
        #expect(FileManager.default.createFile(atPath: folder + "/file", contents: nil))
        #expect(Paths.makeFolder(folder + "/file") == EEXIST && Paths.makeFolder(folder + "/file/x") == ENOTDIR)
        #expect(Paths.makeFolder("/proc/none/x") == ENOENT && Paths.makeFolder("") == ENOENT)
    }

    @Test func descriptorsAreCountedUpToTheLimit() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(FileDescriptors.available(upTo: 5) == 5)
        #expect(FileDescriptors.shortage(of: 5, for: "this") == nil)
        let limit = try #require(FileDescriptors.limit)
        #expect(systemMessage(EMFILE).contains("the limit is \(limit)"))
        #expect(systemMessage(ENOSPC) == "No space left on device")
    }
}
