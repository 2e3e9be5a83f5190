import Foundation
import Testing

@testable import Datasets
import TestSupport

/// A header and contents, filled up to whole blocks, as ustar has them.
func tarEntry(
    _ path: String, _ contents: [UInt8] = [], type: Character = "0", start: String = "", magic: String = "ustar\0",
    size: String? = nil
) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at place: Int) { block.replaceSubrange(place..<place + text.utf8.count, with: text.utf8) }
    func octal(_ number: Int, _ digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: digits - text.count) + text + "\0"
    }
    put(path, at: 0)
    put(octal(0o644, 7), at: 100)
    put(size ?? octal(contents.count, 11), at: 124)
    put(String(type), at: 156)
    put(magic, at: 257)
    put(start, at: 345)
    put("        ", at: 148)
    put(octal(block.reduce(0) { $0 + Int($1) }, 6) + " ", at: 148)
    return block + contents + [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
}

/// What ends an archive.
let tarEnd = [UInt8](repeating: 0, count: 1024)

/// The files of an archive by path.
private func files(_ archive: String) throws -> [String: [UInt8]] {
    let reader = try TarReader(archive)
    var files: [String: [UInt8]] = [:]
    while let entry = try reader.next() {
        var contents = [UInt8](repeating: 0, count: entry.byteCount + 1)
        let count = try contents.withUnsafeMutableBytes { try reader.read(into: $0) }
        files[entry.path] = Array(contents[..<count])
    }
    return files
}

@Suite struct TarTests {
    private let folder: TemporaryFolder
    private let long = [UInt8]("0123456789".utf8) + [UInt8](repeating: 7, count: 1500)

    init() throws { folder = try TemporaryFolder() }

