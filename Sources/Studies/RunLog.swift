import Foundation

/// `runs.jsonl`: one line a finished run, appended and synced before anyone hears of the run.
final class RunLog {
    /// The records that the file held, in its order, without repetitions.
    private(set) var records: [RunRecord] = []
    /// What was wrong with the file's lines.
    private(set) var notices: [String] = []
    private let path: String
    private let descriptor: Int32

    /// The logs of shards in a directory.
    static func shards(in directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.wholeMatch(of: /runs\.[0-9]+-of-[0-9]+\.jsonl/) != nil }.sorted()
            .map { "\(directory)/\($0)" }
    }

    /// Opens or makes the log of `plan` and reads it.
    ///
    /// A last line without an end is dropped from the file, or ended where it is whole. Any other line that is no record of
    /// the plan stays where it is, unused.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    init(path: String, plan: StudyPlan) throws(StudyError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: systemMessage()) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .cannotCreate(path: path, reason: error.localizedDescription)
        }
        var seen: [PlannedRun: RunRecord] = [:]
        let lines = RunLines(bytes, plan: plan, seen: &seen)
        records = lines.records
        notices = lines.notices(path, rejectedAre: "it is not used")
        if let torn = lines.torn {
            notices.append("\(path):\(torn.line): the last line was cut off; it is dropped and its run repeated")
            guard ftruncate(descriptor, off_t(torn.offset)) == 0 else {
                throw .writeFailed(path: path, reason: systemMessage())
            }
        }
        if lines.lacksEnd { try write(Array("\n".utf8)) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Adds records; when this returns they are on the disk.
    /// - Throws: ``StudyError`` `.writeFailed`, with the file as it was before.
    func append(_ new: [RunRecord]) throws(StudyError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes: [UInt8] = []
        for record in new {
            do {
                bytes += try encoder.encode(record) + [UInt8(ascii: "\n")]
            } catch {
                throw .executor(reason: "run \(record.runID) of experiment \(record.experimentID) has no valid figures")
            }
        }
        try write(bytes)
        records += new
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
    }

    /// The error of the call before; a line that was written in part is taken back.
    private func failure(restoring end: off_t) -> StudyError {
        let error = StudyError.writeFailed(path: path, reason: systemMessage())
        if end >= 0 { _ = ftruncate(descriptor, end) }
        return error
    }
}

/// The system's description of the last failed call.
func systemMessage(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
