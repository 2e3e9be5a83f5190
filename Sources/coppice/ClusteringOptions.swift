import ArgumentParser
import Clustering
import Compute
import Datasets
import Foundation
import Networks
import Pruning
import Studies
import Support

/// How centroids are found: `--kmeans`.
enum KMeansMethod: String, CaseIterable, ExpressibleByArgument {
    case minibatch, lloyd
}

/// Samples on the command line, and how to cluster them: what `cluster` and `select` share.
struct ClusteringOptions: ParsableArguments {
    @OptionGroup var data: DataOptions
    @OptionGroup var matrix: FeatureOptions
    @Option(
        name: .customLong("k"),
        help: ArgumentHelp(
            "Clusters: a number; or auto or auto:LOW-HIGH, which tries several and chooses one (cluster, and select for its clusters).",
            valueName: "k"), transform: clusterCount)
    var clusters: ClusterCount?
    @Option(
        help: ArgumentHelp("Cluster in this many principal components; off unless given.", valueName: "d"),
        transform: wholeNumber)
    var pca: Int?
    @Option(help: "lloyd: all samples in every iteration. minibatch: some of them, which is faster.")
    var kmeans = KMeansMethod.minibatch
    @Option(
        help: ArgumentHelp(
            "minibatch: most passes (20 unless given). lloyd: so many iterations, unless nothing moves any more; without this option at most 100, until next to nothing moves.",
            valueName: "n"), transform: wholeNumber)
    var iterations: Int?
    @Option(
        help: ArgumentHelp(
            "Where the centroids start: kmeans++ (on a random subset), kmeans-parallel (k-means|| on all rows), random, or a .npy file of centroids, float32 or float64. (default: kmeans++, but kmeans-parallel for lloyd with more than 10000 clusters)",
            valueName: "start"))
    var start: String?
    @OptionGroup var memory: MemoryOption

    /// The number of clusters; nil where none is given, and where one is to be chosen.
    var k: Int? { if case .number(let k) = clusters { k } else { nil } }

    /// The file that --start names; nil if it is a keyword or not given.
    private var startFile: String? { start.flatMap { $0.hasSuffix(".npy") ? $0 : nil } }

    /// What --features names, as part of a sentence; nil where it is not given.
    var features: String? { matrix.name }

    /// What to do, checked as far as it can be without the samples.
    func plan() throws -> ClusteringPlan {
        if features != nil, data.data != nil || data.dataset != nil {
            throw Failure(
                "--features is mutually exclusive with --data and --dataset (select --link alone takes --data too: the folder of the images)",
                exitCode: 64)
        }
        if features != nil, data.orientation.transposed {
            throw Failure("--transposed is for the images of a data set, and --features are none", exitCode: 64)
        }
        if features != nil { try data.images.refuse(because: "--features are none") }
        try matrix.check()
        for (name, value) in [("--k", k), ("--pca", pca), ("--iterations", iterations)] {
            if let value, value < 1 { throw Failure("\(name) is \(value); it must be at least 1", exitCode: 64) }
        }
        let kind: KMeans.Kind
        switch kmeans {
        case .lloyd: kind = iterations.map { .lloyd(iterations: $0, tolerance: 0) } ?? .lloyd(iterations: 100)
        case .minibatch:
            var settings = KMeans.MiniBatch()
            if let iterations { settings.passes = iterations }
            kind = .miniBatch(settings)
        }
        var start: KMeans.Start?
        if let file = startFile {
            try refuseAutomatic(clusters, for: "a start from a file", because: "it has centroids of one number")
            guard let k else { throw Failure("--start \(file) needs --k", exitCode: 64) }
            start = .given(try Self.centroids(file, k: k))
        } else if let word = self.start {
            start = try chosen(
                word, of: ["kmeans++": .plusPlus, "kmeans-parallel": .parallel(), "random": .random], option: "--start")
        }
        return ClusteringPlan(
            clusters: clusters, pca: pca, kind: kind, start: start, memory: try memory.bytes, features: features)
    }

    /// Refuses what nothing takes.
    /// - Parameters:
    ///   - isClustered: whether samples are clustered.
    ///   - takesCount: whether a number of clusters is taken all the same.
    ///   - isOfPoints: whether something else is of the samples as points.
    func checkIdle(isClustered: Bool, takesCount: Bool, isOfPoints: Bool) throws {
        for (name, isGiven, isTaken) in [
            ("--k", clusters != nil, isClustered || takesCount), ("--pca", pca != nil, isClustered || isOfPoints),
            ("--iterations", iterations != nil, isClustered), ("--kmeans", kmeans != .minibatch, isClustered),
            ("--start", start != nil, isClustered), ("--memory", memory.text != nil, isClustered || isOfPoints),
        ] where isGiven && !isTaken {
            throw Failure(
                "\(name) is for a clustering, and "
                    + (takesCount ? "this score makes its own clusters without it" : "none is made here"), exitCode: 64)
        }
    }

    /// The files that are read.
    var inputs: [NamedFile?] {
        matrix.files + [NamedFile("--start", startFile)] + (features == nil ? data.files : [])
    }

