import ArgumentParser
import Clustering
import Compute
import Foundation
import Ranks
import Support

/// `--resume` and `--checkpoint-every`
struct CheckpointOptions: ParsableArguments {
    @Flag(help: "Go on from the checkpoint in --out that an interrupted clustering left; without one, start.")
    var resume = false
    @Option(
        help: ArgumentHelp(
            "--kmeans lloyd with --out: least seconds between checkpoints, which are written after an iteration; 60 unless given, and 0 for every iteration.",
            valueName: "seconds"), transform: realNumber)
    var checkpointEvery: Double?

    /// Seconds unless the option gives others.
    private static let usual = 60.0
    /// The least time between two checkpoints.
    var interval: Duration { .seconds(checkpointEvery ?? Self.usual) }

    /// True where checkpoints are kept: for Lloyd's iterations with a number of clusters and a folder to keep them in.
    /// - Throws: ``Failure`` where the options would have no effect.
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
    /// Everything that a clustering depends on but the number of ranks, as its checkpoint has it.
    /// - Parameter samples: extents and checksum of the samples.
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

/// Keeps checkpoints of a clustering in its folder, and reads the one to go on from. Of several ranks, rank 0 reads and writes;
/// the others get the state from it.
final class CheckpointKeeper: LloydKeeper {
    private let options: CheckpointOptions
    /// Nil on ranks that neither read nor write.
    private let folder: ClusteringFolder?
    /// Nil on ranks that share it with rank 0, which stops for all.
    private let interrupt: ExitOnInterrupt?
    private let quiet: Bool
    private let stop = CancellationFlag()
    /// The last one that was kept; without a state before that.
    private var checkpoint: KMeansCheckpoint?
    private var lastKept = ContinuousClock.now
    private(set) var resumed: LloydState?

    /// - Parameters:
    ///   - folder: that of the checkpoint; nil on ranks that neither read nor write.
    ///   - interrupt: what signals do to this process; nil on ranks that share the process with rank 0, which stops for all.
    init(_ options: CheckpointOptions, in folder: ClusteringFolder?, _ interrupt: ExitOnInterrupt?, quiet: Bool) {
        self.options = options
        self.folder = folder
        self.interrupt = interrupt
        self.quiet = quiet
    }

    /// The sentence with which a signal ends the process while there is no state to keep.
    static func message(_ isKept: Bool) -> String {
        isKept
            ? "interrupted, no clustering was written; --resume goes on from a checkpoint where there is one"
            : "interrupted, nothing was written"
    }

    /// Takes in what is clustered, and finds the state to go on from where `--resume` is given. Collective.
    /// - Throws: ``CheckpointError``, ``RanksError``, and what reading rows throws.
    func open(
        _ plan: ClusteringPlan, _ kmeans: KMeans, _ source: PointSource, _ matrix: FeatureMatrix, seed: UInt64,
        on backend: any Backend
    ) throws {
        let samples = try plan.inFeatures { () throws(ClusteringError) in
            try matrix.fingerprint(spread: source.spread)
        }
        let device = "\(backend.device.name) \(backend.device.driver)"
        let wanted = KMeansCheckpoint(
            key: plan.checkpointKey(kmeans, samples, seed: seed), device: device, k: kmeans.k,
            dimensions: source.dimensions, state: LloydState(iterations: 0, centroids: []))
        guard let ranks = source.spread?.communicator else { return try take(wanted) }
        // All ranks end in order where rank 0 refuses what it found.
        try ranks.sharingFailures { try take(wanted) }
        if options.resume {
            resumed = try share(resumed, elements: kmeans.k * source.dimensions, over: ranks)
        }
    }

    /// Takes what checkpoints are to have, and the state to go on from where there is one.
    private func take(_ wanted: KMeansCheckpoint) throws {
        guard let folder else { return }
        checkpoint = wanted
        if let found = try find(wanted, in: folder) {
            resumed = found.state
            checkpoint?.device = devices(found.device, wanted.device)
        }
    }

    /// The checkpoint to go on from; nil where there is none, or none is wanted. Notes say which.
    private func find(_ wanted: KMeansCheckpoint, in folder: ClusteringFolder) throws -> KMeansCheckpoint? {
        let path = "\(folder.path)/\(ClusteringFolder.checkpoint)"
        guard options.resume else {
            if FileManager.default.fileExists(atPath: path) {
                Terminal.note(
                    "note: \(path) is left by a clustering that was interrupted; --resume goes on from there, and without it "
                        + "the clustering starts again", quiet: quiet)
            }
            return nil
        }
        guard let found = try KMeansCheckpoint.read(path) else {
            Terminal.note("note: there is no checkpoint in \(folder.path), and the clustering starts", quiet: quiet)
            return nil
        }
        try found.check(against: wanted.key, k: wanted.k, dimensions: wanted.dimensions, file: path)
        if found.device != wanted.device {
            // It changes the result, if only in its last bits, so that --quiet does not hide it.
            Terminal.note(
                "warning: \(path) was computed on \(excerpt(found.device)), and this is \(excerpt(wanted.device)): the last "
                    + "bits may differ from those of one device alone", quiet: false)
        }
        Terminal.note("going on after \(describeCount(found.state.iterations, "iteration"))", quiet: quiet)
        return found
    }

    /// The devices that a state is of, for the next one to go on from it.
    private func devices(_ before: String, _ now: String) -> String {
        before.hasSuffix(now) ? before : "\(before), then \(now)"
    }

    /// The state of rank 0 on all ranks. Collective.
    private func share(_ state: LloydState?, elements: Int, over ranks: Communicator) throws -> LloydState? {
        var iterations = [UInt64(state?.iterations ?? 0)]
        try ranks.broadcast(&iterations)
        guard iterations[0] > 0 else { return nil }
        var centroids = state?.centroids ?? [Float](repeating: 0, count: elements)
        try ranks.broadcast(&centroids)
        return LloydState(iterations: Int(iterations[0]), centroids: centroids)
    }

    // MARK: - Beside the iterations

    var isStopping: Bool { stop.isCancelled }

    func begin() {
        lastKept = .now
        interrupt?.raise(stop)
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

    // A signal that came too late for the iterations is forgotten, and a repeated one must not end a rank alone.
    func end() { if !isStopping { interrupt?.raise(nil) } }
}
