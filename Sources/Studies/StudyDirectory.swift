import Datasets
import Foundation

/// A study's output directory, held against other processes as long as the value lives.
///
/// It holds `study.yaml` (resolved), `environment.json`, `runs.jsonl`, `selections/`, `clusterings/` and the tables.
final class StudyDirectory {
    /// The directory.
    let path: String
    private let lock: Int32
    private var known = StudyEnvironment()

    /// Makes or enters the directory.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.directoryBusy`, `.otherStudy`, `.writeFailed`.
    init(_ path: String, for study: Study) throws(StudyError) {
        self.path = path
        for directory in [path, path + "/selections", path + "/clusterings"] {
            var status = stat()
            if stat(directory, &status) == 0, status.st_mode & S_IFMT != S_IFDIR {
                throw .cannotCreate(path: directory, reason: "a file that is no directory is in its place")
            }
            try makeDirectory(directory)
        }
        lock = open(path + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard lock >= 0 else { throw .cannotCreate(path: path + "/.lock", reason: systemMessage()) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw .directoryBusy(directory: path) }
            throw .cannotCreate(path: path + "/.lock", reason: systemMessage())
        }
        known = try readEnvironment()
        try claim(for: study)
    }

    // Closing the descriptor gives the lock back.
    deinit { if lock >= 0 { close(lock) } }

    /// Its clusterings, spectra and selections.
    var arrays: StudyArrays { StudyArrays(directory: path) }

    /// The path of a file in the directory.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    private func claim(for study: Study) throws(StudyError) {
        let file = file("study.yaml")
        guard let old = FileManager.default.contents(atPath: file) else {
            if hasResults {
                throw .otherStudy(directory: path, difference: "it has a runs.jsonl and no study.yaml")
            }
            return try write(study.yaml, to: file)
        }
        let theirs: Study
        do {
            theirs = try StudyReader(file: file, acceptsAnyDataset: true).read(String(decoding: old, as: UTF8.self))
        } catch {
            throw .otherStudy(directory: path, difference: "its study.yaml cannot be read (\(error))")
        }
        guard let difference = theirs.difference(from: study) else { return }
        // A study that finished no run has nothing that could be mixed with another's.
        if hasResults { throw .otherStudy(directory: path, difference: difference) }
        try write(study.yaml, to: file)
    }

    private var hasResults: Bool {
        var status = stat()
        return stat(file("runs.jsonl"), &status) == 0 && status.st_size > 0
    }

    // MARK: - Environment

    /// Notes the data and the machine of this session in `environment.json`.
    /// - Throws: ``StudyError`` `.otherStudy` where the results that are there were made from other data.
    func enter(datasets: [String: StudyDataset], environment: [String: String]) throws(StudyError) {
        for (name, dataset) in datasets {
            let facts = StudyEnvironment.Dataset(dataset)
            if let before = known.datasets[name]?.fingerprint, before != facts.fingerprint, hasResults {
                throw .otherStudy(
                    directory: path,
                    difference:
                        "they were made from another data set \(name): \(before) there, \(facts.fingerprint) here")
            }
            known.datasets[name] = facts
        }
        known.sessions.append(environment)
        try write(known.text, to: file("environment.json"))
    }

    /// What `environment.json` says already, without a file that belongs to no result.
    private func readEnvironment() throws(StudyError) -> StudyEnvironment {
        let reading = StudyEnvironment.read(file("environment.json"))
        switch reading {
        case .valid(let environment): return environment
        case .otherVersion(let version):
            throw .otherVersion(directory: path, version: version, isWriting: true)
        case .missing, .damaged:
            if hasResults {
                throw .otherStudy(directory: path, difference: "its environment.json is gone or damaged")
            }
            return StudyEnvironment()
        }
    }

    private func write(_ text: String, to file: String) throws(StudyError) { try OutputFile.write(text, to: file) }
}

/// Text files of the output that appear whole or not at all.
public enum OutputFile {
    /// Writes `text` in place of what is at `path`.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`; an older file is then unchanged.
    public static func write(_ text: String, to path: String) throws(StudyError) {
        try writing { () throws(DatasetError) in try AtomicFile.write(Array(text.utf8), to: path) }
    }

    /// Runs `body`, its write errors turned into a study's. A file that a full disk has no room to begin is a failed
    /// write.
    static func writing(_ body: () throws(DatasetError) -> Void) throws(StudyError) {
        do {
            try body()
        } catch .cannotCreate(let file, let reason) {
            throw reason == systemMessage(ENOSPC)
                ? .writeFailed(path: file, reason: reason) : .cannotCreate(path: file, reason: reason)
        } catch .writeFailed(let file, let reason) {
            throw .writeFailed(path: file, reason: reason)
        } catch {
            throw .data(error)
        }
    }
}

/// Makes a directory, and those above it.
/// - Throws: ``StudyError`` `.cannotCreate`.
func makeDirectory(_ path: String) throws(StudyError) {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        guard let underlying, underlying.domain == NSPOSIXErrorDomain else {
            throw .cannotCreate(path: path, reason: error.localizedDescription)
        }
        throw .cannotCreate(path: path, reason: systemMessage(Int32(underlying.code)))
    }
}