    /// The samples, and their classes where they have some.
    func samples(quiet: Bool, labels: LabelsOption? = nil) throws -> Samples {
        guard features != nil else {
            let images = try data.load(quiet: quiet)
            return Samples(
                samples: images.train, matrix: try FeatureMatrix(images.train),
                classes: ClassLabels(labels: images.train.labels, count: images.classCount),
                classNames: images.classNames, files: images.trainFiles,
                trainable: TrainableSource(
                    TrainableSamples(
                        samples: images.train, classCount: images.classCount, normalisation: Normalisation(images))))
        }
        let features = try matrix.open(quiet: quiet)
        // Labels are small, and a fault in them shows before the features are read.
        let labelled = try labels?.label(features.samples, quiet: quiet)
        do throws(ClusteringError) {
            return Samples(
                samples: features.samples, matrix: try FeatureMatrix(features.samples, forComponents: pca != nil),
                classes: labelled.map { ClassLabels(labels: $0.samples.labels, count: $0.samples.classCount) },
                classNames: labelled?.names ?? [], scaling: features.scaling,
                trainable: labelled.map { TrainableSource(features, labels: $0.samples.labels, quiet: quiet) })
        } catch {
            throw Failure(error, in: features)
        }
    }

    private static func centroids(_ path: String, k: Int) throws -> [Double] {
        let array = try NumPyArray.read(path)
        guard array.shape.count == 2, array.shape[0] == k else {
            throw Failure("\(path): its shape is \(array.shape); \(k) rows are needed, a centroid each", exitCode: 65)
        }
        let values = array.doubles
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw Failure(
                "\(path): row \(bad / array.shape[1]), column \(bad % array.shape[1]) (counted from 0) is not a finite "
                    + "number",
                exitCode: 65)
        }
        return values
    }
}

/// A clustering to be made.
struct ClusteringPlan {
    /// Nil where nothing is clustered.
    var clusters: ClusterCount?
    var pca: Int?
    var kind: KMeans.Kind
    /// Nil for the default of the kind and the number of clusters.
    var start: KMeans.Start?
    /// Bytes that the process may take.
    var memory: Int?
    /// The file of the samples, where they are not images.
    var features: String?

    /// The number of clusters; nil where none is given, and where one is to be chosen.
    var k: Int? { if case .number(let k) = clusters { k } else { nil } }

    /// Checks the plan against the samples.
    func check(_ matrix: FeatureMatrix) throws {
        try checkRange(matrix)
        if let k, k > matrix.count {
            throw Failure(
                "--k is \(k), but there are only \(matrix.count) samples; 1 to \(matrix.count) are accepted",
                exitCode: 64)
        }
        let most = min(matrix.count, matrix.dimensions)
        if let pca, pca > most {
            throw Failure(
                "--pca is \(pca), but \(matrix.count) samples of \(matrix.dimensions) features have only \(most) "
                    + "components",
                exitCode: 64)
        }
        if case .given(let values)? = start, let k, values.count != k * (pca ?? matrix.dimensions) {
            throw Failure(
                "--start has centroids of \(values.count / k) columns where \(pca ?? matrix.dimensions) are needed",
                exitCode: 65)
        }
    }

    /// Runs `body`; an error about the data names what `--features` names.
    func inFeatures<Result>(_ body: () throws(ClusteringError) -> Result) throws -> Result {
        do throws(ClusteringError) { return try body() } catch {
            switch error {
            case .unreadable, .ranks: throw error
            default: break
            }
            guard let features, error.category == .badData else { throw error }
            throw Failure("\(features): \(error)", category: error.category)
        }
    }

    /// A line about PCA, where there is one.
    func noteProjection(_ matrix: FeatureMatrix, quiet: Bool) {
        guard let pca else { return }
        Terminal.note(
            "projecting \(matrix.count) samples of \(matrix.dimensions) features onto \(pca) components", quiet: quiet)
    }

    /// A line about clusters with next to no samples, of which mini-batches leave many where there are few samples per
    /// cluster: one sample, or fewer than a twentieth of the mean. More than a tenth of the clusters are many.
    func noteTinyClusters(_ clustering: KMeansClustering, quiet: Bool) {
        guard case .miniBatch = kind, let note = tinyClustersNote(clustering.labels, k: clustering.k) else { return }
        Terminal.note("note: \(note)", quiet: quiet)
    }

    /// Clusters; `k` is known by now.
    func run(
        _ matrix: FeatureMatrix, k: Int, seed: UInt64, on backend: any Backend, keeper: CheckpointKeeper? = nil,
        quiet: Bool
    ) throws -> FinishedClustering {
        let clock = ContinuousClock()
        let begin = clock.now
        let kmeans = KMeans(k: k, kind: kind, start: start, seed: seed)
        noteProjection(matrix, quiet: quiet)
        let source = try inFeatures { () throws(ClusteringError) in
            try kmeans.source(of: matrix, components: pca, memory: memory, on: backend)
        }
        try backend.finish()
        let seconds = (clock.now - begin) / .seconds(1)
        Terminal.note(
            "clustering \(source.count) samples of \(source.dimensions) numbers, k \(k)"
                + (source.isStreamed ? ", streamed" : ""), quiet: quiet)
        try keeper?.open(self, kmeans, source, matrix, seed: seed, on: backend)
        let clustering = try inFeatures { () throws(ClusteringError) in
            try kmeans.fit(source, on: backend, keeper: keeper)
        }
        noteTinyClusters(clustering, quiet: quiet)
        return FinishedClustering(
            clustering: clustering, pcaSeconds: pca == nil ? 0 : seconds, isStreamed: source.isStreamed)
    }
}