    @Test func readsFilesAndPassesOverFolders() throws {
        let whole =
            tarEntry("./set/", type: "5") + tarEntry("./set/a", long) + tarEntry("set/b", [])
            + tarEntry("c", Array(long[..<512]), start: "set/deep")
            // GNU's variant has times where the beginning of a long path would be; older ones have no magic at all.
            + tarEntry("set/d", [1], start: "1234", magic: "ustar  \0") + tarEntry("set/e/", type: "\0", magic: "")
            + tarEntry("set/f", [2], type: "\0", magic: "")
            + tarEntry("set/x", Array("20 mtime=1244064911\n".utf8), type: "x") + tarEntry("set/g", [3])
        for bytes in [whole + tarEnd, gzip(whole + tarEnd), whole + tarEnd + [UInt8](repeating: 0, count: 9000)] {
            let found = try files(folder.file("a.tar", bytes))
            #expect(
                found == [
                    "set/a": long, "set/b": [], "set/deep/c": Array(long[..<512]), "set/d": [1], "set/f": [2],
                    "set/g": [3],
                ])
        }
    }

    /// Contents that nobody asks for, or that are asked for in part, are passed over.
    @Test func aPartOfAFileMayBeRead() throws {
        let reader = try TarReader(
            folder.file("a.tar", tarEntry("a", long) + tarEntry("b", long) + tarEntry("c", [9]) + tarEnd))
        #expect(try reader.next() == TarReader.Entry(path: "a", byteCount: long.count))
        #expect(try reader.next()?.path == "b")
        var piece = [UInt8](repeating: 0, count: 10)
        #expect(try piece.withUnsafeMutableBytes { try reader.read(into: $0) } == 10)
        #expect(piece == Array("0123456789".utf8))
        #expect(try reader.next()?.path == "c" && reader.next() == nil && reader.next() == nil)
    }

    @Test(arguments: ["ustar", "gnu", "pax", "v7", "oldgnu"]) func readsWhatTarWrites(format: String) throws {
        _ = try folder.file("in/set/a.bin", long)
        _ = try folder.file("in/set/b.txt", [1, 2, 3])
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/bin/tar")
        tar.arguments = ["-czf", folder / "a.tar.gz", "--format=\(format)", "-C", folder / "in", "set"]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        #expect(try files(folder / "a.tar.gz") == ["set/a.bin": long, "set/b.txt": [1, 2, 3]])
    }

    @Test func refusesWhatLeadsElsewhere() throws {
        let faults: [([UInt8], String)] = [
            (tarEntry("/etc/passwd", [1]), "'/etc/passwd' is not a path inside a folder"),
            (tarEntry("a/../../b", [1]), "'a/../../b' is not a path inside a folder"),
            (tarEntry("..", [1]), "not a path inside a folder"),
            (tarEntry("a", [1], start: "/root"), "'/root/a' is not a path"),
            (tarEntry("a//b", [1]), "not a path inside a folder"),
            (tarEntry("", [1]), "not a path inside a folder"),
            (tarEntry("a", type: "1"), "'a' is a link; only files and folders are unpacked"),
            (tarEntry("a\u{1b}[2J", type: "2"), "'a\\u{1B}[2J' is a link"),
            (tarEntry("a", type: "3"), "a device"), (tarEntry("a", type: "6"), "a pipe"),
            (tarEntry("././@LongLink", Array("a/b".utf8), type: "L"), "of an unknown type"),
            (tarEntry("a", Array("10 path=/x\n".utf8), type: "x") + tarEntry("a"), "extended attributes"),
            (tarEntry("a", Array("9 size=5\n".utf8), type: "g") + tarEntry("a"), "extended attributes"),
            (tarEntry("a", size: "00000000009\0"), "the size of 'a' is no octal number"),
            (tarEntry("a", size: "-0000000001\0"), "the size of 'a' is no octal number"),
        ]
        for (bytes, words) in faults {
            let path = try folder.file("a.tar", bytes + tarEnd)
            let error = try #require(throws: DatasetError.self) { try files(path) }
            #expect(error.category == .badData && error.description.hasPrefix("\(path): "), "\(error)")
            #expect(error.description.contains(words), "\(error)")
        }
    }

    /// Bytes flipped, cut out, doubled or appended: read or refused, and never a path that leads elsewhere.
    @Test(arguments: 0..<4) func damagedArchivesAreReadOrRefused(seed: Int) throws {
        var noise = Noise(seed)
        let whole =
            tarEntry("set/", type: "5") + tarEntry("set/a", long) + tarEntry("c", [1], start: "set/b")
            + tarEntry("set/x", Array("20 mtime=1244064911\n".utf8), type: "x") + tarEntry("set/g", [3]) + tarEnd
        var refused = 0
        for _ in 0..<200 {
            let path = try folder.file("damaged", DamagedInputTests.damaged(whole, &noise))
            do throws(DatasetError) {
                let reader = try TarReader(path)
                while let entry = try reader.next() {
                    #expect(!entry.path.hasPrefix("/") && !entry.path.split(separator: "/").contains(".."))
                }
            } catch {
                refused += 1
                #expect(error.category == .badData && !error.description.isEmpty)
            }
        }
        #expect(refused > 80)
    }

    @Test func refusesWhatIsDamaged() throws {
        let whole = tarEntry("a", long) + tarEntry("b", [1]) + tarEnd
        for length in [0, 100, 511, 600, 2048, 2100, whole.count - 1024, whole.count - 700] {
            let path = try folder.file("a.tar", Array(whole[..<length]))
            let error = try #require(throws: DatasetError.self, "\(length)") { try files(path) }
            #expect(error == .malformed(file: path, reason: "truncated: the archive ends too early"), "\(length)")
        }
        var damaged = whole
        damaged[3] ^= 1
        for bytes in [damaged, [UInt8]("not an archive".utf8) + whole, [UInt8](repeating: 32, count: 2048)] {
            let path = try folder.file("a.tar", bytes)
            let error = try #require(throws: DatasetError.self) { try files(path) }
            #expect(error.description.contains("no tar archive, or a damaged one"), "\(error)")
        }
        // gzip's checksum counts although all files were read before it.
        var packed = gzip(whole)
        packed[packed.count - 6] ^= 1
        let path = try folder.file("a.tar.gz", packed)
        let error = try #require(throws: DatasetError.self) { try files(path) }
        #expect(error.description.contains("corrupt gzip"), "\(error)")
    }
}
