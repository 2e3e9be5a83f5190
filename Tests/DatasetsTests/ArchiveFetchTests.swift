import Foundation
import Synchronization
import Testing

@testable import Datasets
import TestSupport

/// A small CIFAR-10 in an archive with a known checksum, and how a mirror serves it.
private struct PlantedArchive {
    let folder: TemporaryFolder
    let dataset: KnownDataset
    let archive: [UInt8]
    let target: String
    /// The data files by name.
    let files: [String: [UInt8]]

    /// - Parameter change: made to the archive's entries, by path, before it is packed.
    init(_ change: (inout [String: [UInt8]]) -> Void = { _ in }, more: [UInt8] = []) throws {
        folder = try TemporaryFolder()
        try writeCIFAR10(in: folder, prefix: "origin/", perFile: 20)
        let names = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]
        var files: [String: [UInt8]] = [:]
        for name in names { files[name] = try bytes(of: folder / "origin/\(name)") }
        self.files = files
        var entries = Dictionary(uniqueKeysWithValues: files.map { ("cifar-10-batches-bin/\($0.key)", $0.value) })
        entries["cifar-10-batches-bin/readme.html"] = Array("<html>".utf8)
        change(&entries)
        let packed = entries.sorted { $0.key < $1.key }.flatMap { tarEntry($0.key, $0.value) }
        archive = gzip(tarEntry("cifar-10-batches-bin/", type: "5") + packed + more + tarEnd)
        target = folder / "cache/planted"
        dataset = KnownDataset(
            name: "planted", summary: "", files: [],
            archive: KnownArchive(
                file: KnownFile(name: "planted.tar.gz", byteCount: archive.count, sha256: sha256(archive)),
                folder: "cifar-10-batches-bin",
                members: names.map { KnownArchive.Member(name: $0, byteCount: 20 * 3073) }), mirrors: [], remedy: "")
    }

    func server(_ cut: @escaping @Sendable (Int) -> Int? = { _ in nil }) throws -> LoopbackServer {
        let archive = archive
        return try LoopbackServer { request, earlier in
            guard request.path == "/planted.tar.gz" else { return Answer(status: 404) }
            return .file(archive, from: request.rangeStart, cutAfter: cut(earlier))
        }
    }

    func fetch(
        _ mirrors: [String], by tools: [WebTool.Kind] = WebTool.Kind.allCases,
        _ progress: @escaping @Sendable (FetchProgress) -> Void = { _ in }
    ) async throws -> DatasetLocation {
        try await DatasetFetcher(dataset, directory: target, mirrors: mirrors, timeout: 10, tools: tools).fetch(
            progress)
    }

    func contents() throws -> [String] { try folder.names(in: "cache/planted") }

    /// That the files and their checksums, and nothing else, are in place and right.
    func expectComplete(_ location: DatasetLocation, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try contents() == (files.keys + ["SHA256SUMS"]).sorted(), sourceLocation: sourceLocation)
        for (name, contents) in files {
            let isEqual = try bytes(of: "\(target)/\(name)") == contents
            #expect(isEqual, "\(name)", sourceLocation: sourceLocation)
        }
        #expect(try Dataset.load(location).train.count == 100, sourceLocation: sourceLocation)
    }
}

