import ArgumentParser
import Clustering
import Compute
import Datasets
import Foundation
import Ranks
import Support

/// `coppice cluster`
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Clusters training images, or samples of your own, with k-means.",
        discussion: """
            Images are taken as they are, pixels 0 to 255. With --out, writes labels.npy (int32), distances.npy (squared \
            distances to the own centroid, float32) and centroids.npy (a row each; float64 for features that are not \
            uint8, else float32).

            --k auto clusters with several k, from two starts each, and takes one of them. The choice and its reasons are \
            printed, in a table with the inertia, the silhouette and the stability of each k; it is the clustering that \
            --k with that number makes. docs/clustering.md explains the rule.

            With --kmeans lloyd and --out, checkpoints are kept during the iterations. After a signal or a failure, --resume \
            goes on from the last one, and the result has the same bits as without the interruption.

            With --kmeans lloyd, several devices of this machine (--device gpu:all, gpu:0,2, or --devices N) can work on one \
            clustering, and under mpirun or srun all ranks do. The result has the same bits. docs/clusters.md has examples.
            """)

    @OptionGroup var options: ClusteringOptions
    @Option(help: ArgumentHelp("Where to write the clustering; made where it is missing.", valueName: "dir"))
    var out: String?
    @OptionGroup var curve: CurveOption
    @OptionGroup var checkpoint: CheckpointOptions
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var shape: ProfileOption
    @OptionGroup var spread: SpreadOptions
    var compute: ComputeOptions { spread.compute }

    private struct Report: Encodable {
        var k: Int
        var n: Int
        var dimensions: Int
        var components: Int?
        var inertia: Double
        var iterations: Int
        var emptyClusters: Int
        var loadingSeconds: Double
        var pcaSeconds: Double
        var startSeconds: Double
        var kmeansSeconds: Double
        var streamed: Bool
        var seed: UInt64
        var out: String?
        var device: DeviceDescription
        /// Nil for a single process with one device.
        var ranks: Int?
        var kAuto: AutomaticK.Report?
    }

    func run() async throws {
        let plan = try options.plan()
        guard plan.clusters != nil else {
            throw Failure("--k is missing: how many clusters are wanted, or auto", exitCode: 64)
        }
        try checkOutputs(
            (out.map { out in ClusteringFolder.names.map { NamedFile("--out", "\(out)/\($0)") } } ?? []) + [curve.file],
            against: options.inputs)
        try curve.check(plan)
        let isKept = try checkpoint.check(plan, out: out)
        if isKept { Signals.expectPreemption(inBatchJob: Signals.isInBatchJob) }
        let interrupt = try spread.runIfSeveral(saying: CheckpointKeeper.message(isKept)) { ranks, interrupt in
            try cluster(on: ranks, [], plan, nil, interrupt, isKept: isKept)
        } onDevices: { devices, interrupt in
            try run(on: devices, plan, interrupt, isKept: isKept)
        }
        guard let interrupt else { return }
        defer { withExtendedLifetime(interrupt) {} }
        let begin = ContinuousClock.now
        let matrix = try options.samples(quiet: compute.quiet).matrix
        try plan.check(matrix)
        let loadingSeconds = (ContinuousClock.now - begin) / .seconds(1)
        let folder = try out.map { try ClusteringFolder(checking: $0) }
        let backend = try compute.makeBackend(in: shape)
        let keeper = isKept ? CheckpointKeeper(checkpoint, in: folder, interrupt, quiet: compute.quiet) : nil
        let finished = try plan.run(matrix, seed: compute.seed, on: backend, keeper: keeper, quiet: compute.quiet)
        let clustering = finished.clustering
        let drawn = try await curve.bytes(of: finished.automatic, quiet: compute.quiet)
        if folder != nil || drawn != nil {
            try interrupt.finishing {
                try folder?.write(clustering, isBytes: matrix.isBytes, removing: isKept)
                try curve.write(drawn)
            }
        }
        try report(
            finished, of: matrix, plan, loadingSeconds: loadingSeconds, on: backend,
            curve: drawn == nil ? nil : curve.curve)
    }

    /// Prints the result.
    /// - Parameters:
    ///   - curve: the file with the curve of several k, if one was written.
    ///   - ranks: the number of ranks that worked on it; nil for a single process with one device.
    func report(
        _ finished: FinishedClustering, of matrix: FeatureMatrix, _ plan: ClusteringPlan, loadingSeconds: Double,
        on backend: any Backend, curve curvePath: String? = nil, ranks: Int? = nil
    ) throws {
        let clustering = finished.clustering
        let k = clustering.k
        if json {
            try printJSON(
                Report(
                    k: k, n: matrix.count, dimensions: matrix.dimensions, components: plan.pca,
                    inertia: clustering.inertia, iterations: clustering.iterations,
                    emptyClusters: finished.emptyClusters, loadingSeconds: loadingSeconds,
                    pcaSeconds: finished.pcaSeconds, startSeconds: clustering.startSeconds,
                    kmeansSeconds: clustering.seconds, streamed: finished.isStreamed, seed: compute.seed, out: out,
                    device: backend.device, ranks: ranks, kAuto: finished.automatic?.report(curve: curvePath)))
        } else {
            for line in finished.automatic?.lines(curve: curvePath) ?? [] { print(line) }
            print("\(matrix.count) samples in \(k) clusters: \(finished.sizes)")
            print("inertia \(clustering.inertia) after \(clustering.iterations) iterations; \(finished.stages)")
            if let out { print("labels.npy, distances.npy and centroids.npy are in \(out)") }
        }
        try flushOutput()
    }
}

