import ArgumentParser
import Clustering
import Compute
import Datasets
import Foundation
import Pruning

/// `coppice select`
struct SelectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select",
        abstract: "Keeps a part of a training set, or of samples of your own, by a strategy.",
        discussion: """
            Writes the indices of what is kept, the most wanted first, so that a prefix is a smaller selection. The \
            strategies closest, furthest and hybrid need a clustering: --k to make one, or --clustering for one that \
            `coppice cluster --out` wrote. random draws from each cluster where there is one, else from the whole set.
            """)

    @OptionGroup var options: ClusteringOptions
    @Option(help: ArgumentHelp("A folder that `coppice cluster --out` wrote, in place of --k.", valueName: "dir"))
    var clustering: String?
    @Option(help: "none, random, closest, furthest or hybrid.")
    var strategy: String
    @Option(help: "Samples to keep.")
    var size: Int?
    @Option(help: "exact (the size asked for) or article (size / k a cluster, not refilled).")
    var quota = "exact"
    @Option(help: "none or class: an equal share a class.")
    var balance = "none"
    @Option(help: "hybrid: the share from the near end.")
    var nClosest = 1
    @Option(help: "hybrid: the share from the far end.")
    var nFurthest = 1
    @Option(help: ArgumentHelp("Where to write the indices, int64.", valueName: "kept.npy"))
    var out: String
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var shape: ProfileOption
    @OptionGroup var compute: ComputeOptions

    private struct Report: Encodable {
        var strategy: String
        var n: Int
        var requested: Int
        var kept: Int
        var perClass: [Int]
        var perCluster: [Int]
        var out: String
        var seed: UInt64
        var selectionSeconds: Double
        var k: Int?
        var dimensions: Int?
        var components: Int?
        var inertia: Double?
        var iterations: Int?
        var pcaSeconds: Double?
        var startSeconds: Double?
        var kmeansSeconds: Double?
        var device: DeviceDescription?

        enum CodingKeys: String, CodingKey {
            case strategy, n, requested, kept, out, seed, k, dimensions, components, inertia, iterations, device
            case perClass = "per_class"
            case perCluster = "per_cluster"
            case selectionSeconds = "selection_seconds"
            case pcaSeconds = "pca_seconds"
            case startSeconds = "start_seconds"
            case kmeansSeconds = "kmeans_seconds"
        }
    }

    /// What is selected from, and what clustering it cost.
    private struct Source {
        var count: Int
        var classes: ClassLabels?
        var assignment: ClusterAssignment?
        var dimensions: Int?
        var finished: FinishedClustering?
        var device: DeviceDescription?
    }

    func run() throws {
        let plan = try options.plan()
        let request = try request(plan)
        try AtomicFile.checkCanWrite(out)
        let interrupt = ExitOnInterrupt()
        let source = try clustering.map(read) ?? cluster(plan, request)
        let begin = ContinuousClock.now
        var random = RandomStream(seed: compute.seed, run: 0, purpose: .selection)
        let selection = try request.select(
            count: source.count, assignment: source.assignment, classes: source.classes, random: &random)
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        try interrupt.finishing {
            try NumPy.write(selection.indices.map(Int64.init), shape: [selection.kept], to: out)
        }
        if json {
            let found = source.finished?.clustering
            try printJSON(
                Report(
                    strategy: strategy, n: source.count, requested: selection.requested, kept: selection.kept,
                    perClass: selection.perClass, perCluster: selection.perCluster, out: out, seed: compute.seed,
                    selectionSeconds: seconds, k: source.assignment?.k, dimensions: source.dimensions,
                    components: source.finished == nil ? nil : plan.pca, inertia: found?.inertia,
                    iterations: found?.iterations, pcaSeconds: source.finished?.pcaSeconds,
                    startSeconds: found?.startSeconds, kmeansSeconds: found?.seconds, device: source.device))
        } else {
            show(selection, of: source)
        }
        try flushOutput()
        withExtendedLifetime(interrupt) {}
    }

    /// Every word and number that needs no data to be checked.
    private func request(_ plan: ClusteringPlan) throws -> SelectionRequest {
        let ofClustering = [
            ("--pca", plan.pca != nil), ("--iterations", options.iterations != nil),
            ("--kmeans", options.kmeans != "minibatch"), ("--start", options.start != "kmeans++"),
            ("--memory", plan.memory != nil),
        ]
        if clustering != nil {
            for (name, isGiven) in [("--k", plan.k != nil), ("--features", options.features != nil)] + ofClustering
            where isGiven {
                throw Failure("--clustering stands in place of \(name); give one of them", exitCode: 64)
            }
        } else if plan.k == nil {
            for (name, isGiven) in ofClustering where isGiven {
                throw Failure("\(name) is for a clustering, and there is none without --k", exitCode: 64)
            }
        }
        let isClustered = plan.k != nil || clustering != nil
        let strategy: Strategy = try chosen(
            self.strategy,
            of: [
                "none": .none, "random": isClustered ? .randomInCluster : .random, "closest": .closest,
                "furthest": .furthest, "hybrid": .hybrid(nClosest: nClosest, nFurthest: nFurthest),
            ], option: "--strategy")
        if strategy.needsClustering, !isClustered {
            throw Failure("--strategy \(self.strategy) needs clusters: give --k or --clustering", exitCode: 64)
        }
        guard strategy == .none || size != nil else {
            throw Failure("--size is missing: how many samples to keep", exitCode: 64)
        }
        if let size, size < 1 { throw Failure("--size is \(size); it must be at least 1", exitCode: 64) }
        return SelectionRequest(
            strategy: strategy, size: size ?? 0,
            quota: try chosen(quota, of: ["exact": .exact, "article": .article], option: "--quota"),
            balance: try chosen(balance, of: ["none": .none, "class": .class], option: "--balance"))
    }

    private func cluster(_ plan: ClusteringPlan, _ request: SelectionRequest) throws -> Source {
        let samples = try options.samples(quiet: compute.quiet)
        let matrix = samples.matrix
        try plan.check(matrix)
        var source = Source(count: matrix.count, classes: samples.classes, dimensions: matrix.dimensions)
        guard let k = plan.k else { return source }
        // A size that is out of range must not wait for the clustering.
        if request.strategy != .none, request.size > matrix.count {
            throw PruningError.sizeOutOfRange(size: request.size, count: matrix.count)
        }
        let backend = try compute.makeBackend(in: shape)
        let finished = try plan.run(matrix, k: k, seed: compute.seed, on: backend, quiet: compute.quiet)
        source.assignment = finished.assignment
        source.finished = finished
        source.device = backend.device
        return source
    }

    /// A clustering from its folder, with the classes of the data set where one is named.
    private func read(_ directory: String) throws -> Source {
        let labels = try NumPyArray.read("\(directory)/\(ClusteringFolder.labels)")
        let distances = try NumPyArray.read("\(directory)/\(ClusteringFolder.distances)")
        for array in [labels, distances] where array.shape.count != 1 {
            throw Failure("\(array.path): its shape is \(array.shape); one dimension is needed", exitCode: 65)
        }
        let values = try labels.integers().map { Int32(clamping: $0) }
        guard !values.isEmpty else {
            throw Failure("\(labels.path): it is empty; a label for each sample is needed", exitCode: 65)
        }
        let centroids = "\(directory)/\(ClusteringFolder.centroids)"
        // Without centroids, clusters after the last one that has samples cannot be known, and make no difference.
        let k =
            FileManager.default.fileExists(atPath: centroids)
            ? try NumPyArray.read(centroids).shape.first ?? 0 : Int(values.max() ?? 0) + 1
        let isNamed = options.data.data != nil || options.data.dataset != nil
        let images = isNamed ? try options.data.load(quiet: compute.quiet) : nil
        return Source(
            count: images?.train.count ?? values.count,
            classes: images.map { ClassLabels(labels: $0.train.labels, count: $0.classCount) },
            assignment: ClusterAssignment(labels: values, squaredDistances: distances.floats, k: k))
    }

    private func show(_ selection: Selection, of source: Source) {
        var line = "kept \(selection.kept) of \(source.count) samples in \(out)"
        if selection.kept != selection.requested { line += ", \(selection.requested) were asked for" }
        print(line)
        if !selection.perClass.isEmpty {
            print("a class: \(selection.perClass.map(String.init).joined(separator: " "))")
        }
        if let assignment = source.assignment {
            let counts = selection.perCluster.sorted()
            print(
                "a cluster: \(counts.first ?? 0) to \(counts.last ?? 0) kept, of "
                    + describeSizes(of: assignment.labels, k: assignment.k))
        }
        if let finished = source.finished {
            print(
                "inertia \(finished.clustering.inertia) after \(finished.clustering.iterations) iterations; "
                    + finished.stages)
        }
    }
}
