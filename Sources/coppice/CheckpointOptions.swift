import ArgumentParser
import Clustering
import Compute
import Foundation
import Ranks
import Support

/// `--resume` and `--checkpoint-every`
struct CheckpointOptions: ParsableArguments {
    @Flag(help: "Continue from the checkpoint that an interrupted clustering left in --out, if there is one.")
    var resume = false
    @Option(
        help: ArgumentHelp(
            "With --kmeans lloyd and --out: least seconds between checkpoints, which are written after an iteration; 0 writes one after every iteration. (default: 60)",
            valueName: "seconds"), transform: realNumber)
    var checkpointEvery: Double?

    /// The default of `--checkpoint-every`, in seconds.
    private static let usual = 60.0
    /// The least time between two checkpoints.
    var interval: Duration { .seconds(checkpointEvery ?? Self.usual) }

    /// True if checkpoints are kept, which requires Lloyd's iterations, a number of clusters and a folder.
    /// - Throws: ``Failure`` if the options would have no effect.
    func check(_ plan: ClusteringPlan, out: String?) throws -> Bool {
        if let checkpointEvery, !(0...1e9).contains(checkpointEvery) {
            throw Failure(
                "--checkpoint-every is \(checkpointEvery); 0 to 1e9 seconds are accepted", exitCode: 64)
        }
        var obstacle: String?
        if out == nil { obstacle = "--out, the folder with the checkpoint" }
        if case .miniBatch = plan.kind { obstacle = "--kmeans lloyd" }
        if plan.k == nil { obstacle = "a number of clusters, not --k auto" }
        guard let obstacle else { return true }
        for (name, isGiven) in [("--resume", resume), ("--checkpoint-every", checkpointEvery != nil)] where isGiven {
            throw Failure("\(name) needs \(obstacle)", exitCode: 64)
        }
        return false
    }
}

extension ClusteringPlan {
    /// Everything that a clustering depends on except the number of ranks, as stored in its checkpoint.
    /// - Parameter samples: the extents and checksum of the samples.
    func checkpointKey(_ kmeans: KMeans, _ samples: String, seed: UInt64) -> [Agreement] {
        let iterations =
            if case .lloyd(let limit, let tolerance) = kind {
                tolerance == 0 ? "\(limit)" : "at most \(limit), until next to nothing moves"
            } else { "none" }
        return [
            Agreement("the samples of \(features == nil ? "--data" : "--features")", samples),
            Agreement("--k", "\(kmeans.k)"), Agreement("--pca", pca.map { "\($0)" } ?? "none"),
            Agreement("--start", kmeans.startText), Agreement("--iterations", iterations),
            Agreement("--seed", "\(seed)"),
        ]
    }
}

/// Keeps checkpoints of a clustering in its folder, and reads the one to continue from. Of several ranks only rank 0 reads and
/// writes; the others get the state from it.
final class CheckpointKeeper: LloydKeeper {
    private let options: CheckpointOptions
    /// Nil on ranks that neither read nor write.
    private let folder: ClusteringFolder?
    /// Nil on ranks that share the process with rank 0, which stops for all.
    private let interrupt: ExitOnInterrupt?
    private let quiet: Bool
    /// Raised by a signal to this rank.
    private let wish = CancellationFlag()
    /// True once a signal to any rank stops the iterations of all.
    private var isStopped = false
    /// The last checkpoint that was kept; without a state before the first one.
    private var checkpoint: KMeansCheckpoint?
    private var lastKept = ContinuousClock.now
    private(set) var resumed: LloydState?

    /// - Parameters:
    ///   - folder: the folder of the checkpoint; nil on ranks that neither read nor write.
    ///   - interrupt: the effect of signals; nil on ranks that share the process with rank 0, which stops for all.
    init(_ options: CheckpointOptions, in folder: ClusteringFolder?, _ interrupt: ExitOnInterrupt?, quiet: Bool) {
        self.options = options
        self.folder = folder
        self.interrupt = interrupt
        self.quiet = quiet
    }

    /// The message with which a signal ends the process while there is no state to keep.
    static func message(_ isKept: Bool) -> String {
        isKept
            ? "interrupted, no clustering was written; --resume goes on from the last checkpoint, if there is one"
            : "interrupted, nothing was written"
    }

