import Foundation
import Pruning

/// A study's directory as it stands, read without its lock and without its data.
///
/// Reading changes nothing in the directory, and a study may be at work in it.
package struct StoredStudy: Sendable {
    /// The directory.
    package let directory: String
    /// The study, resolved.
    package let study: Study
    /// The plan, and the finished runs of the log and of all shards.
    package let results: StudyResults
    /// The data and the machines.
    package let environment: StudyEnvironment
    /// What was wrong with the directory and does not keep it from being read.
    package let notices: [String]

    private let records: [PlannedRun: RunRecord]
    private var arrays: StudyArrays {
        StudyArrays(directory: directory, readsFormer: environment.format < StudyEnvironment.currentFormat)
    }

    /// Reads a directory.
    /// - Throws: ``StudyError`` `.notAStudy` where there is no study in it, `.otherVersion` where another version of the
    ///   program made it, `.damaged` where its description cannot be read.
    package init(reading directory: String) throws(StudyError) {
        let contents = try StudyContents(reading: directory)
        self.directory = directory
        study = contents.study
        environment = contents.environment
        notices = contents.notices
        records = contents.records
        var results = StudyResults(plan: contents.plan, records: Array(contents.records.values))
        results.command = environment.sessions.last { $0["command"] != nil }?["command"]
        self.results = results
    }

    /// The finished runs that `study` can resume from: it may differ only in the number of runs. Empty if it is another
    /// study.
    package func finishedRuns(of study: Study) -> Set<PlannedRun> {
        if case .different = self.study.continuation(as: study) { return [] }
        return Set(records.keys)
    }

    /// A clustering of the study; nil where it was not fitted yet, or is damaged.
    package func clustering(_ key: ClusteringKey) -> ClusterAssignment? {
        artifact(ArtifactKey(key)).flatMap { ClusterAssignment($0, k: key.k) }
    }

    /// An artifact of the study; nil if it has not been made yet or is damaged.
    func artifact(_ key: ArtifactKey) -> Artifact? {
        environment.datasets[key.kind.dataset].flatMap { dataset in
            arrays.artifact(key, fingerprint: dataset.fingerprint)?.artifact
        }
    }

    /// The file that keeps an artifact from being read and what is wrong with it, as part of a sentence; nil if it can be
    /// read, or has not been made yet.
    /// - Parameter isNeeded: true for a run that cannot have finished without the artifact.
    func fault(of key: ArtifactKey, isNeeded: (PlannedRun) -> Bool) -> String? {
        guard let dataset = environment.datasets[key.kind.dataset],
            arrays.isStored(key) || records.keys.contains(where: isNeeded)
        else { return nil }
        return arrays.fault(of: key, fingerprint: dataset.fingerprint)
    }

    /// The spectrum of a training set's PCA to so many components; nil where none was fitted yet.
    package func spectrum(of set: TrainingSet, components: Int) -> PCASpectrum? {
        environment.datasets[set.dataset].flatMap { facts in
            arrays.spectrum(of: set, components: components, fingerprint: facts.fingerprint)
        }
    }

    /// The training samples of the data set that a finished run kept, in rank order, or saw, where it took others every epoch,
    /// in the order of first sight; nil where the run is not finished, or its file is gone or damaged.
    package func selection(of run: PlannedRun) -> [Int]? {
        guard let record = records[run], let count = trainingCount(of: run) else { return nil }
        return arrays.selection(of: run, distinct: record.distinct ?? record.kept, count: count)
    }

    /// The same without its order; nil as there.
    package func sampleBits(of run: PlannedRun) -> SampleBits? {
        guard let indices = selection(of: run), let count = trainingCount(of: run) else { return nil }
        return SampleBits(indices, of: count)
    }

    /// Training samples of the data set of a run; nil where the directory does not say.
    private func trainingCount(of run: PlannedRun) -> Int? {
        environment.datasets[results.plan.experiment(run.experimentID).recipe.dataset]?.count
    }
}

/// What the files of a directory say, before anything is computed from it.
struct StudyContents {
    let study: Study
    let environment: StudyEnvironment
    let plan: StudyPlan
    private(set) var records: [PlannedRun: RunRecord] = [:]
    private(set) var notices: [String] = []
    /// The logs: of shards, then the one of all.
    private(set) var logs: [Log] = []

    struct Log {
        /// Nil for `runs.jsonl`.
        let shard: Shard?
        /// Its finished runs in order, those left out that an earlier log has.
        let records: [RunRecord]
        /// When the last one was added.
        let modified: Date
    }

    /// Reads a directory.
    /// - Throws: as ``StoredStudy/init(reading:)``.
    init(reading directory: String) throws(StudyError) {
        let study = "\(directory)/study.yaml"
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory) else {
            throw .notAStudy(directory: directory, reason: "there is no such directory")
        }
        guard isDirectory.boolValue else {
            throw .notAStudy(directory: directory, reason: "it is a file; the directory of a study's results is needed")
        }
        let yaml = FileManager.default.contents(atPath: study)
        switch StudyEnvironment.read("\(directory)/environment.json") {
        case .valid(let environment): self.environment = environment
        case .otherVersion(let version):
            throw .otherVersion(directory: directory, version: version, isWriting: false)
        case .damaged: throw .damaged(file: "\(directory)/environment.json", reason: "it was changed or damaged")
        case .missing:
            guard yaml != nil else {
                throw .notAStudy(
                    directory: directory, reason: "it has neither study.yaml nor environment.json of a study's results")
            }
            throw .damaged(
                file: "\(directory)/environment.json", reason: "it is gone, and with it what the data were")
        }
        guard let yaml else {
            throw .notAStudy(directory: directory, reason: "its study.yaml is gone; put it back to have it read")
        }
        do throws(StudyError) {
            self.study = try StudyReader(file: study, acceptsAnyDataset: true).read(
                String(decoding: yaml, as: UTF8.self))
            plan = try StudyPlan(self.study, shapes: environment.datasets.mapValues(\.shape))
        } catch {
            throw .damaged(file: study, reason: "it cannot be read (\(error))")
        }
        // Shards before the log: lines move from there to here, and a line that moves meanwhile is then seen twice, not
        // never.
        for file in RunLog.shards(in: directory) + ["\(directory)/runs.jsonl"] { read(file) }
    }

    private mutating func read(_ path: String) {
        guard let bytes = FileManager.default.contents(atPath: path) else { return }
        let lines = RunLines(bytes, plan: plan, seen: &records)
        // A last line without an end may be in the making.
        notices += lines.notices(path, rejectedAre: "it is not used")
        var status = stat()
        let seconds = stat(path, &status) == 0 ? TimeInterval(status.st_mtim.tv_sec) : 0
        logs.append(
            Log(
                shard: Shard(
                    file: URL(fileURLWithPath: path).lastPathComponent, prefix: "runs.", suffix: ".jsonl"),
                records: lines.records, modified: Date(timeIntervalSince1970: seconds)))
    }
}
