import ArgumentParser
import Clustering
import Compute
import Datasets
import Foundation
import Pruning
import Scoring
import Studies
import Support

/// `coppice select`
struct SelectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select",
        abstract: "Keeps a part of a training set, or of samples of your own, by a strategy or a score.",
        discussion: """
            Writes the indices of what is kept, the most wanted first, so that a prefix is a smaller selection. The \
            strategies closest, furthest and hybrid need a clustering: --k to make one, or --clustering for one that \
            `coppice cluster --out` wrote. random draws from each cluster where there is one, else from the whole set.

            --score ranks by a score instead: one that `coppice score` knows, or a .npy file of your own, of which the \
            highest are kept. Samples are ranked as the score's paper ranks them, unless --keep and --within say otherwise.

            --score semdedup --eps 0.05 keeps every sample that has no earlier one in its cluster with a cosine above 0.95, \
            as many as there are.
            """)

    @OptionGroup var options: ClusteringOptions
    @OptionGroup var labels: LabelsOption
    @Option(help: ArgumentHelp("A folder that `coppice cluster --out` wrote, in place of --k.", valueName: "dir"))
    var clustering: String?
    @Option(help: "none, random, closest, furthest or hybrid.")
    var strategy: String?
    @Option(
        help: ArgumentHelp(
            "In place of --strategy: a score's name, or a .npy file of a number for each sample.",
            valueName: "name|file.npy"), completion: .list(Score.all.map(\.name)))
    var score: String?
    @Option(help: "--score: \(Keep.allCases.map(\.rawValue).joined(separator: ", ")). (default: paper)")
    var keep: Keep?
    @Option(help: "--score: rank within none, class, cluster or class-cluster. (default: as the paper does)")
    var within: Groups?
    @Option(help: "Samples to keep.", transform: wholeNumber)
    var size: Int?
    @Option(
        help: "semdedup, in place of --size: keep what no earlier cosine above 1 - eps is of.", transform: realNumber)
    var eps: Double?
    @Option(help: "exact (the size asked for) or article (size / k a cluster, not refilled).")
    var quota = "exact"
    @Option(help: "none or class: an equal share a class.")
    var balance = "none"
    @Option(help: "hybrid: the share from the near end; ends: of the easy ones. (default: 1)", transform: wholeNumber)
    var nClosest: Int?
    @Option(help: "hybrid: the share from the far end; ends: of the hard ones. (default: 1)", transform: wholeNumber)
    var nFurthest: Int?
    @Option(help: "stratified: the share of the hardest to cut off. (default: 0)", transform: realNumber)
    var beta: Double?
    @Option(help: "stratified: how many strata. (default: 50)", transform: wholeNumber)
    var strata: Int?
    @Option(name: .customLong("c-d"), help: "beta: the exponent of its sampling. (default: 4)", transform: realNumber)
    var cD: Double?
    @Option(help: ArgumentHelp("Where to write the indices, int64.", valueName: "kept.npy"))
    var out: String
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var scoring: ScoreOptions
    @OptionGroup var shape: ProfileOption
    @OptionGroup var compute: ComputeOptions

    private struct Report: Encodable {
        var strategy: String?
        var score: String?
        var keep: String?
        var within: String?
        var eps: Double?
        var scoreSeconds: Double?
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
        /// Nil where a clustering was read and no data set named.
        var samples: Samples?
        var assignment: ClusterAssignment?
        var dimensions: Int?
        var finished: FinishedClustering?
        var device: DeviceDescription?
        var backend: (any Backend)?
    }

    func run() throws {
        let plan = try options.plan()
        let selection = try selection(plan)
        try checkOutputs(
            [NamedFile("--out", out)],
            against: options.inputs
                + (clustering.map { folder in
                    ClusteringFolder.files.map { NamedFile("--clustering", "\(folder)/\($0)") }
                } ?? []) + [
                    NamedFile("--score", score.flatMap { Selection.isScoreFile($0) ? $0 : nil }),
                    NamedFile("--labels", labels.labels),
                ])
        try AtomicFile.checkCanWrite(out)
        let interrupt = ExitOnInterrupt()
        // How many a threshold keeps is known once the samples are scored.
        let requested = selection.isWhole || eps != nil ? .whole : RequestedSize.count(size ?? 0)
        var source = try clustering.map { try read($0, requested) } ?? cluster(plan, requested, selection)
        let scored = try self.scored(selection, plan, &source)
        if let eps, let scored {
            source.size = try RequestedSize.count(Score.semdedupCount(scored.values, eps: eps))
                .resolved(of: source.count)
        }
        let begin = ContinuousClock.now
        var random = RandomStream(seed: compute.seed, run: 0, purpose: .selection)
        var found = ScoreInput(count: source.count, classes: source.classes, clustering: source.assignment)
        found.values = scored?.values
        found.dynamics = scored?.dynamics
        let input = try selection.input(count: source.count, classes: source.classes, from: found)
        let kept = try selection.select(source.size, from: input, random: &random)
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        if let note = kept.shortClassesNote { Terminal.note("note: \(note)", quiet: compute.quiet) }
        try interrupt.finishing {
            try NumPy.write(kept.indices.map(Int64.init), shape: [kept.kept], to: out)
        }
        if json {
            let found = source.finished?.clustering
            try printJSON(
                Report(
                    strategy: strategy, score: score, keep: score == nil ? nil : (keep ?? .paper).rawValue,
                    within: score == nil ? nil : selection.groups.rawValue, eps: eps, scoreSeconds: scored?.seconds,
                    n: source.count, requested: kept.requested, kept: kept.kept,
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
        // Scores of points take some of what clusterings take.
        let isOfPoints = score.flatMap { try? Score.named($0) }?.needs.contains(.points) == true
        let ofClustering = [
            ("--pca", plan.pca != nil && !isOfPoints), ("--iterations", options.iterations != nil),
            ("--kmeans", options.kmeans != "minibatch"), ("--start", options.start != "kmeans++"),
            ("--memory", plan.memory != nil && !isOfPoints),
        ]
        if clustering != nil {
            for (name, isGiven) in [("--k", plan.k != nil)] + ofClustering
            where isGiven {
                throw Failure("--clustering stands in place of \(name); give one of them", exitCode: 64)
            }
        } else if plan.k == nil {
            for (name, isGiven) in ofClustering where isGiven {
                throw Failure("\(name) is for a clustering, and there is none without --k", exitCode: 64)
            }
        }
        let isClustered = plan.k != nil || clustering != nil
        try labels.check(options)
        try checkEps()
        if let score {
            if strategy != nil {
                throw Failure("--score stands in place of --strategy; give one of them", exitCode: 64)
            }
            return try selection(by: score, isClustered: isClustered)
        }
        for (name, isGiven) in [("--keep", keep != nil), ("--within", within != nil)] where isGiven {
            throw Failure("\(name) is for a score, and there is none: give --score", exitCode: 64)
        }
        guard let strategy else {
            throw Failure("--strategy or --score is missing: how to choose what is kept", exitCode: 64)
        }
        guard
            let selection = Selection(
                commandWord: strategy, isClustered: isClustered, nClosest: nClosest ?? 1, nFurthest: nFurthest ?? 1)
        else { throw unaccepted(strategy, of: Selection.commandWords, option: "--strategy") }
        try scoring.checkIdle(nil, trains: false)
        if selection.needsClustering, !isClustered {
            throw Failure("--strategy \(strategy) needs clusters: give --k or --clustering", exitCode: 64)
        }
        return try shared(selection)
    }

    /// The same for a score.
    private func selection(by score: String, isClustered: Bool) throws -> Selection {
        var numbers = OrderNumbers()
        (numbers.easy, numbers.hard) = (nClosest ?? 1, nFurthest ?? 1)
        numbers.cut = beta ?? numbers.cut
        numbers.strata = strata ?? numbers.strata
        numbers.cD = cD ?? numbers.cD
        guard Selection.isScoreFile(score) || Score.all.contains(where: { $0.name == score }) else {
            throw unaccepted(score, of: Score.all.map(\.name), option: "--score")
        }
        let selection = try Selection(
            score: score, asked: ScoreWords(keep: keep ?? .paper, within: within), numbers: numbers)
        try selection.order.check()
        if let known = try? Score.named(score) {
            try scoring.check(known, options, labels, hasClustering: clustering != nil)
            if known.needs.contains(.points) || known.needs.contains(.dynamics), clustering != nil,
                options.features == nil, options.data.data == nil, options.data.dataset == nil
            {
                throw Failure(
                    "--score \(score) is of the samples themselves: name them too, by --data or --features",
                    exitCode: 64)
            }
        } else {
            try scoring.checkIdle(nil, trains: false)
        }
        if selection.needsClustering, !isClustered {
            throw Failure(
                "--within \(selection.groups.rawValue) needs clusters: give --k or --clustering", exitCode: 64)
        }
        if clustering == nil {
            let known = try? Score.named(score)
            try options.checkIdle(
                isClustered: selection.needsClustering, takesCount: known?.needs.contains(.clusterCount) == true,
                isOfPoints: known?.needs.contains(.points) == true)
        }
        if options.features != nil, labels.labels == nil {
            let words =
                selection.groups.needClasses
                ? ("--within \(selection.groups.rawValue)", "--within none")
                : balance != Balance.none.rawValue ? ("--balance \(balance)", "--balance none") : nil
            if let (asker, otherwise) = words {
                throw Failure(
                    "\(asker) needs the class of every sample, and --features has none: give --labels, or \(otherwise)",
                    exitCode: 64)
            }
        }
        return try shared(selection)
    }

    /// Refuses numbers of orders that are not asked for: whoever gives them takes what is kept for another selection.
    private func checkNumbers(of order: Order) throws {
        var isStratified = false
        var isDrawn = false
        var hasEnds = false
        switch order {
        case .stratified: isStratified = true
        case .beta: isDrawn = true
        case .ends: hasEnds = true
        default: break
        }
        for (name, isGiven, isTaken, keep) in [
            ("--beta", beta != nil, isStratified, "--keep stratified"),
            ("--strata", strata != nil, isStratified, "--keep stratified"),
            ("--c-d", cD != nil, isDrawn, "--keep beta"),
            ("--n-closest", nClosest != nil, hasEnds, "--strategy hybrid and --keep ends"),
            ("--n-furthest", nFurthest != nil, hasEnds, "--strategy hybrid and --keep ends"),
        ] where isGiven && !isTaken {
            throw Failure("\(name) is for \(keep), and has no effect here", exitCode: 64)
        }
    }

    /// Refuses `eps` where there is no threshold, and what it decides by itself.
    private func checkEps() throws {
        guard let eps else { return }
        guard let known = score.flatMap({ try? Score.named($0) }), known.takesThreshold else {
            let names = Score.all.filter(\.takesThreshold).map(\.name).joined(separator: " and ")
            throw Failure("--eps is for --score \(names), and has no effect here", exitCode: 64)
        }
        for (name, isGiven) in [
            ("--size", size != nil), ("--keep", keep != nil), ("--within", within != nil),
            ("--quota", quota != Quota.exact.rawValue), ("--balance", balance != Balance.none.rawValue),
        ] where isGiven {
            throw Failure("--eps says what is kept, in place of \(name); give one of them", exitCode: 64)
        }
        _ = try Score.semdedupCount([], eps: eps)
    }

    private func shared(_ selection: Selection) throws -> Selection {
        try checkNumbers(of: selection.order)
        guard selection.isWhole || size != nil || eps != nil else {
            throw Failure("--size is missing: how many samples to keep", exitCode: 64)
        }
        if let size, size < 1 { throw Failure("--size is \(size); it must be at least 1", exitCode: 64) }
        if balance == Balance.recall.rawValue { throw PruningError.recallsMissing }
        guard let balance = Balance.withoutValidation.first(where: { $0.rawValue == balance }) else {
            throw unaccepted(balance, of: Balance.withoutValidation.map(\.rawValue), option: "--balance")
        }
        return selection.sharing(try chosen(quota, option: "--quota"), balance)
    }

    /// The scores that a selection ranks by, made or read; nil where it ranks by none, or by the clustering alone.
    private func scored(_ selection: Selection, _ plan: ClusteringPlan, _ source: inout Source) throws -> ScoreRun
        .Result?
    {
        guard let score else { return nil }
        if Selection.isScoreFile(score) {
            return ScoreRun.Result(values: try ScoreFile.scores(score, count: source.count), seconds: 0)
        }
        let known = try Score.named(score)
        guard known.needs.contains(.points) || known.needs.contains(.dynamics), let samples = source.samples else {
            return nil
        }
        let backend = try source.backend ?? compute.makeBackend(in: shape)
        source.device = backend.device
        let run = ScoreRun(score: known, options: scoring, plan: plan, compute: compute, backend: backend)
        return try run.values(
            of: samples, clustering: source.assignment,
            within: selection.groups.within(classes: selection.balance != .none), size: source.size.count)
    }

    private func chosen<Word: RawRepresentable & CaseIterable>(_ word: String, option: String) throws -> Word
    where Word.RawValue == String {
        guard let value = Word(rawValue: word) else {
            throw unaccepted(word, of: Word.allCases.map(\.rawValue), option: option)
        }
        return value
    }

    private func cluster(
        _ plan: ClusteringPlan, _ requested: RequestedSize, _ selection: Selection
    ) throws -> Source {
        let samples = try options.samples(quiet: compute.quiet, labels: labels)
        let matrix = samples.matrix
        try plan.check(matrix)
        // A size that is out of range must not wait for the clustering.
        var source = Source(
            count: matrix.count, size: try requested.resolved(of: matrix.count), classes: samples.classes,
            samples: samples, dimensions: matrix.dimensions)
        // Prototypes are clusters of their own.
        guard let k = plan.k, score == nil || selection.needsClustering else { return source }
        let backend = try compute.makeBackend(in: shape)
        source.backend = backend
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
        let isNamed = options.data.data != nil || options.data.dataset != nil || options.features != nil
        let samples = isNamed ? try options.samples(quiet: compute.quiet, labels: self.labels) : nil
        let count = samples?.matrix.count ?? values.count
        guard values.count == count else {
            throw Failure(
                "\(labels.path): \(values.count) labels for \(count) samples; one for each is needed", exitCode: 65)
        }
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