/// `--memory`
struct MemoryOption: ParsableArguments {
    @Option(
        name: .customLong("memory"),
        help: ArgumentHelp(
            "Most memory for the process while it clusters, as 2G or 500M. Where the samples do not fit they are brought piece by piece in every pass, which reads a file of features as often. What an OpenCL driver takes to compile kernels at a first start comes on top. Without it, the limit is the memory that the system has available.",
            valueName: "size"))
    var text: String?

    /// The size in bytes, nil where none was given.
    var bytes: Int? {
        get throws {
            guard let text else { return nil }
            let units: [Character: Double] = ["K": 0x1p10, "M": 0x1p20, "G": 0x1p30, "T": 0x1p40]
            let unit = text.uppercased().last.flatMap { units[$0] }
            do {
                let bytes = try DecimalNumber.real(unit == nil ? text : String(text.dropLast())) * (unit ?? 1)
                guard bytes >= 1, bytes < 0x1p62 else {
                    throw Sentence("a number from one byte up is needed")
                }
                return Int(bytes)
            } catch let error as Sentence {
                throw Failure(
                    "--memory is '\(excerpt(text))'; a size such as 500M or 2G is accepted: \(error)", exitCode: 64)
            }
        }
    }
}

/// A clustering and what it cost.
struct FinishedClustering {
    var clustering: KMeansClustering
    /// Fit and projection, which is part of every pass where the samples are streamed; 0 without PCA.
    var pcaSeconds: Double
    /// Whether the samples were brought piece by piece.
    var isStreamed: Bool
    /// How k was chosen; nil where it was given.
    var automatic: AutomaticK?

    var assignment: ClusterAssignment {
        ClusterAssignment(labels: clustering.labels, squaredDistances: clustering.distances, k: clustering.k)
    }

    /// Smallest, median and largest cluster, and how many are empty, in words.
    var sizes: String { describeSizes(of: clustering.labels, k: clustering.k) }

    /// Clusters without samples.
    var emptyClusters: Int { clustering.k - Set(clustering.labels).count }

    /// The seconds of each stage, in words.
    var stages: String {
        (pcaSeconds > 0 ? "PCA \(fixed(pcaSeconds, 3)) s, " : "")
            + "start \(fixed(clustering.startSeconds, 3)) s, k-means \(fixed(clustering.seconds, 3)) s"
    }
}

/// How large clusters are, in words.
func describeSizes(of labels: [Int32], k: Int) -> String {
    var counts = [Int](repeating: 0, count: k)
    for label in labels { counts[Int(label)] += 1 }
    return describeSizes(counts)
}

/// The same line for clusters of these sizes.
func describeSizes(_ sizes: [Int]) -> String {
    let (counts, k) = (sizes.sorted(), sizes.count)
    let empty = counts.prefix { $0 == 0 }.count
    let middle = counts[(k - 1) / 2] + counts[k / 2]
    return "\(counts[0]) to \(counts[k - 1]) samples per cluster, median \(middle / 2)\(middle % 2 == 1 ? ".5" : "")"
        + (empty > 0 ? ", \(empty) empty" : "")
}

/// That many clusters hold next to nothing; nil where few do, and where all are small.
func tinyClustersNote(_ labels: [Int32], k: Int) -> String? {
    let (smallMean, tinyShare) = (5, 20)
    guard labels.count >= smallMean * k else { return nil }
    var counts = [Int](repeating: 0, count: k)
    for label in labels { counts[Int(label)] += 1 }
    let most = max(1, labels.count / (tinyShare * k))
    let tiny = counts.count { $0 <= most }
    guard 10 * tiny > k else { return nil }
    return "\(tiny) of \(k) clusters have at most \(describeCount(most, "sample")), where the mean is "
        + "\(fixed(Double(labels.count) / Double(k), 1)): mini-batches leave such clusters, and --kmeans lloyd leaves fewer"
}

/// The value that `word` stands for.
/// - Throws: ``Failure`` with the nearest of the words that are accepted.
func chosen<Value>(_ word: String, of accepted: KeyValuePairs<String, Value>, option: String) throws -> Value {
    if let match = accepted.first(where: { $0.key == word }) { return match.value }
    throw unaccepted(word, of: accepted.map(\.key), option: option)
}

/// The error that `word` is none of those that are accepted, with the nearest.
func unaccepted(_ word: String, of words: [String], option: String) -> Failure {
    Failure(
        "\(option) is '\(word)'; the nearest accepted is \(nearestWord(to: word, in: words)), of "
            + words.joined(separator: ", "),
        exitCode: 64)
}
