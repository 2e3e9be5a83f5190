import Foundation
import Support

/// A study's output directory, held against other processes until it is left or the value is gone.
///
/// It holds `study.yaml` (resolved), `environment.json`, `runs.jsonl`, `selections/`, `tuning/`, the folders of
/// artifacts (`embeddings/`, `clusterings/`, `dynamics/`, `scores/`) and the tables.
///
/// A study without shards holds `.lock` exclusively. Shards share it, and each holds `.lock.i-of-n`. Whoever enters or
/// leaves holds `.lock.entry` for that moment, so that all else about the directory is decided by one at a time.
final class StudyDirectory {
    /// The directory.
    let path: String
    /// The finished runs. A shard's has those of others as they were when it entered.
    let log: RunLog
    /// What was found and mended.
    private(set) var notices: [String] = []
    private let plan: StudyPlan
    private let shard: Shard?
    private let entry: FileLock
    private let main: FileLock
    private let own: FileLock?

    /// Its clusterings, spectra and selections.
    var arrays: StudyArrays { StudyArrays(directory: path) }

    /// Makes or enters the directory.
    /// - Parameters:
    ///   - plan: the plan of `study`.
    ///   - datasets: the training sets of `study`.
    ///   - scoreFiles: SHA-256 of its files of scores, by their names.
    ///   - shard: the part to run; nil for all of it.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.directoryBusy`, `.otherStudy`, `.otherVersion`, `.writeFailed`; and
    ///   `CancellationError`.
    init(
        _ path: String, for study: Study, plan: StudyPlan, datasets: [String: StudyDataset],
        scoreFiles: [String: String] = [:], shard: Shard? = nil, cancellation: CancellationFlag = CancellationFlag()
    ) throws {
        self.path = path
        self.plan = plan
        self.shard = shard
        for directory in [path, path + "/selections", path + "/clusterings"] {
            try OutputFile.makeDirectory(directory)
        }
        let entry = try FileLock(path + "/.lock.entry")
        try entry.wait(.exclusive, cancellation: cancellation)
        defer { entry.release() }
        self.entry = entry
        main = try FileLock(path + "/.lock")
        own = try shard.map { shard in try FileLock(path + "/.lock.\(shard.fileName)") }
        let isAlone = try Self.take(main, own, shard, in: path)
        if isAlone { UnfinishedFiles.remove(in: path) }
        let claim = DirectoryClaim(directory: path, study: study, datasets: datasets, scoreFiles: scoreFiles)
        notices += try claim.make(isAlone: isAlone)
        log = try RunLog(in: path, plan: plan, shard: shard)
        notices += log.notices
        if shard != nil, isAlone, try !main.take(.shared) { throw Self.busy(path, []) }
        notices += missingSelections()
    }

    /// Takes the locks, and tells whether nobody else is at work.
    private static func take(
        _ main: FileLock, _ own: FileLock?, _ shard: Shard?, in path: String
    ) throws(StudyError) -> Bool {
        guard let own, let shard else {
            guard try main.take(.exclusive) else { throw busy(path, nil) }
            return true
        }
        guard try own.take(.exclusive) else { throw busy(path, [shard]) }
        // Parts of different counts overlap.
        let others = shardsAtWork(in: path).filter { $0.count != shard.count }
        guard others.isEmpty else { throw busy(path, others) }
        if try main.take(.exclusive) { return true }
        guard try main.take(.shared) else { throw busy(path, []) }
        return false
    }

    private static func busy(_ path: String, _ shards: [Shard]?) -> StudyError {
        let shards = shards ?? shardsAtWork(in: path)
        return .directoryBusy(
            directory: path,
            who: shards.isEmpty ? "another process is writing to it" : "\(describe(shards)) at work in it")
    }

    /// Notes the machine of this session in `environment.json`.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func note(session: [String: String]) throws {
        try entry.wait(.exclusive)
        defer { entry.release() }
        let file = path + "/environment.json"
        guard case .valid(var environment) = StudyEnvironment.read(file) else { return }
        environment.sessions.append(session)
        try OutputFile.write(environment.text, to: file)
    }

    /// Gives a shard's locks back and, where nobody else is at work, joins the shards' logs.
    /// - Parameter finish: called with the whole log where nobody else is at work; nobody can enter meanwhile.
    /// - Returns: the shards that are still at work.
    /// - Throws: ``StudyError``, and what `finish` throws.
    func leave(_ finish: (RunLog) throws -> Void) throws -> [Shard] {
        try entry.wait(.exclusive)
        defer { entry.release() }
        own?.release()
        main.release()
        guard try main.take(.exclusive) else { return Self.shardsAtWork(in: path) }
        defer { main.release() }
        let log = try RunLog(in: path, plan: plan, shard: nil)
        notices = log.notices
        try finish(log)
        for shard in Self.shards(in: path) { unlink("\(path)/.lock.\(shard.fileName)") }
        return []
    }

    private func missingSelections() -> [String] {
        let missing = log.records.count { record in
            var status = stat()
            let file = arrays.file(record.plannedRun)
            return stat(file, &status) != 0
                || Int(status.st_size) < (record.distinct ?? record.kept) * MemoryLayout<Int64>.size
        }
        if missing == 0 { return [] }
        return [
            "\(path)/selections: the files of \(missing) finished run\(missing == 1 ? " are" : "s are") gone; "
                + "their figures stand, and what they kept can no longer be shown"
        ]
    }

    // MARK: - Who is at work

    /// Whether a study without shards is at work in a directory, or joins the logs of shards.
    static func isHeld(_ directory: String) -> Bool { FileLock.isHeld(directory + "/.lock") }

    /// The shards that are at work in a directory.
    static func shardsAtWork(in directory: String) -> [Shard] {
        shards(in: directory).filter { FileLock.isHeld("\(directory)/.lock.\($0.fileName)") }
    }

    /// The number of parts in which a directory was last worked on, by its sessions, else by the files of shards. Nil where there
    /// were none.
    static func shardCount(of directory: String) -> Int? {
        if case .valid(let environment) = StudyEnvironment.read(directory + "/environment.json"),
            let shard = environment.sessions.last(where: { $0["shard"] != nil })?["shard"].flatMap({ Shard($0) })
        {
            return shard.count
        }
        return shards(in: directory).last?.count
    }

    /// Refuses a directory whose locks shards on other machines would not see.
    /// - Parameter mounts: the file systems that this process sees.
    /// - Throws: ``StudyError`` `.cannotCreate` that names the mount and its option.
    static func checkLocks(of directory: String, _ mounts: MountTable) throws(StudyError) {
        guard let mount = mounts.mount(of: directory), let option = mount.localLockOption else { return }
        throw .cannotCreate(
            path: directory,
            reason:
                "\(mount.point) (\(excerpt(mount.type))) is mounted with \(option), so that shards on other machines would"
                + " not see its locks; one process without --shard is accepted there, or another --out")
    }

    /// Shards in a sentence, with their verb.
    static func describe(_ shards: [Shard]) -> String {
        let names = shards.map(\.description)
        guard let last = names.last, names.count > 1 else { return "shard \(names.first ?? "") is" }
        return "shards \(names.dropLast().joined(separator: ", ")) and \(last) are"
    }

    private static func shards(in directory: String) -> [Shard] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap { Shard(file: $0, prefix: ".lock.", suffix: "") }
            .sorted { ($0.count, $0.index) < ($1.count, $1.index) }
    }
}
