import ArgumentParser
import Clustering
import Compute
import Datasets
import Foundation
import Pruning
import Scoring
import Support

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
    @Option(help: "Samples to keep.", transform: wholeNumber)
    var size: Int?
    @Option(help: "exact (the size asked for) or article (size / k a cluster, not refilled).")
    var quota = "exact"
    @Option(help: "none or class: an equal share a class.")
    var balance = "none"
    @Option(help: "hybrid: the share from the near end. (default: 1)", transform: wholeNumber)
    var nClosest = 1
    @Option(help: "hybrid: the share from the far end. (default: 1)", transform: wholeNumber)
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
    }

    /// What is selected from, and what clustering it cost.
    private struct Source {
        var count: Int
        var size: SelectionSize
        var classes: ClassLabels?
        var assignment: ClusterAssignment?
        var dimensions: Int?
        var finished: FinishedClustering?
        var device: DeviceDescription?
    }

    func run() throws {
        let plan = try options.plan()
        let selection = try selection(plan)
        try checkOutputs(
            [NamedFile("--out", out)],
            against: options.inputs
                + (clustering.map { folder in
                    ClusteringFolder.files.map { NamedFile("--clustering", "\(folder)/\($0)") }
                } ?? []))
        try AtomicFile.checkCanWrite(out)
        let interrupt = ExitOnInterrupt()
        let requested = selection.isWhole ? .whole : RequestedSize.count(size ?? 0)
        let source = try clustering.map { try read($0, requested) } ?? cluster(plan, requested)
        let begin = ContinuousClock.now
        var random = RandomStream(seed: compute.seed, run: 0, purpose: .selection)
        let input = try selection.input(
            count: source.count, classes: source.classes,
            from: ScoreInput(count: source.count, classes: source.classes, clustering: source.assignment))
        let kept = try selection.select(source.size, from: input, random: &random)
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        try interrupt.finishing {
            try NumPy.write(kept.indices.map(Int64.init), shape: [kept.kept], to: out)
        }
        if json {
            let found = source.finished?.clustering
            try printJSON(
                Report(
                    strategy: strategy, n: source.count, requested: kept.requested, kept: kept.kept,
                    perClass: kept.perClass, perCluster: kept.perCluster, out: out, seed: compute.seed,
                    selectionSeconds: seconds, k: source.assignment?.k, dimensions: source.dimensions,
                    components: source.finished == nil ? nil : plan.pca, inertia: found?.inertia,
                    iterations: found?.iterations, pcaSeconds: source.finished?.pcaSeconds,
                    startSeconds: found?.startSeconds, kmeansSeconds: found?.seconds, device: source.device))
        } else {
            show(kept, of: source)
        }
        try flushOutput()
        withExtendedLifetime(interrupt) {}
    }

    /// Every word and number that needs no data to be checked.
    private func selection(_ plan: ClusteringPlan) throws -> Selection {
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
        guard
            let selection = Selection(
                commandWord: strategy, isClustered: isClustered, nClosest: nClosest, nFurthest: nFurthest)
        else { throw unaccepted(strategy, of: Selection.commandWords, option: "--strategy") }
        if selection.needsClustering, !isClustered {
            throw Failure("--strategy \(strategy) needs clusters: give --k or --clustering", exitCode: 64)
        }
        guard selection.isWhole || size != nil else {
            throw Failure("--size is missing: how many samples to keep", exitCode: 64)
        }
        if let size, size < 1 { throw Failure("--size is \(size); it must be at least 1", exitCode: 64) }
        return selection.sharing(try chosen(quota, option: "--quota"), try chosen(balance, option: "--balance"))
    }

    private func chosen<Word: RawRepresentable & CaseIterable>(_ word: String, option: String) throws -> Word
    where Word.RawValue == String {
        guard let value = Word(rawValue: word) else {
            throw unaccepted(word, of: Word.allCases.map(\.rawValue), option: option)
        }
        return value
    }

    private func cluster(_ plan: ClusteringPlan, _ requested: RequestedSize) throws -> Source {
        let samples = try options.samples(quiet: compute.quiet)
        let matrix = samples.matrix
        try plan.check(matrix)
        // A size that is out of range must not wait for the clustering.
        var source = Source(
            count: matrix.count, size: try requested.resolved(of: matrix.count), classes: samples.classes,
            dimensions: matrix.dimensions)
        guard let k = plan.k else { return source }
        let backend = try compute.makeBackend(in: shape)
        let finished = try plan.run(matrix, k: k, seed: compute.seed, on: backend, quiet: compute.quiet)
        source.assignment = finished.assignment
        source.finished = finished
        source.device = backend.device
        return source
    }

    /// A clustering from its folder, with the classes of the data set where one is named.
    private func read(_ directory: String, _ requested: RequestedSize) throws -> Source {
        let labels = try NumPyArray.read("\(directory)/\(ClusteringFolder.labels)")
        let distances = try NumPyArray.read("\(directory)/\(ClusteringFolder.distances)")
        for array in [labels, distances] where array.shape.count != 1 {
            throw Failure("\(array.path): its shape is \(array.shape); one dimension is needed", exitCode: 65)
        }
        let (values, k) = try clusters(labels, directory)
        let isNamed = options.data.data != nil || options.data.dataset != nil
        let images = isNamed ? try options.data.load(quiet: compute.quiet) : nil
        let count = images?.train.count ?? values.count
        return Source(
            count: count, size: try requested.resolved(of: count),
            classes: images.map { ClassLabels(labels: $0.train.labels, count: $0.classCount) },
            assignment: ClusterAssignment(labels: values, squaredDistances: distances.floats, k: k))
    }

    /// The cluster of each sample, from 0, and the number of clusters.
    ///
    /// Where centroids.npy is there, labels are its rows. Otherwise they are names: those up to the number of samples
    /// stay as they are, since a gap is an empty cluster, and larger ones are replaced by their ranks.
    private func clusters(_ array: NumPyArray, _ directory: String) throws -> (labels: [Int32], k: Int) {
        let labels = try array.integers()
        func wrong(_ reason: String) -> Failure { Failure("\(array.path): \(reason)", exitCode: 65) }
        guard let largest = labels.max() else { throw wrong("it is empty; a label for each sample is needed") }
        if let noise = labels.firstIndex(where: { $0 < 0 }) {
            throw wrong(
                "label \(labels[noise]) at position \(noise) is negative, as some programs mark noise, which is no "
                    + "cluster; leave these samples out, or give them labels from 0 up")
        }
        let path = "\(directory)/\(ClusteringFolder.centroids)"
        if FileManager.default.fileExists(atPath: path) {
            let centroids = try NumPyFile(path)
            // Rows of nothing could be as many as somebody writes into the header.
            guard centroids.shape.count == 2, centroids.shape.allSatisfy({ (1...Int(Int32.max)).contains($0) }) else {
                throw Failure(
                    "\(path): its shape is \(centroids.shape); two dimensions are needed, a row for each cluster",
                    exitCode: 65)
            }
            let k = centroids.shape[0]
            if let stray = labels.firstIndex(where: { $0 >= k }) {
                throw wrong(
                    "label \(labels[stray]) at position \(stray) is outside 0 to \(k - 1), the rows of \(path)")
            }
            return (labels.map { Int32($0) }, k)
        }
        if largest < labels.count { return (labels.map { Int32($0) }, Int(largest) + 1) }
        let names = Set(labels).sorted()
        let ranks = Dictionary(uniqueKeysWithValues: zip(names, Int32(0)...))
        Terminal.note(
            "\(array.path): labels go up to \(largest), so the \(names.count) clusters are numbered from 0 in their order",
            quiet: compute.quiet)
        return (labels.map { ranks[$0] ?? 0 }, names.count)
    }

    private func show(_ kept: KeptSamples, of source: Source) {
        var line = "kept \(kept.kept) of \(source.count) samples in \(out)"
        if kept.kept != kept.requested { line += ", \(kept.requested) were asked for" }
        print(line)
        if !kept.perClass.isEmpty {
            print("a class: \(kept.perClass.map(String.init).joined(separator: " "))")
        }
        if let assignment = source.assignment {
            let counts = kept.perCluster.sorted()
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
