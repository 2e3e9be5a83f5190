import ArgumentParser
import Clustering
import Compute
import Datasets
import Foundation
import Pruning
import Ranks
import Scoring
import Studies
import Support

/// `coppice select`
struct SelectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select",
        abstract: "Keeps a part of a training set, or of samples of your own, by a strategy or a score.",
        discussion: """
            Writes the indices of what is kept, the most wanted first, so that a prefix is a smaller selection \
            (except of typiclust, dual and --keep beta, which depend on the size). The strategies closest, furthest and hybrid need a clustering: --k to make one, or --clustering for one that \
            `coppice cluster --out` wrote. random draws from each cluster where there is one, else from the whole set.

            --score ranks by a score instead: one that `coppice score` knows, or a .npy file of your own, of which the \
            highest are kept. Samples are ranked as the score's paper ranks them, unless --keep and --within say otherwise.

            --score semdedup --eps 0.05 keeps every sample that has no earlier one in its cluster with a cosine above 0.95, \
            as many as there are.

            --ids gives each sample a line of text or JSONL, and the lines of what is kept are written beside --out. Without \
            it, the images of a folder have their paths: those of what is kept are written beside --out. With \
            --budget-column tokens --budget 200000, samples are kept in rank order as long as the sum of their field `tokens` \
            is not above 200000: one that does not fit is skipped.

            The samples can be spread over several devices of this machine (--device gpu:all, gpu:0,2, or --devices N), or \
            over ranks under mpirun or srun. The same samples are kept. docs/clusters.md has examples.
            """)

    @OptionGroup var options: ClusteringOptions
    @OptionGroup var labels: LabelsOption
    @Option(help: ArgumentHelp("A folder that `coppice cluster --out` wrote, in place of --k.", valueName: "dir"))
    var clustering: String?
    @Option(help: "Which samples to keep: all, or some of each cluster (random without clusters: of the whole set).")
    var strategy: Selection.Strategy?
    @Option(
        help: ArgumentHelp(
            "In place of --strategy: a score's name, or a .npy file of a number for each sample.",
            valueName: "name|file.npy"), completion: .list(Score.all.map(\.name)))
    var score: String?
    @Option(help: "--score: which samples go first. (default: paper)")
    var keep: Keep?
    @Option(help: "--score: what samples are ranked within. (default: as the paper does)")
    var within: Groups?
    @Option(help: "Samples to keep.", transform: wholeNumber)
    var size: Int?
    @Option(
        help: "semdedup, in place of --size: keep what no earlier cosine above 1 - eps is of.", transform: realNumber)
    var eps: Double?
    @Option(help: "exact: the size asked for. article: size / k per cluster, not refilled.")
    var quota = Quota.exact
    @Option(help: "class: an equal share per class.")
    var balance = Balance.none
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
    @OptionGroup var ids: IdsOption
    @OptionGroup var outputs: SelectionOutputOptions
    @OptionGroup var budget: BudgetOptions
    @OptionGroup var curve: CurveOption
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var scoring: ScoreOptions
    @OptionGroup var shape: ProfileOption
    @OptionGroup var spread: SpreadOptions
    var compute: ComputeOptions { spread.compute }

    struct Report: Encodable {
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
        var budgetColumn: String?
        var budget: Decimal?
        var budgetUsed: Decimal?
        var budgetLeft: Decimal?
        var out: String
        var idsOut: String?
        var dropped: String?
        var link: String?
        var linkFolders: Int?
        var details: String?
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
        /// Nil for a single process with one device.
        var ranks: Int?
        var kAuto: AutomaticK.Report?
    }

    /// What is selected from, and what clustering it cost.
    struct Source {
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

    /// What is selected from: beside --features, --data is only where the paths of --link start from.
    var samplesOptions: ClusteringOptions {
        var options = options
        if options.features != nil, outputs.link != nil { options.data.data = nil }
        return options
    }

    func run() async throws {
        let plan = try samplesOptions.plan()
        let selection = try selection(plan)
        try curve.check(plan)
        let interrupt = try spread.runIfSeveral { ranks, interrupt in
            try select(on: ranks, [], nil, plan, selection, interrupt)
        } onDevices: { devices, interrupt in
            try select(on: devices, plan, selection, interrupt)
        }
        guard let interrupt else { return }
        defer { withExtendedLifetime(interrupt) {} }
        let lines = try ids.open()
        let folder = try imageFolder(lines)
        var files = SelectionOutputs(
            indices: IndexOutputs(
                out: out, dropped: outputs.dropped, lists: lines.map { .lines($0) } ?? (folder == nil ? .none : .paths)),
            options: outputs)
        try files.check(curve.file, against: inputs)
        var images = try outputs.link == nil ? nil : lines.map { try ImagePaths(.lines($0), from: options.data.data) }
        try check(images, of: lines)
        let limit = try budget.read(lines)
        // How many a threshold or a budget keeps is known once the samples are ranked.
        let requested = selection.isWhole || eps != nil || limit != nil ? .whole : RequestedSize.count(size ?? 0)
        var source =
            try clustering.map { try read($0, requested, lines, needsSamples: needsSamples(selection)) }
            ?? cluster(plan, requested, selection, lines)
        let choice = try choose(selection, plan, limit, from: &source)
        let (kept, used) = (choice.kept, choice.used)
        if let note = kept.shortClassesNote { Terminal.note("note: \(note)", quiet: compute.quiet) }
        let names = lines.map { SampleIDs.lines($0) } ?? source.samples?.files.map { .paths($0) }
        if folder != nil, outputs.link != nil { images = try names.map { try ImagePaths($0) } }
        files.indices = files.indices.writable(names) { Terminal.note($0, quiet: compute.quiet) }
        for path in files.indices.staleLists {
            Terminal.note("note: \(path) is there, and is not of this selection", quiet: compute.quiet)
        }
        let contents = SelectionOutputs.Contents(
            kept: kept, count: source.count, clustering: source.assignment,
            score: outputs.details == nil ? nil : try scoreText(choice.input), ids: names, images: images)
        let drawn = try await curve.bytes(of: source.finished?.automatic, quiet: compute.quiet)
        let curvePath = drawn == nil ? nil : curve.curve
        var links: ImageLinks?
        try interrupt.finishing {
            links = try files.write(contents)
            try curve.write(drawn)
        }
        if json {
            let found = source.finished?.clustering
            try printJSON(
                Report(
                    strategy: strategy?.rawValue, score: score, keep: score == nil ? nil : (keep ?? .paper).rawValue,
                    within: score == nil ? nil : selection.groups.rawValue, eps: eps, scoreSeconds: choice.scoreSeconds,
                    n: source.count, requested: kept.requested, kept: kept.kept,
                    perClass: kept.perClass, perCluster: kept.perCluster,
                    budgetColumn: budget.budgetColumn, budget: limit?.limit.decimal, budgetUsed: used?.decimal,
                    budgetLeft: left(of: limit, used)?.decimal, out: out, idsOut: files.indices.keptList,
                    dropped: outputs.dropped, link: outputs.link, linkFolders: links?.folderCount,
                    details: outputs.details, seed: compute.seed,
                    selectionSeconds: choice.seconds, k: source.assignment?.k, dimensions: source.dimensions,
                    components: source.finished == nil ? nil : plan.pca, inertia: found?.inertia,
                    iterations: found?.iterations, pcaSeconds: source.finished?.pcaSeconds,
                    startSeconds: found?.startSeconds, kmeansSeconds: found?.seconds, device: source.device,
                    kAuto: source.finished?.automatic?.report(curve: curvePath)))
        } else {
            for line in source.finished?.automatic?.lines(curve: curvePath) ?? [] { print(line) }
            show(
                kept, of: source.count, classNames: source.samples?.classNames,
                clusterSizes: source.assignment.map { describeSizes(of: $0.labels, k: $0.k) }, source.finished)
            if let limit, let used, let left = left(of: limit, used) {
                print("\(excerpt(budget.budgetColumn ?? "")): \(used) of \(limit.limit), \(left) left")
            }
            show(files, links, origin: folder?.directory ?? ids.ids ?? "")
            let python = PythonLines(
                samples: pythonSamples(source), kept: out, lines: files.indices.keptList,
                areJSON: files.indices.areJSON, folder: folder?.directory, link: outputs.link)
            if !isDevice(out) { print((["", "in Python:"] + python.text).joined(separator: "\n")) }
        }
        try flushOutput()
    }

    /// The folder of image files that the samples come from, whose paths say what each is where `lines` do not; nil for
    /// other samples.
    /// - Throws: ``Failure`` where --link needs one and there is none, `DatasetError` where it is not found.
    func imageFolder(_ lines: Identifiers?) throws -> DatasetLocation? {
        guard lines == nil else { return nil }
        let isData =
            options.features == nil
            && (clustering == nil || options.data.data != nil || options.data.dataset != nil)
        guard outputs.link != nil else {
            return isData ? (try? options.data.location()).flatMap { $0.isImageFolder ? $0 : nil } : nil
        }
        guard isData else {
            throw Failure(
                "--link requires --ids, a file with the path of each image, or a folder of image files as --data",
                exitCode: 64)
        }
        let location = try options.data.location()
        guard location.isImageFolder else {
            throw Failure(
                "--link requires --ids, a file with the path of each image: \(location.directory) is no folder of image "
                    + "files", exitCode: 64)
        }
        return location
    }

    /// Looks for the images that lines name, before anything is computed.
    /// - Throws: `DatasetError` for lines of another number than there are samples, which are those of other samples; ``Failure``
    ///   where none of them names an image.
    private func check(_ images: ImagePaths?, of lines: Identifiers?) throws {
        do { try images?.check() } catch let failure as Failure {
            if let count = try? sampleCount() { try lines?.check(count: count) }
            throw failure
        }
    }

    /// Every file that is read.
    var inputs: [NamedFile?] {
        samplesOptions.inputs
            + (clustering.map { folder in
                ClusteringFolder.files.map { NamedFile("--clustering", "\(folder)/\($0)") }
            } ?? []) + [
                NamedFile("--score", score.flatMap { Selection.isScoreFile($0) ? $0 : nil }),
                NamedFile("--labels", labels.labels), NamedFile("--ids", ids.ids),
                NamedFile("--model", scoring.model?.path),
                // Where the paths of --link start from.
                NamedFile("--data", outputs.link == nil ? nil : options.data.data),
            ]
    }

    /// What is kept, and what it took to choose it.
    private struct Choice {
        var kept: KeptSamples
        /// What it costs of a budget.
        var used: Amount?
        var input: SelectionInput
        /// Nil where nothing was scored.
        var scoreSeconds: Double?
        var seconds: Double
    }

    /// Scores and ranks. A budget is of the whole set; of a greedy order, only as much is picked as the budget reaches, four
    /// times as much at each attempt, since what comes after does not fit in any order.
    private func choose(
        _ selection: Selection, _ plan: ClusteringPlan, _ budget: Budget?, from source: inout Source
    ) throws -> Choice {
        let known = score.flatMap { try? Score.named($0) }
        // Those of networks would train them anew.
        let isStaged = budget != nil && known?.isOrder == true && known?.needs.contains(.dynamics) == false
        var picks = isStaged ? min(source.count, 1024) : source.count
        while true {
            if isStaged { source.size = try RequestedSize.count(picks).resolved(of: source.count) }
            let (choice, reach) = try chooseOnce(selection, plan, budget, from: &source)
            if reach <= picks { return choice }
            picks = min(source.count, 4 * picks)
        }
    }

    private func chooseOnce(
        _ selection: Selection, _ plan: ClusteringPlan, _ budget: Budget?, from source: inout Source
    ) throws -> (Choice, reach: Int) {
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
        let choice: (kept: KeptSamples, used: Amount?, reach: Int)
        if let budget {
            choice = try selection.select(within: budget, from: input, random: &random)
        } else {
            choice = (try selection.select(source.size, from: input, random: &random), nil, 0)
        }
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        return (
            Choice(
                kept: choice.kept, used: choice.used, input: input, scoreSeconds: scored?.seconds, seconds: seconds),
            choice.reach
        )
    }

    func left(of budget: Budget?, _ used: Amount?) -> Amount? {
        guard let budget, let used else { return nil }
        return budget.limit - used
    }

    func show(
        _ kept: KeptSamples, of count: Int, classNames: [String]?, clusterSizes: String?,
        _ finished: FinishedClustering?
    ) {
        var line = "kept \(kept.kept) of \(count) samples in \(out)"
        if kept.kept != kept.requested { line += ", \(kept.requested) were asked for" }
        print(line)
        if !kept.perClass.isEmpty {
            print("kept per class: \(describeClasses(kept.perClass, names: classNames ?? []))")
        }
        if let clusterSizes {
            let counts = kept.perCluster.sorted()
            print("kept per cluster: \(counts.first ?? 0) to \(counts.last ?? 0), of \(clusterSizes)")
        }
        if let finished {
            print(
                "inertia \(finished.clustering.inertia) after \(finished.clustering.iterations) iterations; "
                    + finished.stages)
        }
    }

    func show(_ files: SelectionOutputs, _ links: ImageLinks?, origin: String) {
        for line in files.indices.lines(origin: origin) { print(line) }
        if let path = outputs.details { print("rank, id, score and cluster of each are in \(path)") }
        if let path = outputs.link, let links {
            let classes = links.folderCount == 1 ? "1 class" : "\(links.folderCount) classes"
            print("links to \(links.links.count) images of \(classes) are in \(path)")
        }
    }
}
