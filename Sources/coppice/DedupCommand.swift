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

/// Which row of near-duplicates stays.
enum DedupKeep: String, CaseIterable, ExpressibleByArgument {
    case furthest, closest, first, score
}

/// `coppice dedup`
struct DedupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dedup",
        abstract: "Drops near-duplicates: rows whose cosine to another row of their cluster is high.",
        discussion: """
            Rows are clustered, and the members of each cluster are taken in an order: from the furthest from the centroid \
            to the closest, unless --keep says otherwise. One whose largest cosine to an earlier member is above 1 - eps is \
            dropped (SemDeDup). --size keeps an exact number of rows instead: those whose largest cosine is smallest. More \
            clusters are faster and miss duplicates on both sides of a border; --k 1 compares all rows.

            --out has the indices of what stays, the least redundant first, so that a prefix is a smaller selection. A line \
            of --pairs is {"dropped": i, "kept": j, "cosine": c, "cluster": k}: j is the row most similar to i that stays.

            --against names an old set, of which nothing is dropped: new rows that are like an old one go. Where j is a row \
            of the old set, its line of --pairs has "old": true. Both sets are clustered together.

            --ids gives each row a line of text or JSONL. The lines of what stays are written beside --out, and a line of \
            --pairs has "dropped_id" and, unless j is of the old set, "kept_id": a string, or the object that the line is. \
            Without --ids, the images of a folder have their paths for ids.

            Rows of zeros have no direction; they are never duplicates.

            The clustering and the comparisons can be spread over several devices of this machine (--device gpu:all, \
            gpu:0,2, or --devices N), or over ranks under mpirun or srun. Both require --kmeans lloyd. docs/clusters.md has \
            examples.
            """)

    @OptionGroup var options: ClusteringOptions
    @Option(help: "Drop rows with an earlier cosine above 1 - eps; above 0, at most 1.", transform: realNumber)
    var eps: Double?
    @Option(help: "Rows to keep, in place of --eps.", transform: wholeNumber)
    var size: Int?
    @Option(
        help:
            "Which of near-duplicates stays: the one furthest from the centroid, closest to it, first in the file, or of the highest --score."
    )
    var keep = DedupKeep.furthest
    @Option(
        help: ArgumentHelp(
            "--keep score: a score's name, or a .npy file of a number for each row.", valueName: "name|file.npy"),
        completion: .list(Score.all.map(\.name)))
    var score: String?
    @Option(
        help: ArgumentHelp(
            "Rows of an old set, in any form that --features takes; may be repeated. They are as wide as the new ones and scaled as these are; they stay, and come first in every cluster.",
            valueName: "OLD"))
    var against: [String] = []
    @OptionGroup var labels: LabelsOption
    @Option(help: ArgumentHelp("Where to write the indices of what stays, int64.", valueName: "kept.npy"))
    var out: String
    @OptionGroup var ids: IdsOption
    @Option(
        help: ArgumentHelp(
            "Write the indices of the dropped rows here, int64 and rising; with --ids, their lines beside it.",
            valueName: "dropped.npy"))
    var dropped: String?
    @Option(
        help: ArgumentHelp("Where to write a line for every dropped row.", valueName: "duplicates.jsonl"))
    var pairs: String?
    @Option(
        help: ArgumentHelp(
            "Where to write how many rows each eps drops: eps,dropped,kept.", valueName: "curve.csv"))
    var curve: String?
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var scoring: ScoreOptions
    @OptionGroup var shape: ProfileOption
    @OptionGroup var spread: SpreadOptions
    var compute: ComputeOptions { spread.compute }

    func run() throws {
        let plan = try options.plan()
        try refuseAutomatic(
            plan.clusters, for: "dedup",
            because: "there k trades speed for duplicates that are missed on both sides of a border")
        guard let k = plan.k else {
            throw Failure("--k is missing: how many clusters; --k 1 compares all rows with each other", exitCode: 64)
        }
        try check()
        let interrupt = try spread.runIfSeveral { ranks, interrupt in
            try deduplicate(plan, k, over: ranks, [], nil, interrupt)
        } onDevices: { devices, interrupt in
            try refuse(plan, for: "one device", describeCount(devices.count, "device"))
            let opened = try open()
            try spread.spread(over: devices) { ranks in
                try deduplicate(plan, k, over: ranks, devices, opened, ranks.rank == 0 ? interrupt : nil)
            }
        }
        guard let interrupt else { return }
        defer { withExtendedLifetime(interrupt) {} }
        try deduplicate(plan, k, over: nil, [], nil, interrupt)
    }

    /// The lines of `--ids`, the folder of the images, and the files to write.
    private struct Prepared: Sendable {
        var lines: Identifiers?
        var folder: DatasetLocation?
        var outputs: DedupOutputs
    }

    /// The inputs, opened once for all ranks of a process.
    private struct Opened: Sendable {
        var prepared: Prepared
        var samples: OpenedSamples
        /// The old set; nil if there is none.
        var against: Features?
        /// The scores of a file; nil if there is none.
        var scores: [Float]?
    }

    /// Checks the outputs and opens what is read.
    private func open() throws -> Opened {
        let prepared = try prepare(isFirst: true)
        let samples = try options.open(labels: labels, quiet: compute.quiet)
        let count = samples.samples.count
        try prepared.lines?.check(count: count)
        return Opened(
            prepared: prepared, samples: samples, against: against.isEmpty ? nil : try Features.open(against),
            scores: try givenScores(count: count))
    }

    /// The scores of a file for `count` samples; nil if no file is given.
    private func givenScores(count: Int) throws -> [Float]? {
        try score.flatMap { Selection.isScoreFile($0) ? try ScoreFile.scores($0, count: count) : nil }
    }

    /// Opens the lines, and checks the outputs before anything is computed.
    /// - Parameter isFirst: true if this rank writes.
    private func prepare(isFirst: Bool) throws -> Prepared {
        let lines = isFirst ? try ids.open() : nil
        let folder = lines == nil && options.features == nil ? try? options.data.location() : nil
        let isFolder = folder?.isImageFolder == true
        let outputs = DedupOutputs(
            indices: IndexOutputs(
                out: out, dropped: dropped, lists: lines.map { .lines($0) } ?? (isFolder ? .paths : .none)),
            pairs: pairs, curve: curve)
        try checkOutputs(
            outputs.files,
            against: options.inputs + NamedFile.matrices("--against", against) + [
                NamedFile("--labels", labels.labels),
                NamedFile("--ids", ids.ids),
                NamedFile("--score", score.flatMap { Selection.isScoreFile($0) ? $0 : nil }),
            ])
        if isFirst {
            try outputs.indices.checkPlaces()
            for file in outputs.files { try AtomicFile.checkCanWrite(file.path) }
        }
        return Prepared(lines: lines, folder: folder, outputs: outputs)
    }

    /// Deduplicates, alone or as one of several ranks, which all compare; rank 0 writes and prints.
    /// - Parameters:
    ///   - devices: the device of each rank; empty if each rank finds its own.
    ///   - opened: what is read; nil if each rank opens it.
    ///   - interrupt: the effect of signals; nil on ranks that share the process with rank 0.
    private func deduplicate(
        _ plan: ClusteringPlan, _ k: Int, over ranks: Communicator?, _ devices: [DeviceInventory.DeviceEntry],
        _ opened: Opened?, _ interrupt: ExitOnInterrupt?
    ) throws {
        if let ranks { try agree(plan, k, ranks) }
        let isFirst = ranks.map { $0.rank == 0 } ?? true
        var compute = self.compute
        compute.quiet = compute.quiet || !isFirst
        let prepared = try opened?.prepared ?? prepare(isFirst: isFirst)
        let (lines, folder) = (isFirst ? prepared.lines : nil, prepared.folder)
        var outputs = prepared.outputs
        let samples =
            try ranks.map {
                try options.samples(over: $0, opened?.samples, labels: labels, quiet: compute.quiet).samples
            }
            ?? options.samples(quiet: compute.quiet, labels: labels)
        try lines?.check(count: samples.matrix.count)
        try scoring.check(score.flatMap { try? Score.named($0) }, on: samples)
        if let size { _ = try onAllRanks { try RequestedSize.count(size).resolved(of: samples.matrix.count) } }
        let rows = try DedupRows(
            samples, options.matrix, against: against, opened?.against, isProjected: plan.pca != nil, over: ranks)
        for note in rows.notes { Terminal.note("note: \(note)", quiet: compute.quiet) }
        // A file of scores of another length must not wait for the clustering.
        let given = try opened?.scores ?? givenScores(count: samples.matrix.count)
        try ranks?.agree(on: [Agreement("the scores of \(score ?? "none")", checksum(given ?? []))])
        if let ranks {
            try ranks.sharingFailures { try plan.check(rows.matrix) }
        } else {
            try plan.check(rows.matrix)
        }
        let backend =
            try ranks.map {
                try rankBackend(
                    compute.device, of: devices, profile: shape.forced, over: $0, quiet: compute.quiet)
            }
            ?? compute.makeBackend(in: shape)
        let run = DedupRun(rows: rows, k: k, plan: plan, compute: compute, backend: backend, ranks: ranks)
        let clustered = try run.cluster()
        let result = try run.compare(
            clustered, order: try order(of: samples, given, clustered, rows, plan, backend), eps: eps, size: size)
        guard isFirst else { return }
        if result.zeros > 0 {
            Terminal.note(
                "note: \(describeCount(result.zeros, "row")) of zeros: without a direction, never duplicates",
                quiet: compute.quiet)
        }
        let names = lines.map { SampleIDs.lines($0) } ?? samples.files.map { .paths($0) }
        outputs.indices = outputs.indices.writable(names) { Terminal.note($0, quiet: compute.quiet) }
        for path in outputs.indices.staleLists {
            Terminal.note("note: \(path) is there, and is not of these rows", quiet: compute.quiet)
        }
        try interrupt.finishing { try outputs.write(result, eps: eps, ids: names) }
        let report = DedupReport(
            result, clustered, run, keep: keep.rawValue, score: score, eps: eps, size: size, outputs: outputs)
        if json {
            try printJSON(report)
        } else {
            let lists = outputs.indices.lines(origin: folder?.directory ?? ids.ids ?? "")
            for line in try report.lines(names, lists: lists) { print(line) }
        }
        try flushOutput()
    }

    /// Checks what must be the same on all ranks before anything is read. Collective.
    private func agree(_ plan: ClusteringPlan, _ k: Int, _ ranks: Communicator) throws {
        let options: [(String, String?)] = [
            ("--k", "\(k)"), ("--pca", plan.pca.map { "\($0)" }), ("--eps", eps.map { "\($0)" }),
            ("--size", size.map { "\($0)" }), ("--keep", keep.rawValue), ("--score", score),
            ("--kmeans", self.options.kmeans.rawValue),
            ("--seed", "\(compute.seed)"),
        ]
        try ranks.agree(
            on: [Agreement("the version", Coppice.version)] + options.map { Agreement($0, $1 ?? "none") })
        try refuse(plan, for: ranks.singleText, ranks.countText)
    }

    /// Refuses what cannot be spread.
    /// - Parameters:
    ///   - single: what it is for, such as `one process`.
    ///   - several: what is there, such as `3 ranks`.
    /// - Throws: ``SharedRefusal``.
    private func refuse(_ plan: ClusteringPlan, for single: String, _ several: String) throws {
        try refuseMiniBatches(plan.kind, for: single, several)
        guard let score, !Selection.isScoreFile(score) else { return }
        throw SharedRefusal(
            "--score \(score) is for \(single), and there are \(several); compute it with coppice score, and give the "
                + "file", category: .usage)
    }

    /// What must hold before anything is read.
    private func check() throws {
        guard (eps == nil) != (size == nil) else {
            throw Failure(
                eps == nil
                    ? "--eps or --size is missing: how similar rows may be, or how many to keep"
                    : "--eps and --size are mutually exclusive", exitCode: 64)
        }
        if let eps { try Redundancy.check(eps: eps) }
        if let size, size < 1 { throw Failure("--size is \(size); it must be at least 1", exitCode: 64) }
        try labels.check(options)
        guard let score else {
            if keep == .score {
                throw Failure("--keep score requires --score: a score's name, or a .npy file", exitCode: 64)
            }
            if labels.labels != nil {
                throw Failure("--labels is for a score of classes, and there is none: give --score", exitCode: 64)
            }
            return try scoring.checkIdle(nil, trains: false)
        }
        guard keep == .score else {
            throw Failure("--score requires --keep score", exitCode: 64)
        }
        if Selection.isScoreFile(score) { return try scoring.checkIdle(nil, trains: false) }
        do { try scoring.check(try Score.named(score), options, labels, hasClustering: false) } catch is ScoringError {
            throw unaccepted(score, of: Score.all.map(\.name), option: "--score")
        }
    }

    /// Which rows come first, with scores where they are asked for.
    private func order(
        of samples: Samples, _ given: [Float]?, _ clustered: DedupRun.Clustered, _ rows: DedupRows,
        _ plan: ClusteringPlan, _ backend: any Backend
    ) throws -> Deduplication.Order {
        switch keep {
        case .furthest: return .furthest
        case .closest: return .closest
        case .first: return .first
        case .score:
            if let given { return .score(given) }
            let known = try Score.named(score ?? "")
            let run = ScoreRun(score: known, options: scoring, plan: plan, compute: compute, backend: backend)
            let found = clustered.assignment
            return .score(
                try run.values(
                    of: samples,
                    clustering: ClusterAssignment(
                        labels: Array(found.labels[rows.old...]),
                        squaredDistances: Array(found.squaredDistances[rows.old...]), k: found.k),
                    within: .none, size: samples.matrix.count
                ).values)
        }
    }
}
