import Foundation
import Support

/// How far a fetch is.
package struct FetchProgress: Sendable, Equatable {
    /// The file that is being received.
    package let file: String
    /// Its place among the files, from 0.
    package let fileIndex: Int
    /// How many files there are.
    package let fileCount: Int
    /// Bytes of the file that are here, those of earlier attempts included.
    package let received: Int64
    /// Bytes the file will have, where the server says so.
    package let total: Int64?
    /// The address it comes from.
    package let address: String
}

/// A file that mirrors are asked for.
struct ServedFile: Sendable {
    let file: KnownFile
    /// Whether it is an archive, whose checksum is that of the file as it is.
    var isArchive = false

    /// Its name on a mirror.
    var servedName: String { isArchive ? file.name : file.name + ".gz" }

    /// What is wrong with the contents of `path`, as part of a sentence; nil when they are this file's.
    func fault(in path: String) -> String? {
        do throws(DatasetError) {
            let contents = try FileContents(of: path, decompresses: !isArchive, limit: file.byteCount)
            guard contents.byteCount == file.byteCount else {
                return "what it sent is not \(file.byteCount) bytes" + (isArchive ? "" : " uncompressed")
            }
            return contents.sha256 == file.sha256
                ? nil : "what it sent has the SHA-256 \(contents.sha256) instead of \(file.sha256)"
        } catch .corruptGzip(_, let reason) {
            return "what it sent is corrupt gzip: \(reason)"
        } catch {
            return error.description
        }
    }
}

