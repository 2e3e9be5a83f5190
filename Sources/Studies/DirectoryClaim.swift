import Foundation

/// Decides whether a study may use a directory, and makes `environment.json` and `study.yaml` say so.
///
/// Whoever makes a claim holds the directory against others who would.
struct DirectoryClaim {
    let directory: String
    let study: Study
    let datasets: [String: StudyDataset]
    /// SHA-256 of the files of scores that are there, by their names in the study.
    var scoreFiles: [String: String] = [:]

    private var yaml: String { directory + "/study.yaml" }
    private var environment: String { directory + "/environment.json" }
    private var table: String { directory + "/results.csv" }

    /// Checks first and writes then.
    /// - Parameter isAlone: whether nobody else is at work in the directory; only then may the study that is there be
    ///   replaced.
    /// - Returns: what whoever watches should hear.
    /// - Throws: ``StudyError`` `.otherStudy`, `.otherVersion`, `.directoryBusy`, `.cannotCreate`, `.writeFailed`.
    func make(isAlone: Bool) throws(StudyError) -> [String] {
        var notices: [String] = []
        var known = try knownEnvironment()
        let replaces: Bool
        switch try continuation() {
        // The files of the same data may have moved.
        case .same: replaces = isAlone && study.datasetDescriptions.contains { $0.source != nil }
        case .extended:
            replaces = true
            notices.append("\(yaml): going on with this study's runs and equal_within")
        // A study that finished no run has nothing that could be mixed with another's.
        case .different(let difference):
            if hasResults { throw .otherStudy(directory: directory, difference: difference) }
            replaces = true
        case nil: replaces = true
        }
        if replaces, !isAlone {
            throw .directoryBusy(
                directory: directory, who: "other shards are at work in it, so its study cannot be changed now")
        }
        let before = known
        for (name, dataset) in datasets {
            let facts = StudyEnvironment.Dataset(dataset)
            if let old = known.datasets[name]?.fingerprint, old != facts.fingerprint, hasResults {
                throw .otherStudy(
                    directory: directory,
                    difference:
                        "they were made from another data set \(name): \(old) there, \(facts.fingerprint) here")
            }
            known.datasets[name] = facts
        }
        for (name, checksum) in scoreFiles.sorted(by: { $0.key < $1.key }) {
            if let old = known.scoreFiles?[name], old != checksum, hasResults {
                throw .otherStudy(directory: directory, difference: ScoreFile.change(of: name))
            }
            known.scoreFiles = (known.scoreFiles ?? [:]).merging([name: checksum]) { $1 }
        }
        if !hasRuns, hasRows(table) {
            let ending = freeEnding(of: table)
            notices.append(
                "\(directory)/runs.jsonl is gone or empty, so every run is repeated; the tables are kept as *.csv\(ending)"
            )
            for name in ["results.csv", "summary.csv"] {
                rename("\(directory)/\(name)", "\(directory)/\(name)\(ending)")
            }
        }
        // The study last: it is what makes a directory a study's.
        if known != before || !FileManager.default.fileExists(atPath: environment) {
            try OutputFile.write(known.text, to: environment)
        }
        if replaces { try OutputFile.write(study.yaml, to: yaml) }
        return notices
    }

    /// Whether a table has more than its header, which is all that a session leaves that was stopped before its first run.
    private func hasRows(_ table: String) -> Bool {
        var status = stat()
        guard stat(table, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let text = FileManager.default.contents(atPath: table)
        else { return false }
        return text.split(separator: UInt8(ascii: "\n")).count > 1
    }

    /// What is put behind a table's name to keep it: tables that were kept before stay as they are.
    private func freeEnding(of table: String) -> String {
        var ending = ".before"
        var count = 1
        while FileManager.default.fileExists(atPath: table + ending) {
            count += 1
            ending = ".before\(count)"
        }
        return ending
    }

    /// How the study stands to the one that is there; nil where there is none.
    private func continuation() throws(StudyError) -> StudyContinuation? {
        guard let old = FileManager.default.contents(atPath: yaml) else {
            if hasResults {
                throw .otherStudy(directory: directory, difference: "it has results and no study.yaml")
            }
            return nil
        }
        do {
            return try StudyReader(file: yaml, acceptsAnyDataset: true).read(String(decoding: old, as: UTF8.self))
                .continuation(as: study)
        } catch {
            return .different("its study.yaml cannot be read (\(error))")
        }
    }

    private func knownEnvironment() throws(StudyError) -> StudyEnvironment {
        switch StudyEnvironment.read(environment) {
        case .valid(let known):
            // What is read need not be what may be written to.
            guard known.format == StudyEnvironment.currentFormat else {
                throw .otherVersion(directory: directory, version: known.version, isWriting: true)
            }
            return known
        case .otherVersion(let version):
            throw .otherVersion(directory: directory, version: version, isWriting: true)
        case .missing, .damaged:
            if hasResults {
                throw .otherStudy(directory: directory, difference: "its environment.json is gone or damaged")
            }
            return StudyEnvironment()
        }
    }

    /// Whether there is something that must not be mixed with another study's.
    private var hasResults: Bool { hasRuns || hasRows(table) }

    private var hasRuns: Bool {
        (RunLog.shards(in: directory) + [directory + "/runs.jsonl"]).contains { file in
            var status = stat()
            return stat(file, &status) == 0 && status.st_size > 0
        }
    }
}