/// A clustering on disk.
struct ClusteringFolder {
    static let labels = "labels.npy"
    static let distances = "distances.npy"
    static let centroids = "centroids.npy"
    static let files = [labels, distances, centroids]
    static let checkpoint = "clustering.checkpoint"
    /// All files that may be written here.
    static let names = files + [checkpoint]
    let path: String
    /// The folders that are missing, itself and those above it, the innermost first.
    private let missing: [String]
    /// Names of temporary files and folders that were here before.
    private let leftovers: [String]

    /// A folder that can be written to. One that is missing is made and removed again: a command that ends before it has a
    /// result leaves nothing.
    init(checking path: String) throws {
        self.path = path
        var missing: [String] = []
        var folder = Paths.destination(of: path) ?? path
        while !FileManager.default.fileExists(atPath: folder), Paths.folder(of: folder) != folder {
            missing.append(folder)
            folder = Paths.folder(of: folder)
        }
        self.missing = missing
        leftovers = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter(Self.isTemporary)
        try Folder.make(path)
        defer { removeEmpty() }
        for name in Self.names { try AtomicFile.checkCanWrite("\(path)/\(name)") }
    }

    /// True for the names of temporary files and folders that ``write(_:)`` and ``write(_:isBytes:removing:)`` make.
    private static func isTemporary(_ name: String) -> Bool {
        AtomicFile.target(ofTemporary: name).map(names.contains) ?? (name.wholeMatch(of: /\.[0-9]+\.tmp/) != nil)
    }

    /// Removes the folders that were missing, as far as they are empty.
    private func removeEmpty() {
        for folder in missing { rmdir(folder) }
    }

    /// Writes a checkpoint.
    /// - Throws: ``FileError``.
    func write(_ checkpoint: KMeansCheckpoint) throws(FileError) {
        try Folder.make(path)
        defer { removeEmpty() }
        try checkpoint.write(to: "\(path)/\(Self.checkpoint)")
    }

    /// Writes all three files or none, because labels and centroids in a folder must belong to one clustering. Then removes
    /// temporary files of processes that were killed while they wrote: those that have been here since the command began.
    /// - Parameters:
    ///   - isBytes: whether the samples are 8-bit ones, whose centroids are float32.
    ///   - isKept: whether the clustering kept checkpoints: the last one is no longer needed and is removed.
    func write(_ clustering: KMeansClustering, isBytes: Bool, removing isKept: Bool) throws {
        let stage = "\(path)/.\(getpid()).tmp"
        defer {
            try? FileManager.default.removeItem(atPath: stage)
            removeEmpty()
        }
        try Folder.make(path)
        try Folder.make(stage)
        let count = clustering.labels.count
        try NumPy.write(clustering.labels, shape: [count], to: "\(stage)/\(Self.labels)")
        try NumPy.write(clustering.distances, shape: [count], to: "\(stage)/\(Self.distances)")
        let shape = [clustering.k, clustering.dimensions]
        if isBytes {
            try NumPy.write(clustering.centroids, shape: shape, to: "\(stage)/\(Self.centroids)")
        } else {
            try NumPy.write(clustering.absoluteCentroids, shape: shape, to: "\(stage)/\(Self.centroids)")
        }
        for name in Self.files {
            try AtomicFile.move("\(stage)/\(name)", to: "\(path)/\(name)")
        }
        if isKept { unlink("\(path)/\(Self.checkpoint)") }
        for name in leftovers { try? FileManager.default.removeItem(atPath: "\(path)/\(name)") }
    }
}
