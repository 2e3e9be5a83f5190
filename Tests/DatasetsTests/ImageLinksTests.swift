import Datasets
import Foundation
import Support
import TestSupport
import Testing

@Suite struct ImageLinksTests {
    private func names(_ paths: [String]) -> [String] {
        ImageLinks(to: paths.map { Array($0.utf8) }).links.map {
            String(decoding: $0.folder + [UInt8(ascii: "/")] + $0.name, as: UTF8.self)
        }
    }

    @Test func theClassIsTheFolderThatAFileIsIn() {
        #expect(names(["/d/train/cat/1.jpg", "/d/train/dog/1.jpg"]) == ["cat/1.jpg", "dog/1.jpg"])
        #expect(names(["/d/cat//1.jpg", "/d/cat/./2.jpg"]) == ["cat/1.jpg", "cat/2.jpg"])
        #expect(names(["/1.jpg"]) == ["files/1.jpg"])
        #expect(names(["/usr/bin/../lib"]) == ["usr/lib"])
    }

    @Test func classesMayBeGiven() {
        let paths = ["/d/cat/1.jpg", "/d/cat/sub/1.jpg"].map { Array($0.utf8) }
        let links = ImageLinks(to: paths, of: [Array("cat".utf8), Array("cat".utf8)])
        #expect(
            links.folderCount == 1
                && links.links.map { String(decoding: $0.name, as: UTF8.self) } == ["1.jpg", "1-2.jpg"])
    }

    @Test func laterFilesOfTheSameNameGetANumber() {
        #expect(
            names(["/a/cat/1.jpg", "/b/cat/1.jpg", "/c/cat/1-2.jpg", "/a/cat/1.jpg", "/b/cat/1-2.jpg", "/a/dog/1.jpg"])
                == ["cat/1.jpg", "cat/1-2.jpg", "cat/1-2-2.jpg", "cat/1-3.jpg", "cat/1-2-3.jpg", "dog/1.jpg"])
        #expect(names(["/a/c/x", "/b/c/x", "/a/c/.x", "/b/c/.x"]) == ["c/x", "c/x-2", "c/.x", "c/.x-2"])
    }

    @Test func linksLeadToTheirFiles() throws {
        let folder = try TemporaryFolder()
        let odd: [UInt8] = [0x0A, 0xFF, 0x2E]
        let root = Array(folder.path.utf8)
        let targets = [root + "/in/cat/1".utf8, root + "/in/cat/".utf8 + odd, root + "/in/dog/1".utf8]
        let links = ImageLinks(to: targets)
        #expect(links.folderCount == 2 && links.links[1].name == odd)
        let staged = try StagedFolder(folder / "new/out/")
        try links.make(in: staged.temporary)
        #expect(!FileManager.default.fileExists(atPath: folder / "new/out"))
        try staged.commit()
        #expect(try folder.names(in: "new") == ["out"])
        #expect(try folder.names(in: "new/out") == ["cat", "dog"])
        var target = [CChar](repeating: 0, count: 4096)
        let length = readlink(folder / "new/out/dog/1", &target, 4096)
        #expect(target.prefix(length).map(UInt8.init(bitPattern:)) == targets[2])
        #expect(ImageLinks.fault(of: targets[0])?.contains("No such file") == true)
        #expect(ImageLinks.fault(of: root) == "it is a directory")
        #expect(ImageLinks.fault(of: [0x2F, 0]) != nil)
        #expect(ImageLinks.absolute(Array("a/b".utf8), from: "/x") == Array("/x/a/b".utf8))
        #expect(ImageLinks.absolute(Array("/a".utf8), from: "/x") == Array("/a".utf8))
        #expect(ImageLinks.absolute(Array("a".utf8), from: "/") == Array("/a".utf8))
    }
}
