import Datasets
import Foundation
import Pruning

/// A study's output directory, held against other processes as long as the value lives.
///
/// It holds `study.yaml` (resolved), `environment.json`, `runs.jsonl`, `selections/`, `clusterings/` and the tables.
final class StudyDirectory {
    /// The directory.
    let path: String
    private let lock: Int32

    /// Makes or enters the directory.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.directoryBusy`, `.otherStudy`, `.writeFailed`.
    init(_ path: String, for study: Study) throws(StudyError) {
        self.path = path
        for directory in [path, path + "/selections", path + "/clusterings"] {
            var status = stat()
            if stat(directory, &status) == 0, status.st_mode & S_IFMT != S_IFDIR {
                throw .cannotCreate(path: directory, reason: "a file that is no directory is in its place")
            }
            do {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            } catch {
                throw .cannotCreate(path: directory, reason: Self.reason(error))
            }
        }
        lock = open(path + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard lock >= 0 else { throw .cannotCreate(path: path + "/.lock", reason: systemMessage()) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw .directoryBusy(directory: path) }
            throw .cannotCreate(path: path + "/.lock", reason: systemMessage())
        }
        try claim(for: study)
    }

    // Closing the descriptor gives the lock back.
    deinit { if lock >= 0 { close(lock) } }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        guard let underlying, underlying.domain == NSPOSIXErrorDomain else { return error.localizedDescription }
        return systemMessage(Int32(underlying.code))
    }

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

    private struct Environment: Codable {
        var datasets: [String: String] = [:]
        var sessions: [[String: String]] = []
    }

    /// Notes the data and the machine of this session in `environment.json`.
    /// - Throws: ``StudyError`` `.otherStudy` where the results that are there were made from other data.
    func enter(datasets: [String: StudyDataset], environment: [String: String]) throws(StudyError) {
        let file = file("environment.json")
        var known = Environment()
        if let bytes = FileManager.default.contents(atPath: file) {
            known = (try? JSONDecoder().decode(Environment.self, from: bytes)) ?? known
        }
        for (name, dataset) in datasets {
            if let before = known.datasets[name], before != dataset.fingerprint, hasResults {
                throw .otherStudy(
                    directory: path,
                    difference:
                        "they were made from another data set \(name): \(before) there, \(dataset.fingerprint) here")
            }
            known.datasets[name] = dataset.fingerprint
        }
        known.sessions.append(environment)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        // Strings alone are always encodable.
        let text = (try? encoder.encode(known)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        try write(text + "\n", to: file)
    }

    // MARK: - Arrays

    private struct ClusteringFacts: Codable, Equatable {
        var key: ClusteringKey
        var fingerprint: String
        var count: Int
        var seconds: Double
    }

    /// A clustering and what fitting it cost.
    struct StoredClustering {
        var assignment: ClusterAssignment
        var seconds: Double
    }

    /// Keeps a clustering in a directory of its own; its description goes last, so that one that has it is whole.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func store(
        _ clustering: StoredClustering, for key: ClusteringKey, of dataset: StudyDataset
    ) throws(StudyError) {
        let directory = file("clusterings/\(key.fileName)")
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw .cannotCreate(path: directory, reason: Self.reason(error))
        }
        let assignment = clustering.assignment
        let facts = ClusteringFacts(
            key: key, fingerprint: dataset.fingerprint, count: assignment.labels.count, seconds: clustering.seconds)
        try wrapped { () throws(DatasetError) in
            try NumPy.write(assignment.labels, shape: [assignment.labels.count], to: directory + "/labels.npy")
            try NumPy.write(
                assignment.squaredDistances, shape: [assignment.squaredDistances.count],
                to: directory + "/distances.npy")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let text = (try? encoder.encode(facts)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        try write(text + "\n", to: directory + "/clustering.json")
    }

    /// A clustering that was kept before; nil where there is none that is whole and fits.
    func clustering(_ key: ClusteringKey, of dataset: StudyDataset) -> StoredClustering? {
        let count = dataset.shape.count
        let directory = file("clusterings/\(key.fileName)")
        guard let bytes = FileManager.default.contents(atPath: directory + "/clustering.json"),
            let facts = try? JSONDecoder().decode(ClusteringFacts.self, from: bytes), facts.key == key,
            facts.fingerprint == dataset.fingerprint, facts.count == count,
            let labels = try? NumPyArray.read(directory + "/labels.npy").integers(),
            let distances = try? NumPyArray.read(directory + "/distances.npy").floats,
            labels.count == count, distances.count == count, labels.allSatisfy({ (0..<Int64(key.k)).contains($0) })
        else { return nil }
        let assignment = ClusterAssignment(
            labels: labels.map { Int32($0) }, squaredDistances: distances, k: key.k)
        return StoredClustering(assignment: assignment, seconds: facts.seconds)
    }

    /// Keeps what a run trains on, as int64 in rank order.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    func store(_ selection: Selection, for run: PlannedRun) throws(StudyError) {
        let file = file("selections/experiment\(run.experimentID)-run\(run.runID).npy")
        try wrapped { () throws(DatasetError) in
            try NumPy.write(selection.indices.map { Int64($0) }, shape: [selection.kept], to: file)
        }
    }

    private func write(_ text: String, to file: String) throws(StudyError) { try OutputFile.write(text, to: file) }
}

/// Text files of the output that appear whole or not at all.
public enum OutputFile {
    /// Writes `text` in place of what is at `path`.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`; an older file is then unchanged.
    public static func write(_ text: String, to path: String) throws(StudyError) {
        let bytes = Array(text.utf8)
        try wrapped { () throws(DatasetError) in
            let result = bytes.withUnsafeBytes { bytes in
                Result { () throws(DatasetError) in try AtomicFile.write([bytes], to: path) }
            }
            try result.get()
        }
    }
}

/// Runs `body`, its write errors turned into a study's. A file that a full disk has no room to begin is a failed write.
private func wrapped(_ body: () throws(DatasetError) -> Void) throws(StudyError) {
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
