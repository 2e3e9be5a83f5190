import Compute
import Datasets
import Foundation
import OpenCL
import Reports
import Testing

@testable import Studies
import Support

/// A study that passes through everything (PCA, k-means, selection, training, evaluation, the run log and
/// the tables) in as few calls as that takes.
final class TinyStudy {
    private static let yaml = """
        dataset: tiny
        steps: 1
        batch_size: 4
        pca_components: 2
        kmeans: lloyd
        experiments:
          - {pruning_method: random, sizes: 4, runs: 2}
          - {pruning_method: cluster, sizes: 4, ks: 2, use_pca: true, selection_strategies: closest, runs: 1}
        """
    /// Of the study, and how many train together: two, then one.
    static let runs = 3
    static let replicas = 2
    let faulty: FaultyOpenCL
    private let study: Study
    private let dataset: Dataset
    private let root: String
    private var count = 0
    /// What undisturbed runs leave behind.
    private(set) var expected: Essence?

    /// What must not depend on faults: figures, selections and clusterings.
    struct Essence: Equatable {
        var records: [RunRecord]
        var arrays: [String: Data]
    }

    init() throws {
        faulty = try FaultyOpenCL()
        // Every line of a run log is synced, which is a wait of its own on a disk.
        let memory = "/dev/shm"
        let base = access(memory, W_OK) == 0 ? memory : NSTemporaryDirectory()
        root = "\(base)/coppice-faults-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        // Where sources that do not compile are saved.
        setenv("TMPDIR", root, 1)
        // Kernels this small are done before another thread has woken.
        setenv("POCL_MAX_PTHREAD_COUNT", "1", 1)
        study = try StudyReader(file: "tiny.yaml", acceptsAnyDataset: true).read(Self.yaml)
        func images(_ count: Int, _ run: Int) throws -> SampleSet {
            var random = RandomStream(seed: 5, run: run, purpose: .testing)
            let labels = (0..<count).map { UInt8($0 % 2) }
            let pixels = labels.flatMap { label in
                (0..<16).map { UInt8(Int(label) * 100 + random.nextIndex(below: $0 % 2 == 0 ? 100 : 150)) }
            }
            return try SampleSet(pixels: pixels, labels: labels, height: 4, width: 4)
        }
        dataset = try Dataset(name: "tiny", train: images(16, 0), test: images(8, 1))
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// A directory for results that is not there yet.
    func directory() -> String {
        count += 1
        return "\(root)/\(count)"
    }

    func remove(_ directory: String) { try? FileManager.default.removeItem(atPath: directory) }

    /// A folder for compiled programs.
    var cache: ProgramCache { ProgramCache(directory: URL(fileURLWithPath: root + "/cache")) }

    /// Runs it as `coppice run` does, from the list of devices on, under `faults`.
    /// - Returns: the notices, and the error that ended it. Nothing of OpenCL is left.
    func run(_ faults: String, in directory: String, cache: ProgramCache? = nil) -> (
        notices: [String], error: (any Error)?
    ) {
        faulty.configure(faults)
        var notices: [String] = []
        var thrown: (any Error)?
        do {
            let backend = try backend(cache: cache)
            let executor = BackendExecutor(on: backend) { _ in self.dataset }
            _ = try StudyRunner(
                study, directory: directory, executor: executor, replicas: Self.replicas,
                writeTables: StudyTables.write
            ) { if case .notice(let notice) = $0 { notices.append(notice) } }.run()
        } catch {
            thrown = error
        }
        return (notices, thrown)
    }

    private func backend(cache: ProgramCache?) throws -> any Backend {
        guard let cache else { return try DeviceSelection.make(spec: "opencl-cpu").backend }
        let device = try #require(try Device.all().first { $0.kind == .cpu })
        return try OpenCLBackend(device: device, cache: cache)
    }

    /// Runs it undisturbed, and returns the function of every call, and how many commands there were.
    func measure(cache: ProgramCache? = nil) throws -> (functions: [String], commands: Int) {
        let directory = directory()
        defer { remove(directory) }
        // The first run compiles.
        for _ in 0..<2 {
            remove(directory)
            let (notices, error) = run("", in: directory, cache: cache)
            #expect(error == nil && notices.isEmpty, "\(notices) \(String(describing: error))")
            #expect(faulty.live == 0 && faulty.misuses == 0)
        }
        let essence = try essence(of: directory)
        #expect(essence.records.count == Self.runs && essence.arrays.count == Self.runs + 2)
        if let expected { #expect(essence == expected) }
        expected = essence
        return ((1...faulty.calls).map(faulty.function), faulty.commands)
    }

    func essence(of directory: String) throws -> Essence {
        let log = try Data(contentsOf: URL(fileURLWithPath: directory + "/runs.jsonl"))
        let records = try log.split(separator: UInt8(ascii: "\n")).map {
            var record = try JSON.value(RunRecord.self, of: $0)
            (record.time, record.selectionSeconds, record.replicas) = (0, 0, 0)
            (record.trainingSeconds, record.evaluationSeconds) = (0, 0)
            return record
        }
        var arrays: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory) where name.hasSuffix(".npy") {
            arrays[name] = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)"))
        }
        return Essence(
            records: records.sorted { ($0.experimentID, $0.runID) < ($1.experimentID, $1.runID) }, arrays: arrays)
    }

    /// What is wrong with a directory whose study was cut off: files in the making, or files that are not whole.
    func damage(in directory: String) -> [String] {
        var damage: [String] = []
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: directory)) ?? [] {
            let path = "\(directory)/\(name)"
            let text = FileManager.default.contents(atPath: path) ?? Data()
            let isWhole =
                switch (name as NSString).pathExtension {
                case "tmp": false
                case "npy": (try? NumPyArray.read(path)) != nil
                case "json": (try? JSONSerialization.jsonObject(with: text)) != nil
                case "jsonl":
                    text.isEmpty
                        || text.last == UInt8(ascii: "\n")
                            && text.split(separator: UInt8(ascii: "\n")).allSatisfy {
                                (try? JSON.value(RunRecord.self, of: $0)) != nil
                            }
                case "yaml":
                    (try? StudyReader(file: path, acceptsAnyDataset: true).read(String(decoding: text, as: UTF8.self)))
                        != nil
                case "csv": text.last == UInt8(ascii: "\n")
                default: true
                }
            if !isWhole { damage.append(name) }
        }
        return damage
    }
}