@Suite(.timeLimit(.minutes(5))) struct ArchiveFetchTests {
    @Test(arguments: WebTool.Kind.allCases) func fetchesUnpacksAndRemovesTheArchive(tool: WebTool.Kind) async throws {
        let planted = try PlantedArchive()
        let server = try planted.server()
        let reports = Mutex<[FetchProgress]>([])
        let location = try await planted.fetch([server.address], by: [tool]) { report in
            reports.withLock { $0.append(report) }
        }
        try planted.expectComplete(location)
        let last = try #require(reports.withLock { $0.last })
        #expect(last.file == "planted.tar.gz" && last.fileCount == 1 && last.received == Int64(planted.archive.count))
        // The list is one for sha256sum.
        let sums = String(decoding: try bytes(of: planted.target + "/SHA256SUMS"), as: UTF8.self)
        let line = "\(sha256(try #require(planted.files["test_batch.bin"])))  test_batch.bin\n"
        #expect(sums.hasSuffix(line) && sums.split(separator: "\n").count == 6)
        // All is there: no further request.
        _ = try await planted.fetch([server.address], by: [])
        #expect(server.requests.count == 1)
    }

    @Test func goesOnAfterACutConnection() async throws {
        let planted = try PlantedArchive()
        let server = try planted.server { $0 == 0 ? 100_000 : nil }
        try planted.expectComplete(try await planted.fetch([server.address]))
        #expect(server.requests.map(\.rangeStart) == [nil, 100_000])
    }

    /// A file that changed since, one that went, and a list of checksums that went.
    @Test(arguments: ["data_batch_2.bin", "-data_batch_2.bin", "-SHA256SUMS"])
    func whatIsNoLongerRightIsFetchedAgain(what: String) async throws {
        let planted = try PlantedArchive()
        let server = try planted.server()
        _ = try await planted.fetch([server.address])
        if what.hasPrefix("-") {
            unlink("\(planted.target)/\(what.dropFirst())")
        } else {
            var contents = try bytes(of: "\(planted.target)/\(what)")
            contents[5000] ^= 1
            try Data(contents).write(to: URL(fileURLWithPath: "\(planted.target)/\(what)"))
        }
        try planted.expectComplete(try await planted.fetch([server.address]))
        #expect(server.requests.count == 2)
    }

    /// One that a user put there, or that an earlier fetch had no time to unpack. A wrong one is fetched.
    @Test(arguments: [true, false]) func anArchiveThatIsThereIsNotFetched(isRight: Bool) async throws {
        let planted = try PlantedArchive()
        _ = try planted.folder.file("cache/planted/planted.tar.gz", planted.archive.dropLast(isRight ? 0 : 1))
        _ = try planted.folder.file("cache/planted/data_batch_1.bin.part", [1, 2, 3])
        let server = try planted.server()
        try planted.expectComplete(
            try await planted.fetch(isRight ? [] : [server.address], by: isRight ? [] : WebTool.Kind.allCases))
        #expect(server.requests.count == (isRight ? 0 : 1))
    }

    @Test func leavesNothingWrongInPlace() async throws {
        let planted = try PlantedArchive()
        let other = try PlantedArchive { $0["cifar-10-batches-bin/data_batch_1.bin"] = [7] }
        let wrong = try other.server()
        var damaged = planted.archive
        damaged[damaged.count / 2] ^= 0xff
        let bytes = damaged
        let flipped = try LoopbackServer { request, _ in .file(bytes, from: request.rangeStart) }
        let error = try await #require(throws: DatasetError.self) {
            try await planted.fetch([wrong.address, flipped.address])
        }
        guard case .fetchFailed("planted", "planted.tar.gz", let failures) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(failures.map(\.address) == [wrong, flipped].map { $0.address + "planted.tar.gz" })
        #expect(failures[1].reason.contains("instead of \(sha256(planted.archive))"))
        #expect(try planted.contents().isEmpty)
    }

    /// What no checksum excludes here: an archive that is as it was promised, and does not hold the files.
    @Test func anArchiveWithoutTheFilesIsRefused() async throws {
        let name = "cifar-10-batches-bin/data_batch_3.bin"
        for (planted, words) in [
            (try PlantedArchive { $0[name] = nil }, "it lacks data_batch_3.bin"),
            (try PlantedArchive { $0[name]?.removeLast() }, "\(name) has 61459 bytes"),
            (try PlantedArchive(more: tarEntry(name, [UInt8](repeating: 0, count: 61460))), "is in it twice"),
            (try PlantedArchive(more: tarEntry("cifar-10-batches-bin/link", type: "2")), "is a link"),
            (try PlantedArchive(more: tarEntry("../../x", [1])), "is not a path inside a folder"),
        ] {
            let server = try planted.server()
            let error = try await #require(throws: DatasetError.self) { try await planted.fetch([server.address]) }
            #expect(error.category == .badData && error.description.contains(words), "\(error)")
            #expect(error.description.hasPrefix("\(planted.target)/planted.tar.gz: "))
            #expect(try planted.contents() == ["planted.tar.gz"])
            #expect(try planted.folder.names(in: "cache") == ["planted"])
        }
    }

    @Test func saysWhatToFetchWhereNoProgramCan() async throws {
        let planted = try PlantedArchive()
        let error = try await #require(throws: DatasetError.self) { try await planted.fetch(["http://one/x"], by: []) }
        #expect(error.category == .unavailable)
        for words in [
            "put this file into \(planted.target) and run the same command again",
            "  planted.tar.gz  SHA-256 \(sha256(planted.archive))\n    http://one/x/planted.tar.gz",
        ] {
            #expect(error.description.contains(words), "\(error)")
        }
    }

    @Test func cifarsArchivesAreKnown() throws {
        for (name, count) in [("cifar10", 6), ("cifar100", 2)] {
            let dataset = try #require(KnownDataset.named(name))
            let archive = try #require(dataset.archive)
            #expect(dataset.mirrors == ["https://www.cs.toronto.edu/~kriz/"] && archive.members.count == count)
            #expect(archive.members.map(\.byteCount).reduce(0, +) == (name == "cifar10" ? 3073 : 3074) * 60_000)
        }
    }
}