    /// Records what is clustered, and finds the state to continue from if `--resume` is given. Collective.
    /// - Throws: ``CheckpointError``, ``RanksError``, and what reading rows throws.
    func open(
        _ plan: ClusteringPlan, _ kmeans: KMeans, _ source: PointSource, _ matrix: FeatureMatrix, seed: UInt64,
        on backend: any Backend
    ) throws {
        let samples = try plan.inFeatures { () throws(ClusteringError) in
            try matrix.fingerprint(spread: source.spread)
        }
        var device = "\(backend.device.name) \(backend.device.driver)"
        if let ranks = source.spread?.communicator { device = try Self.devices(device, over: ranks) }
        // LAPACK may round, or turn, principal components differently on another processor.
        device += source.pca.map { ", principal components \(checksum($0.components))" } ?? ""
        let wanted = KMeansCheckpoint(
            key: plan.checkpointKey(kmeans, samples, seed: seed), device: device, k: kmeans.k,
            dimensions: source.dimensions, state: LloydState(iterations: 0, centroids: []))
        guard let ranks = source.spread?.communicator else { return try take(wanted) }
        // All ranks end in order if rank 0 refuses the checkpoint.
        try ranks.sharingFailures { try take(wanted) }
        if options.resume {
            resumed = try share(resumed, elements: kmeans.k * source.dimensions, over: ranks)
        }
    }

    /// Sets what checkpoints contain, and the state to continue from if there is one.
    private func take(_ wanted: KMeansCheckpoint) throws {
        guard let folder else { return }
        checkpoint = wanted
        if let found = try find(wanted, in: folder) {
            resumed = found.state
            checkpoint?.device = Self.devices(found.device, wanted.device)
        }
    }

    /// The checkpoint to continue from; nil if there is none or none is wanted. Notes say which.
    private func find(_ wanted: KMeansCheckpoint, in folder: ClusteringFolder) throws -> KMeansCheckpoint? {
        let path = "\(folder.path)/\(ClusteringFolder.checkpoint)"
        guard options.resume else {
            if FileManager.default.fileExists(atPath: path) {
                Terminal.note(
                    "note: an interrupted clustering left \(path); --resume goes on from there, and without it the clustering "
                        + "starts from the beginning", quiet: quiet)
            }
            return nil
        }
        guard let found = try KMeansCheckpoint.read(path) else {
            Terminal.note(
                "note: there is no checkpoint in \(folder.path); the clustering starts from the beginning", quiet: quiet
            )
            return nil
        }
        try found.check(against: wanted.key, k: wanted.k, dimensions: wanted.dimensions, file: path)
        if found.device != wanted.device {
            // This may change the last bits of the result, so --quiet does not hide it.
            Terminal.note(
                "warning: \(path) was computed on \(excerpt(found.device)), and this is \(excerpt(wanted.device)); the last "
                    + "bits of the result may differ from those of one device", quiet: false)
        }
        Terminal.note("going on after \(describeCount(found.state.iterations, "iteration"))", quiet: quiet)
        return found
    }

    /// The devices that computed a state, for the next checkpoint.
    static func devices(_ before: String, _ now: String) -> String {
        before == now || before.hasSuffix(", then \(now)") ? before : "\(before), then \(now)"
    }

    /// The devices of all ranks in their order if they differ, otherwise the one of this rank. Collective.
    static func devices(_ own: String, over ranks: Communicator) throws(RanksError) -> String {
        guard !ranks.computesAlike else { return own }
        let all = try ranks.gather(Array(own.utf8))
        let names = (0..<ranks.size).map { String(decoding: all[$0], as: UTF8.self) }
        return Set(names).count == 1 ? own : names.joined(separator: " and ")
    }

    /// Copies the state of rank 0 to all ranks. Collective.
    private func share(_ state: LloydState?, elements: Int, over ranks: Communicator) throws -> LloydState? {
        var iterations = [UInt64(state?.iterations ?? 0)]
        try ranks.broadcast(&iterations)
        guard iterations[0] > 0 else { return nil }
        var centroids = state?.centroids ?? [Float](repeating: 0, count: elements)
        try ranks.broadcast(&centroids)
        return LloydState(iterations: Int(iterations[0]), centroids: centroids)
    }

    // MARK: - Beside the iterations

    var isStopping: Bool { wish.isCancelled }

    func begin() {
        lastKept = .now
        interrupt?.raise(wish)
    }

    func isDue(stopping: Bool) -> Bool {
        folder != nil && (stopping || ContinuousClock.now - lastKept >= options.interval)
    }

    func keep(_ state: LloydState) throws(FileError) {
        guard let folder, var checkpoint else { return }
        checkpoint.state = state
        try folder.write(checkpoint)
        lastKept = .now
    }

    func stop() { isStopped = true }

    func end() {
        // All ranks end in order. A signal that reaches this one only now must not end it alone: the launcher would kill the
        // others before rank 0 has kept the state and said so.
        if isStopped { return interrupt.ignore() }
        // One that came too late for the iterations is ignored.
        if !isStopping { interrupt?.raise(nil) }
    }
}
