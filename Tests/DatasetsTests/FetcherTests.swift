import Foundation
import Synchronization
import Testing

@testable import Datasets
import TestSupport

/// A small data set with known checksums, and how mirrors serve it.
private struct Planted {
    let folder: TemporaryFolder
    let dataset: KnownDataset
    /// The served files by path.
    let served: [String: [UInt8]]
    let target: String

    init(compressed: Bool = true) throws {
        folder = try TemporaryFolder()
        // Noise does not compress, so the first file takes several packets.
        try writeDataset(in: folder, prefix: "origin/", train: 400, test: 5, height: 28, width: 28)
        var files: [KnownFile] = []
        var served: [String: [UInt8]] = [:]
        for part in DatasetPart.allCases {
            let contents = try bytes(of: folder.path + "/origin/" + part.rawValue)
            files.append(KnownFile(name: part.rawValue, byteCount: contents.count, sha256: sha256(contents)))
            served["/" + part.rawValue + ".gz"] = compressed ? gzip(contents) : contents
        }
        self.served = served
        target = folder.path + "/cache/planted"
        dataset = KnownDataset(name: "planted", summary: "", files: files, mirrors: [], remedy: "")
    }

    var largest: [UInt8] { served["/train-images-idx3-ubyte.gz"] ?? [] }

    func server(_ cut: @escaping @Sendable (SeenRequest, Int) -> Int? = { _, _ in nil }) throws -> LoopbackServer {
        let served = served
        return try LoopbackServer { request, earlier in
            guard let contents = served[request.path] else { return Answer(status: 404) }
            return .file(contents, from: request.rangeStart, cutAfter: cut(request, earlier))
        }
    }

    func fetcher(_ mirrors: [LoopbackServer], by tool: WebTool.Kind = .curl) -> DatasetFetcher {
        fetcher(mirrors.map(\.address), by: [tool])
    }

    func fetcher(_ mirrors: [String], timeout: Double = 10, by tools: [WebTool.Kind]) -> DatasetFetcher {
        DatasetFetcher(dataset, directory: target, mirrors: mirrors, timeout: timeout, tools: tools)
    }

    func contents() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: target).sorted() }

    func plant(_ name: String, _ bytes: [UInt8]) throws -> String {
        try folder.file("cache/planted/" + name, bytes)
    }

    /// That the four files, and nothing else, are in place and right.
    func expectComplete(_ location: DatasetLocation, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(location.directory == target && location.name == "planted", sourceLocation: sourceLocation)
        #expect(
            try contents() == location.files.map { URL(fileURLWithPath: $0).lastPathComponent }.sorted(),
            sourceLocation: sourceLocation)
        for (file, path) in zip(dataset.files, location.files) {
            #expect(ServedFile(file: file).fault(in: path) == nil, sourceLocation: sourceLocation)
        }
        #expect(try Dataset.load(location).train.count == 400, sourceLocation: sourceLocation)
    }
}

