import Clustering
import Compute
import Datasets
import Foundation
import Pruning
import Scoring
import Studies
import Support

extension SelectCommand {
    func cluster(
        _ plan: ClusteringPlan, _ requested: RequestedSize, _ selection: Selection, _ lines: Identifiers?
    ) throws -> Source {
        let samples = try options.samples(quiet: compute.quiet, labels: labels)
        let matrix = samples.matrix
        try lines?.check(count: matrix.count)
        try plan.check(matrix)
        try scoring.check(score.flatMap { try? Score.named($0) }, on: samples)
        // A size that is out of range must not wait for the clustering.
        var source = Source(
            count: matrix.count, size: try requested.resolved(of: matrix.count), classes: samples.classes,
            samples: samples, dimensions: matrix.dimensions)
        // Prototypes are clusters of their own.
        guard plan.clusters != nil, score == nil || selection.needsClustering else { return source }
        let backend = try compute.makeBackend(in: shape)
        source.backend = backend
        let finished = try plan.run(matrix, seed: compute.seed, on: backend, quiet: compute.quiet)
        source.assignment = finished.assignment
        source.finished = finished
        source.device = backend.device
        return source
    }

    /// How many samples there are; images of a folder have to be read for that.
    func sampleCount() throws -> Int? {
        if let clustering { return try NumPyFile("\(clustering)/\(ClusteringFolder.labels)").shape.first }
        if options.features != nil { return try Features.open(options.matrix.paths).values.rowCount }
        return try options.data.load(quiet: compute.quiet).train.count
    }

    /// A clustering from its folder, with the classes of the data set where one is named.
    /// - Parameter needsSamples: whether --data, beside --link, is more than where its paths start from.
    func read(
        _ directory: String, _ requested: RequestedSize, _ lines: Identifiers?, needsSamples: Bool
    ) throws -> Source {
        let labels = try NumPyArray.read("\(directory)/\(ClusteringFolder.labels)")
        let distances = try NumPyArray.read("\(directory)/\(ClusteringFolder.distances)")
        for array in [labels, distances] where array.shape.count != 1 {
            throw Failure("\(array.path): its shape is \(array.shape); one dimension is needed", exitCode: 65)
        }
        let (values, k) = try clusters(labels, directory)
        let isRoot = outputs.link != nil && lines != nil && options.data.dataset == nil && !needsSamples
        let isNamed =
            options.data.data != nil && !isRoot || options.data.dataset != nil || options.features != nil
        let samples = isNamed ? try options.samples(quiet: compute.quiet, labels: self.labels) : nil
        let count = samples?.matrix.count ?? values.count
        guard values.count == count else {
            throw Failure(
                "\(labels.path): \(values.count) labels for \(count) samples; one for each is needed", exitCode: 65)
        }
        try lines?.check(count: count)
        return Source(
            count: count, size: try requested.resolved(of: count),
            classes: samples?.classes, samples: samples,
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

    /// The scores that a selection ranks by, made or read; nil where it ranks by none, or by the clustering alone.
    func scored(_ selection: Selection, _ plan: ClusteringPlan, _ source: inout Source) throws -> ScoreRun
        .Result?
    {
        guard let score else { return nil }
        if Selection.isScoreFile(score) {
            return ScoreRun.Result(values: try ScoreFile.scores(score, count: source.count), seconds: 0)
        }
        let known = try Score.named(score)
        guard known.needs.contains(.points) || known.needs.contains(.dynamics), selection.order.needsScore,
            let samples = source.samples
        else { return nil }
        // Before networks are trained.
        if case .stratified(let cut, _) = selection.order, selection.groups == .none, selection.balance == .none,
            budget.budgetColumn == nil
        {
            let left = selection.order.remaining(of: source.count)
            if left < source.size.count {
                throw PruningError.cutBelowSize(cut: shortest(cut), left: left, size: source.size.count)
            }
        }
        let backend = try source.backend ?? compute.makeBackend(in: shape)
        source.device = backend.device
        let run = ScoreRun(score: known, options: scoring, plan: plan, compute: compute, backend: backend)
        return try run.values(
            of: samples, clustering: source.assignment,
            within: selection.groups.within(classes: selection.balance != .none), size: source.size.count)
    }

    /// Whether a selection from a clustering is of classes too, or of the samples themselves.
    func needsSamples(_ selection: Selection) -> Bool {
        let needs = score.flatMap { try? Score.named($0) }?.needs ?? []
        return selection.groups.needClasses || selection.balance != .none
            || !needs.isDisjoint(with: [.points, .dynamics])
    }

    /// The score of each sample as text: as its file has it, or as `coppice score` would write it.
    func scoreText(_ input: SelectionInput) throws -> ((Int) -> String)? {
        guard let score else { return nil }
        if Selection.isScoreFile(score) {
            let array = try NumPyArray.read(score)
            if let whole = try? array.integers() { return { "\(whole[$0])" } }
            if array.type == .float32 {
                let values = array.floats
                return { "\(values[$0])" }
            }
            let values = array.doubles
            return { "\(values[$0])" }
        }
        guard let values = input.scores else { return nil }
        let known = try Score.named(score)
        // Selections turn the sign of scores whose high end is easy.
        let sign: Float = known.isHighHard ? 1 : -1
        if known.offset == 0 { return { "\(sign * values[$0])" } }
        return { "\(Double(sign * values[$0]) - known.offset)" }
    }

    /// What the lines of Python read.
    func pythonSamples(_ source: Source) -> PythonLines.Samples {
        if options.features != nil { return .matrix(options.matrix.paths) }
        guard let samples = try? source.samples?.trainable?.load().samples else { return .unknown }
        let data = options.data
        let location = try? data.location()
        guard let images = location?.files.first, images.contains("images-idx3-ubyte"), samples.shape.channels == 1,
            let start = FileHandle(forReadingAtPath: images)?.readData(ofLength: 2)
        else { return .dataset }
        let shape = samples.shape
        // The file has the images as they were before they were transposed.
        let isTransposed = data.orientation.transposed
        return .idx(
            images, isCompressed: start == Data([0x1F, 0x8B]), height: isTransposed ? shape.width : shape.height,
            width: isTransposed ? shape.height : shape.width, isTransposed: isTransposed)
    }
}
