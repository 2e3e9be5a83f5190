import Datasets
import Foundation
import Support

/// `runs.jsonl`: one line a finished run, appended and synced before anyone hears of the run.
///
/// A shard appends to a file of its own, `runs.i-of-n.jsonl`, whose lines are joined to `runs.jsonl` when nobody is at
/// work. Lines that are no finished run of the study are moved to `runs.rejected.jsonl`.
final class RunLog {
    /// The finished runs that are known, each once: those of the files, then those that were appended.
    private(set) var records: [RunRecord] = []
    /// What was wrong with the files' lines.
    private(set) var notices: [String] = []
    private let directory: String
    private let path: String
    private var descriptor: Int32 = -1
    private var known: [PlannedRun: RunRecord] = [:]
    private var lacksEnd = false

    /// The files of shards in a directory.
    static func shards(in directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { Shard(file: $0, prefix: "runs.", suffix: ".jsonl") != nil }.sorted()
            .map { "\(directory)/\($0)" }
    }

    /// Opens or makes the log of a directory that is held against others.
    ///
    /// A shard, which others may be at work beside, mends its own file and reads theirs. Without a shard all files are
    /// mended and the shards' joined to the one.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    init(in directory: String, plan: StudyPlan, shard: Shard?) throws(StudyError) {
        self.directory = directory
        let main = "\(directory)/runs.jsonl"
        path = shard.map { "\(directory)/runs.\($0.fileName).jsonl" } ?? main
        let shards = Self.shards(in: directory)
        if shard == nil {
            try mend(main, plan)
            try open()
            for file in shards { try join(file, plan) }
            if !shards.isEmpty { OutputFile.sync(directory: directory) }
        } else {
            for file in [main] + shards where file != path {
                let lines = try read(file, plan)
                notices += lines?.notices(file, rejectedAre: "it is not used") ?? []
                records += lines?.records ?? []
            }
            try mend(path, plan)
            try open()
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Adds records; when this returns they are on the disk.
    /// - Throws: ``StudyError`` `.writeFailed`, with the file as it was before.
    func append(_ new: [RunRecord]) throws(StudyError) {
        var bytes: [UInt8] = []
        for record in new {
            do {
                bytes += try JSON.data(record) + [UInt8(ascii: "\n")]
            } catch {
                throw .executor(reason: "run \(record.runID) of experiment \(record.experimentID) has no valid figures")
            }
        }
        try write(bytes)
        records += new
    }

    // MARK: - Reading and mending

    /// The lines of a file; nil where there is none to read, as where a device stands in its place.
    private func read(_ file: String, _ plan: StudyPlan) throws(StudyError) -> RunLines? {
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        do {
            return RunLines(try Data(contentsOf: URL(fileURLWithPath: file)), plan: plan, seen: &known)
        } catch {
            throw .cannotCreate(path: file, reason: error.localizedDescription)
        }
    }

    /// Reads a file of which every line shall be good afterwards: one that was cut off is dropped, others that cannot
    /// be used are moved aside.
    private func mend(_ file: String, _ plan: StudyPlan) throws(StudyError) {
        guard let lines = try read(file, plan) else { return }
        records += lines.records
        try setAside(lines, of: file)
        if !lines.rejected.isEmpty {
            try OutputFile.write(lines.text, to: file)
        } else if let torn = lines.torn {
            // Where a full disk cut it off there is still no room for another file.
            guard truncate(file, off_t(torn.offset)) == 0 else {
                throw .writeFailed(path: file, reason: systemMessage())
            }
        } else {
            lacksEnd = lines.lacksEnd
        }
    }

    /// Adds a shard's lines, then takes its file away. After a crash in between they stand in both, and are dropped.
    private func join(_ file: String, _ plan: StudyPlan) throws(StudyError) {
        guard let lines = try read(file, plan) else { return }
        records += lines.records
        try setAside(lines, of: file)
        if !lines.records.isEmpty { try write(Array(lines.text.utf8)) }
        guard unlink(file) == 0 || errno == ENOENT else { throw .writeFailed(path: file, reason: systemMessage()) }
    }

    private func setAside(_ lines: RunLines, of file: String) throws(StudyError) {
        notices += lines.notices(file, rejectedAre: "it is moved to runs.rejected.jsonl and its run repeated")
        if let torn = lines.torn {
            notices.append("\(file):\(torn.line): the last line was cut off; it is dropped and its run repeated")
        }
        guard !lines.rejected.isEmpty else { return }
        let aside = "\(directory)/runs.rejected.jsonl"
        var bytes = FileManager.default.contents(atPath: aside) ?? Data()
        for line in lines.rejected { bytes += line.bytes + [UInt8(ascii: "\n")] }
        try OutputFile.writing { () throws(FileError) in try AtomicFile.write(Array(bytes), to: aside) }
        OutputFile.sync(directory: directory)
    }

    // MARK: - Writing

    private func open() throws(StudyError) {
        descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .creating(path) }
        OutputFile.sync(directory: directory)
        if lacksEnd { try write(Array("\n".utf8)) }
    }

    private func write(_ bytes: [UInt8]) throws(StudyError) {
        let end = lseek(descriptor, 0, SEEK_END)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(restoring: end) }
            rest = rest.dropFirst(count)
        }
        // A device that takes lines has nothing to sync.
        if fsync(descriptor) != 0, errno != EINVAL { throw failure(restoring: end) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_nlink == 0 {
            throw .writeFailed(path: path, reason: "somebody removed it while the study was at work")
        }
    }

    /// The error of the call before; a line that was written in part is taken back.
    private func failure(restoring end: off_t) -> StudyError {
        let error = StudyError.writeFailed(path: path, reason: systemMessage())
        if end >= 0 { _ = ftruncate(descriptor, end) }
        return error
    }
}