@Suite(.timeLimit(.minutes(5))) struct FetcherTests {
    private static let tools = WebTool.Kind.allCases

    @Test(arguments: [true, false], tools) func fetchesAndReportsProgress(
        compressed: Bool, tool: WebTool.Kind
    ) async throws {
        let planted = try Planted(compressed: compressed)
        let server = try planted.server()
        let reports = Mutex<[FetchProgress]>([])
        let location = try await planted.fetcher([server], by: tool).fetch { report in
            reports.withLock { $0.append(report) }
        }
        try planted.expectComplete(location)
        #expect(try planted.contents().allSatisfy { $0.hasSuffix(".gz") == compressed })
        #expect(server.requests.count == 4)
        let seen = reports.withLock { $0 }
        #expect(Set(seen.map(\.file)) == Set(DatasetPart.allCases.map(\.rawValue)))
        let first = seen.filter { $0.fileIndex == 0 }
        #expect(first.last?.received == Int64(planted.largest.count) && first.last?.total == first.last?.received)
        #expect(zip(first, first.dropFirst()).allSatisfy { $0.received < $1.received })
        // Everything is there now: no further request.
        _ = try await planted.fetcher([server], by: tool).fetch()
        #expect(server.requests.count == 4)
    }

    @Test(arguments: tools) func goesOnAfterACutConnection(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        let server = try planted.server { _, earlier in earlier == 0 ? 100_000 : earlier == 1 ? 5000 : nil }
        try planted.expectComplete(try await planted.fetcher([server], by: tool).fetch())
        #expect(server.requests.prefix(3).map(\.rangeStart) == [nil, 100_000, 105_000])
        #expect(server.requests.count == 6)
    }

    @Test(arguments: tools) func goesOnWhereAnEarlierAttemptEnded(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        let broken = try planted.server { _, _ in 70_000 }
        // The small files pass; the large one breaks off each time, until the attempts are used up.
        let error = try await #require(throws: DatasetError.self) {
            try await planted.fetcher([broken], by: tool).fetch()
        }
        #expect(error.category == .temporary)
        #expect(try planted.contents() == ["train-images-idx3-ubyte.part"])
        let kept = try bytes(of: planted.target + "/train-images-idx3-ubyte.part").count
        #expect(kept == 4 * 70_000)
        let whole = try planted.server()
        try planted.expectComplete(try await planted.fetcher([whole], by: tool).fetch())
        #expect(whole.requests.first?.rangeStart == kept)
    }

    /// A mirror cannot fill the disk.
    @Test(arguments: tools) func moreThanTheFileHasIsGivenUp(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        let endless = [UInt8](repeating: 0, count: 5 << 20)
        let server = try LoopbackServer { _, _ in Answer(body: endless) }
        let error = try await #require(throws: DatasetError.self) {
            try await planted.fetcher([server], by: tool).fetch()
        }
        #expect(error.description.contains("it sends more than the file has"), "\(error)")
        #expect(try planted.contents().isEmpty)
        let whole = try planted.server()
        try planted.expectComplete(try await planted.fetcher([server, whole].map(\.address), by: [tool]).fetch())
    }

    @Test(arguments: tools) func startsOverWhereTheServerHasNoRanges(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        _ = try planted.plant("train-images-idx3-ubyte.part", Array(planted.largest.prefix(999)))
        let served = planted.served
        let server = try LoopbackServer { request, _ in Answer(body: served[request.path] ?? []) }
        try planted.expectComplete(try await planted.fetcher([server], by: tool).fetch())
        #expect(server.requests.map(\.rangeStart) == [999, nil, nil, nil])
    }

    @Test(arguments: tools) func startsOverWhenWhatWasThereIsWrong(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        _ = try planted.plant("train-images-idx3-ubyte.part", [UInt8](repeating: 1, count: 999))
        let server = try planted.server()
        try planted.expectComplete(try await planted.fetcher([server], by: tool).fetch())
        #expect(server.requests.prefix(2).map(\.rangeStart) == [999, nil])
    }

    @Test(arguments: tools) func startsOverAfterAWrongRange(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        _ = try planted.plant("train-images-idx3-ubyte.part", Array(planted.largest.prefix(999)))
        let served = planted.served
        let server = try LoopbackServer { request, _ in
            // Always from byte 5 on, whatever was asked for.
            .file(served[request.path] ?? [], from: request.rangeStart == nil ? nil : 5)
        }
        try planted.expectComplete(try await planted.fetcher([server], by: tool).fetch())
        #expect(server.requests.prefix(2).map(\.rangeStart) == [999, nil])
    }

    /// 416 answers a .part that is whole already, and one that is too long.
    @Test(arguments: [0, 40], tools) func copesWithNothingLeftToSend(excess: Int, tool: WebTool.Kind) async throws {
        let planted = try Planted()
        _ = try planted.plant(
            "train-images-idx3-ubyte.part", planted.largest + [UInt8](repeating: 7, count: excess))
        let server = try planted.server()
        try planted.expectComplete(try await planted.fetcher([server], by: tool).fetch())
        #expect(server.requests.first?.rangeStart == planted.largest.count + excess)
        #expect(server.requests.count == (excess == 0 ? 4 : 5))
    }

    @Test(arguments: tools) func takesTheNextMirror(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        let empty = try LoopbackServer { _, _ in Answer(status: 404, body: Array("no such file".utf8)) }
        let server = try planted.server()
        try planted.expectComplete(try await planted.fetcher([empty, server], by: tool).fetch())
        // Having failed once, the first is not asked again.
        #expect(empty.requests.count == 1 && server.requests.count == 4)
    }

    @Test(arguments: tools) func leavesNothingWrongInPlace(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        let other = gzip(idx([400, 28, 28], [UInt8](repeating: 5, count: 400 * 784)))
        let largest = planted.largest
        let wrong = try LoopbackServer { request, _ in .file(other, from: request.rangeStart) }
        let noGzip = try LoopbackServer { _, _ in Answer(body: Array("<html>log in first</html>".utf8)) }
        let damaged = try LoopbackServer { request, _ in
            var contents = largest
            contents[contents.count / 2] ^= 0xff
            return .file(contents, from: request.rangeStart)
        }
        let refusing = try LoopbackServer { _, _ in Answer(status: 503) }
        let servers = [wrong, noGzip, damaged, refusing]
        let error = try await #require(throws: DatasetError.self) {
            try await planted.fetcher(servers, by: tool).fetch()
        }
        guard case .fetchFailed("planted", "train-images-idx3-ubyte", let failures) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.category == .temporary)
        #expect(failures.map(\.address) == servers.map { $0.address + "train-images-idx3-ubyte.gz" })
        let words = ["SHA-256", "bytes", "", "status 503"]
        for (failure, word) in zip(failures, words) {
            #expect(word.isEmpty || failure.reason.contains(word), "\(failure.reason)")
            #expect(error.description.contains(failure.address) && error.description.contains(failure.reason))
        }
        #expect(try planted.contents().allSatisfy { $0.hasSuffix(".part") })
    }

    @Test func replacesAWrongFile() async throws {
        let planted = try Planted()
        _ = try planted.plant("train-labels-idx1-ubyte", [1, 2, 3])
        let server = try planted.server()
        try planted.expectComplete(try await planted.fetcher([server]).fetch())
    }

    @Test(arguments: tools) func reportsAServerThatIsSilentOrAbsent(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        let silent = try LoopbackServer { _, _ in Answer(silence: 4) }
        // This server is gone when the line ends, and its port with it.
        let closed = try planted.server().address
        let fetcher = planted.fetcher([silent.address, closed, "ftp://x/", "not a url"], timeout: 1, by: [tool])
        let error = try await #require(throws: DatasetError.self) { try await fetcher.fetch() }
        guard case .fetchFailed(_, _, let failures) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(failures.count == 4 && failures.allSatisfy { !$0.reason.isEmpty })
        #expect(failures.prefix(2).allSatisfy { $0.reason.hasPrefix(tool.rawValue + ":") })
    }

    @Test(arguments: tools) func followsARedirection(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        let server = try planted.server()
        let target = server.address
        let moved = try LoopbackServer { request, _ in
            Answer(status: 302, headers: ["Location": target + request.path.dropFirst()], body: Array("moved".utf8))
        }
        try planted.expectComplete(try await planted.fetcher([moved], by: tool).fetch())
        #expect(moved.requests.count == 4 && server.requests.count == 4)
    }

    @Test func saysWhatToFetchWhereNoProgramCan() async throws {
        let planted = try Planted()
        let fetcher = planted.fetcher(["http://one/", "http://two"], by: [])
        let error = try await #require(throws: DatasetError.self) { try await fetcher.fetch() }
        #expect(error.category == .unavailable)
        for word in ["curl", "wget", planted.target] + planted.dataset.files.map(\.sha256) {
            #expect(error.description.contains(word), "\(word)")
        }
        for name in DatasetPart.allCases.map(\.rawValue) {
            #expect(error.description.contains("http://one/\(name).gz\n    http://two/\(name).gz"))
        }
        // What is there already is not asked for, and where all is there nothing is.
        let server = try planted.server()
        try planted.expectComplete(try await planted.fetcher([server]).fetch())
        try planted.expectComplete(try await fetcher.fetch())
        #expect(server.requests.count == 4)
        unlink(planted.target + "/t10k-labels-idx1-ubyte.gz")
        let rest = try await #require(throws: DatasetError.self) { try await fetcher.fetch() }
        #expect(rest.description.contains("t10k-labels-idx1-ubyte") && !rest.description.contains("train-images"))
    }

    @Test func readsHeaders() throws {
        let partial = try #require(
            AnswerHeader(Array("HTTP/2 206\r\nContent-Range: bytes 5-9/10\r\ncontent-length:5\r\n\r\n".utf8)))
        #expect(partial.status == 206 && partial.rangeStart == 5 && partial.contentLength == 5)
        #expect(!partial.isPreliminary)
        let moved = try #require(AnswerHeader(Array("HTTP/1.1 301 Moved\nLocation: x\n\n".utf8)))
        #expect(moved.isPreliminary && moved.contentLength == nil && moved.rangeStart == nil)
        #expect(try #require(AnswerHeader(Array("HTTP/1.1 100 Continue".utf8))).isPreliminary)
        #expect(try !#require(AnswerHeader(Array("HTTP/1.1 304 Not Modified".utf8))).isPreliminary)
        for text in ["", "HTTP/1.1", "HTTP/1.1 x", "HTTP/1.1 -200", "SSH-2.0 200"] {
            #expect(AnswerHeader(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test(arguments: tools) func keepsWhatCameBeforeAnInterrupt(tool: WebTool.Kind) async throws {
        let planted = try Planted()
        let largest = planted.largest
        let stalling = try LoopbackServer { request, _ in
            var answer = Answer.file(largest, from: request.rangeStart, cutAfter: 50_000)
            answer.silenceAtCut = 3
            return answer
        }
        let fetcher = planted.fetcher([stalling], by: tool)
        let (received, report) = AsyncStream.makeStream(of: Int64.self)
        let task = Task { try await fetcher.fetch { report.yield($0.received) } }
        for await count in received where count == 50_000 { break }
        task.cancel()
        let error = try await #require(throws: DatasetError.self) { try await task.value }
        #expect(error == .cancelled(name: "planted") && error.category == .cancelled)
        let server = try planted.server()
        try planted.expectComplete(try await planted.fetcher([server], by: tool).fetch())
        #expect(server.requests.first?.rangeStart == 50_000)
    }

    @Test func oneProcessFetchesIntoAFolder() async throws {
        let planted = try Planted()
        _ = try planted.plant("other", [])
        let lock = open(planted.target, O_RDONLY)
        #expect(flock(lock, LOCK_EX) == 0)
        defer { close(lock) }
        let server = try planted.server()
        await #expect(throws: DatasetError.fetchInProgress(directory: planted.target)) {
            try await planted.fetcher([server]).fetch()
        }
        #expect(server.requests.isEmpty)
    }

    @Test func saysWhatCannotBeFetched() async throws {
        let folder = try TemporaryFolder()
        let locator = DatasetLocator(environment: ["HOME": folder.path], systemDirectory: folder.path + "/system")
        let unknown = try await #require(throws: DatasetError.self) {
            try await DatasetFetcher.fetch("minst", locator: locator)
        }
        #expect(unknown.category == .usage && unknown.description.contains("fashion-mnist"))
        let packaged = try await #require(throws: DatasetError.self) {
            try await DatasetFetcher.fetch("fashion-mnist", locator: locator)
        }
        #expect(packaged.category == .noInput && packaged.description.contains("apt install dataset-fashion-mnist"))
        try writeDataset(in: folder, prefix: "system/fashion-mnist/")
        let found = try await DatasetFetcher.fetch("fashion-mnist", locator: locator)
        #expect(found.directory == folder.path + "/system/fashion-mnist")
        // A folder that cannot be made, because a file is in its place.
        _ = try folder.file("blocked", [1])
        let planted = try Planted()
        let blocked = DatasetFetcher(planted.dataset, directory: folder.path + "/blocked/x", mirrors: [])
        let error = try await #require(throws: DatasetError.self) { try await blocked.fetch() }
        #expect(error.category == .cannotCreate)
    }
}