/// Downloads a known data set, checks it, and puts it in place.
///
/// Each file NAME is asked for as NAME.gz and received into NAME.part; a later attempt goes on from there. Only when the
/// SHA-256 of the *uncompressed* contents is the known one is it renamed to NAME.gz (to NAME when the server sent it
/// uncompressed). A mirror that fails is followed by the next one.
///
/// An archive is received in the same way, checked by its own SHA-256, and goes once its files are in place.
package struct DatasetFetcher: Sendable {
    private let dataset: KnownDataset
    private let directory: String
    private let mirrors: [String]
    private let timeout: Double
    private let tools: [WebTool.Kind]
    /// Requests to one mirror that may break off, each having brought something, before the next mirror is tried.
    private let attempts = 4

    /// A fetcher of `dataset`.
    /// - Parameters:
    ///   - directory: the folder to fill; created when it is missing.
    ///   - mirrors: addresses of folders, instead of the data set's own.
    ///   - timeout: seconds without a byte after which a connection counts as lost.
    package init(_ dataset: KnownDataset, directory: String, mirrors: [String]? = nil, timeout: Double = 30) {
        self.init(
            dataset, directory: directory, mirrors: mirrors, timeout: timeout, tools: WebTool.Kind.allCases)
    }

    /// The same with the programs that may do it, best first.
    init(
        _ dataset: KnownDataset, directory: String, mirrors: [String]? = nil, timeout: Double, tools: [WebTool.Kind]
    ) {
        self.dataset = dataset
        self.directory = directory
        self.mirrors = mirrors ?? dataset.mirrors
        self.timeout = timeout
        self.tools = tools
    }

    /// Fetches the data set of that name into the user's cache, or says where it is when it is not downloaded but found.
    /// - Throws: ``DatasetError`` `.unknownName`; `.notFetchable` with the command that brings it; else as ``fetch(_:)``.
    package static func fetch(
        _ name: String, locator: DatasetLocator = DatasetLocator(),
        progress: @escaping @Sendable (FetchProgress) -> Void = { _ in }
    ) async throws(DatasetError) -> DatasetLocation {
        guard let dataset = KnownDataset.named(name) else {
            throw .unknownName(name: name, known: KnownDataset.all.map(\.name))
        }
        if dataset.mirrors.isEmpty {
            do throws(DatasetError) {
                return try locator.find(name)
            } catch {
                throw .notFetchable(name: name, remedy: dataset.remedy)
            }
        }
        let fetcher = DatasetFetcher(dataset, directory: locator.cacheDirectory + "/" + name)
        return try await fetcher.fetch(progress)
    }

    /// Fetches what is not there yet; files that are there and right are left alone.
    /// - Throws: ``DatasetError`` `.fetchFailed` with each mirror's reason, `.noWebTool` where neither curl nor wget
    ///   is found, `.fetchInProgress`, `.cancelled`, `.file`, `.malformed` for an archive without the data set's files.
    ///   Nothing wrong is ever left under a data file's name.
    package func fetch(_ progress: @escaping @Sendable (FetchProgress) -> Void = { _ in }) async throws(DatasetError)
        -> DatasetLocation
    {
        try inFiles { () throws(FileError) in try Folder.make(directory) }
        // The folder itself is the lock: it leaves nothing behind, not even after a crash.
        let lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { throw .file(.creating(directory)) }
        // Given back by name: a process that another thread is just starting holds a copy of the descriptor for a moment.
        defer {
            _ = flock(lock, LOCK_UN)
            close(lock)
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw .fetchInProgress(directory: directory) }
        let served: [ServedFile]
        if let archive = dataset.archive {
            let isDone = ArchiveUnpacking(archive, directory: directory).isDone
            served = isDone ? [] : [ServedFile(file: archive.file, isArchive: true)]
        } else {
            served = dataset.files.map { ServedFile(file: $0) }
        }
        let missing = served.enumerated().filter { !isInPlace($0.element) }
        if !missing.isEmpty { try await fetch(missing, of: served.count, progress) }
        if let archive = dataset.archive, !served.isEmpty {
            do throws(DatasetError) {
                try ArchiveUnpacking(archive, directory: directory).run()
            } catch .cancelled {
                throw .cancelled(name: dataset.name)
            }
        }
        return try DatasetLocator.location(directory: directory, name: dataset.name)
    }

    private func fetch(
        _ missing: [(offset: Int, element: ServedFile)], of count: Int,
        _ progress: @escaping @Sendable (FetchProgress) -> Void
    ) async throws(DatasetError) {
        guard let tool = await WebTool.find(tools) else {
            guard !Task.isCancelled else { throw .cancelled(name: dataset.name) }
            throw .noWebTool(
                name: dataset.name, directory: directory,
                files: missing.map { WantedFile($0.element, addresses: addresses(of: $0.element)) })
        }
        var firstMirror = 0
        for (index, file) in missing {
            let order = mirrors.indices.map { (firstMirror + $0) % mirrors.count }
            firstMirror = try await fetch(file, from: order, by: tool) { address, received, total in
                progress(
                    FetchProgress(
                        file: file.file.name, fileIndex: index, fileCount: count, received: received, total: total,
                        address: address))
            }
        }
    }

    private func isInPlace(_ served: ServedFile) -> Bool {
        let name = served.file.name
        return (served.isArchive ? [name] : [name, name + ".gz"]).contains { name in
            let path = directory + "/" + name
            return FileManager.default.fileExists(atPath: path) && served.fault(in: path) == nil
        }
    }

    private func addresses(of file: ServedFile) -> [String] {
        mirrors.map { ($0.hasSuffix("/") ? $0 : $0 + "/") + file.servedName }
    }

    /// Tries the mirrors in this order; returns the one that gave the file.
    private func fetch(
        _ file: ServedFile, from order: [Int], by tool: WebTool,
        progress: @escaping @Sendable (_ address: String, _ received: Int64, _ total: Int64?) -> Void
    ) async throws(DatasetError) -> Int {
        var failures: [MirrorFailure] = []
        let addresses = addresses(of: file)
        for mirror in order {
            let address = addresses[mirror]
            guard let url = URL(string: address), url.scheme?.hasPrefix("http") == true else {
                failures.append(MirrorFailure(address: address, reason: "it is no http or https address"))
                continue
            }
            let failure = try await fetch(file, from: url, by: tool) { progress(address, $0, $1) }
            guard let failure else { return mirror }
            failures.append(MirrorFailure(address: address, reason: failure))
        }
        throw .fetchFailed(name: dataset.name, file: file.file.name, failures: failures)
    }

    /// Asks one mirror until the file is in place (then nil) or there is a reason to give up on it.
    private func fetch(
        _ served: ServedFile, from url: URL, by tool: WebTool, progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws(DatasetError) -> String? {
        let file = served.file
        let part = directory + "/" + file.name + ".part"
        var interruptions = 0
        var startedOver = false
        while true {
            // Compressed or not: what can be compressed no further grows by next to nothing.
            let limit = Int64(file.byteCount) + 1 << 20
            let (outcome, offset) = try await request(url, into: part, by: tool, limit: limit, progress: progress)
            // What is wrong with this answer, and whether what was there before may be to blame.
            let reason: String
            let blamesPart: Bool
            switch outcome {
            case .complete(let resumed):
                guard let fault = served.fault(in: part) else {
                    try install(part, as: served)
                    return nil
                }
                (reason, blamesPart) = (fault, resumed)
            case .rangeNotSatisfiable:
                // The earlier attempt may have received everything and ended before the check.
                if served.fault(in: part) == nil {
                    try install(part, as: served)
                    return nil
                }
                (reason, blamesPart) = ("it has nothing beyond byte \(offset)", offset > 0)
            case .wrongRange: (reason, blamesPart) = ("it sent another part than was asked for", offset > 0)
            case .tooLong: (reason, blamesPart) = ("it sends more than the file has", offset > 0)
            case .interrupted(let words, let received):
                interruptions += 1
                if received > 0, interruptions < attempts { continue }
                return words
            case .refused(let status):
                if offset == 0 { unlink(part) }
                return "it answered with status \(status)"
            case .cancelled: throw .cancelled(name: dataset.name)
            case .writeFailed(let reason): throw .file(.writeFailed(file: part, reason: reason))
            }
            unlink(part)
            guard blamesPart, !startedOver else { return reason }
            startedOver = true
        }
    }

    private func request(
        _ url: URL, into part: String, by tool: WebTool, limit: Int64,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws(DatasetError) -> (DownloadOutcome, offset: Int64) {
        guard !Task.isCancelled else { throw .cancelled(name: dataset.name) }
        let descriptor = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .file(.creating(part)) }
        defer { close(descriptor) }
        let offset = Int64(lseek(descriptor, 0, SEEK_END))
        let outcome = await Download.run(
            url, into: descriptor, by: tool, timeout: timeout, limit: limit, progress: progress)
        if case .complete = outcome, fsync(descriptor) != 0 { return (.writeFailed(reason: systemMessage()), offset) }
        return (outcome, offset)
    }

    private func install(_ part: String, as served: ServedFile) throws(DatasetError) {
        let path = directory + "/" + served.file.name
        guard !served.isArchive else {
            return try inFiles { () throws(FileError) in try AtomicFile.move(part, to: path) }
        }
        let isCompressed = try ByteReader(path: part).isCompressed
        try inFiles { () throws(FileError) in try AtomicFile.move(part, to: path + (isCompressed ? ".gz" : "")) }
        // A stale one of the other kind would be found first.
        unlink(path + (isCompressed ? "" : ".gz"))
    }
}
