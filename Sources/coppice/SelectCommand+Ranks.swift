import Clustering
import Compute
import Datasets
import Foundation
import Pruning
import Ranks
import Scoring
import Support

/// `coppice select` as one of several ranks: processes that an MPI launcher started, or threads with one device each. Each has its
/// own part of the samples' clusters and scores; rank 0 gets the kept samples, writes and prints.
extension SelectCommand {
    /// The data of a rank's part of the samples.
    private struct Part {
        var spread: RowSpread
        var samples: Samples?
        var assignment: ClusterAssignment?
        var clustered: ClusteringPlan.Spread?
        var backend: (any Backend)?
    }

    /// The lines of `--ids`, the folder of the images, and the files to write.
    struct Prepared: Sendable {
        var lines: Identifiers?
        var folder: DatasetLocation?
        var files: SelectionOutputs
    }

    /// The inputs, opened once for all ranks of a process.
    struct Opened: Sendable {
        var prepared: Prepared
        /// Nil if a clustering is read and no samples are named.
        var samples: OpenedSamples?
    }

    /// True if samples are named beside a clustering.
    private var namesSamples: Bool {
        options.data.data != nil || options.data.dataset != nil || options.features != nil
    }

    /// Selects on several devices of this machine.
    /// - Parameter interrupt: the effect of signals, which rank 0 handles for all.
    func select(
        on devices: [DeviceInventory.DeviceEntry], _ plan: ClusteringPlan, _ selection: Selection,
        _ interrupt: ExitOnInterrupt
    ) throws {
        try refuse(plan, selection, for: "one device", describeCount(devices.count, "device"))
        let prepared = try prepare(isFirst: true)
        let samples =
            clustering == nil || namesSamples ? try options.open(labels: labels, quiet: compute.quiet) : nil
        if let samples { try prepared.lines?.check(count: samples.samples.count) }
        let opened = Opened(prepared: prepared, samples: samples)
        try spread.spread(over: devices) { ranks in
            try select(on: ranks, devices, opened, plan, selection, ranks.rank == 0 ? interrupt : nil)
        }
    }

    /// Opens the lines, and checks the outputs before anything is computed.
    /// - Parameter isFirst: true if this rank writes.
    private func prepare(isFirst: Bool) throws -> Prepared {
        let lines = isFirst ? try ids.open() : nil
        let folder = try imageFolder(lines)
        let files = SelectionOutputs(
            indices: IndexOutputs(
                out: out, dropped: outputs.dropped, lists: lines.map { .lines($0) } ?? (folder == nil ? .none : .paths)),
            options: outputs)
        if isFirst { try files.check(nil, against: inputs) }
        return Prepared(lines: lines, folder: folder, files: files)
    }

    /// Selects on all ranks. Collective.
    /// - Parameters:
    ///   - devices: the device of each rank; empty if each rank finds its own.
    ///   - opened: what is read; nil if each rank opens it.
    ///   - interrupt: the effect of signals; nil on ranks that share the process with rank 0.
    func select(
        on ranks: Communicator, _ devices: [DeviceInventory.DeviceEntry], _ opened: Opened?,
        _ plan: ClusteringPlan, _ selection: Selection, _ interrupt: ExitOnInterrupt?
    ) throws {
        try ranks.agree(on: agreements(plan))
        try refuse(plan, selection, for: ranks.singleText, ranks.countText)
        let isFirst = ranks.rank == 0
        let quiet = compute.quiet || !isFirst
        let prepared = try opened?.prepared ?? prepare(isFirst: isFirst)
        let (lines, folder) = (isFirst ? prepared.lines : nil, prepared.folder)
        var files = prepared.files
        var limit: Budget?
        var scores: OrderedKeys?
        // What is wrong with the size, the lines, the budget or the scores must not wait for a clustering.
        let check: (RowSpread) throws -> Void = { spread in
            _ = try onAllRanks { try requested(selection, of: spread.total).resolved(of: spread.total) }
            try lines?.check(count: spread.total)
            limit = try budget.read(lines)
            if let score, Selection.isScoreFile(score) { scores = try scoreKeys(score, spread) }
        }
        let part =
            try clustering.map { try read($0, on: ranks, opened?.samples, quiet: quiet, check) }
            ?? cluster(plan, on: ranks, devices, opened?.samples, selection, quiet: quiet, check)
        let count = part.spread.total
        let begin = ContinuousClock.now
        guard let choice = try choose(selection, from: part, scores, limit, on: ranks) else { return }
        let kept = choice.kept
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        if let note = kept.shortClassesNote { Terminal.note("note: \(note)", quiet: quiet) }
        let names = lines.map { SampleIDs.lines($0) } ?? part.samples?.files.map { .paths($0) }
        files.indices = files.indices.writable(names) { Terminal.note($0, quiet: quiet) }
        for path in files.indices.staleLists {
            Terminal.note("note: \(path) is there, and is not of this selection", quiet: quiet)
        }
        try interrupt.finishing {
            _ = try files.write(SelectionOutputs.Contents(kept: kept, count: count, ids: names))
        }
        let finished = part.clustered?.finished
        guard !json else {
            let found = finished?.clustering
            let assignment = part.assignment
            try printJSON(
                Report(
                    strategy: strategy?.rawValue, score: score, keep: score == nil ? nil : (keep ?? .paper).rawValue,
                    within: score == nil ? nil : selection.groups.rawValue, n: count, requested: kept.requested,
                    kept: kept.kept, perClass: kept.perClass, perCluster: kept.perCluster,
                    budgetColumn: budget.budgetColumn, budget: limit?.limit.decimal, budgetUsed: choice.used?.decimal,
                    budgetLeft: left(of: limit, choice.used)?.decimal, out: out,
                    idsOut: files.indices.keptList, dropped: outputs.dropped, seed: compute.seed,
                    selectionSeconds: seconds, k: assignment?.k, dimensions: part.samples?.matrix.dimensions,
                    components: finished == nil ? nil : plan.pca, inertia: found?.inertia,
                    iterations: found?.iterations, pcaSeconds: finished?.pcaSeconds,
                    startSeconds: found?.startSeconds, kmeansSeconds: found?.seconds, device: part.backend?.device,
                    ranks: ranks.size))
            try flushOutput()
            return
        }
        show(
            kept, of: count, classNames: part.samples?.classNames,
            clusterSizes: choice.clusterSizes.isEmpty ? nil : describeSizes(choice.clusterSizes), finished)
        if let limit, let used = choice.used, let left = left(of: limit, used) {
            print("\(excerpt(budget.budgetColumn ?? "")): \(used) of \(limit.limit), \(left) left")
        }
        show(files, nil, origin: folder?.directory ?? ids.ids ?? "")
        try flushOutput()
    }

    /// The kept samples, on rank 0; nil on the others. A budget is filled from the first samples of the rank order, four times
    /// as many at each attempt, until no other sample fits. Collective.
    private func choose(
        _ selection: Selection, from part: Part, _ scores: OrderedKeys?, _ limit: Budget?, on ranks: Communicator
    ) throws -> (kept: KeptSamples, used: Amount?, clusterSizes: [Int])? {
        let count = part.spread.total
        let input = selectionPart(part, selection, scores)
        let sums = RankSums<RanksError>(rank: ranks.rank, size: ranks.size) {
            (values: inout [Int64]) throws(RanksError) in try ranks.sum(&values)
        }
        let isBudget = budget.budget != nil
        var size = try requested(selection, of: count).resolved(of: count)
        while true {
            var random = RandomStream(seed: compute.seed, run: 0, purpose: .selection)
            let own = try selection.keep(size, of: input, random: &random, over: sums)
            let all = try ranks.gather(own.samples, to: 0)
            guard isBudget else { return all.map { (own.joined($0.values), nil, own.clusterSizes) } }
            var isFilled: [UInt64] = [0]
            var choice: (kept: KeptSamples, used: Amount?, clusterSizes: [Int])?
            if let all, let limit, let found = try own.filled(limit, from: all.values) {
                choice = (found.kept, found.used, own.clusterSizes)
                isFilled = [1]
            }
            try ranks.broadcast(&isFilled)
            if isFilled[0] == 1 { return choice }
            size = try RequestedSize.count(min(count, 4 * size.count)).resolved(of: count)
        }
    }

    /// The size that is asked for of `count` samples; with a budget, the number of samples that it is first filled from.
    private func requested(_ selection: Selection, of count: Int) -> RequestedSize {
        if selection.isWhole { return .whole }
        return .count(budget.budget != nil ? min(count, 1 << 16) : size ?? 0)
    }

    private func shared(_ message: String, exitCode: Int32) -> Failure {
        var failure = Failure(message, exitCode: exitCode)
        failure.isShared = true
        return failure
    }

    /// The options that must be the same on all ranks.
    private func agreements(_ plan: ClusteringPlan) -> [Agreement] {
        let options: [(String, String?)] = [
            ("--strategy", strategy?.rawValue), ("--score", score), ("--keep", keep?.rawValue),
            ("--within", within?.rawValue), ("--size", size.map { "\($0)" }), ("--quota", quota.rawValue),
            ("--balance", balance.rawValue), ("--n-closest", nClosest.map { "\($0)" }),
            ("--n-furthest", nFurthest.map { "\($0)" }), ("--clustering", clustering),
            ("--kmeans", self.options.kmeans.rawValue), ("--features", self.options.features),
            ("--k", plan.clusters.map { _ in plan.k.map { "\($0)" } ?? "auto" }),
            ("--pca", plan.pca.map { "\($0)" }), ("--seed", "\(compute.seed)"), ("--ids", ids.ids),
            ("--budget-column", budget.budgetColumn), ("--budget", budget.budget?.description),
            ("--eps", eps.map { "\($0)" }), ("--details", outputs.details),
            ("--link", outputs.link), ("--beta", beta.map { "\($0)" }),
        ]
        return [Agreement("the version", Coppice.version)] + options.map { Agreement($0, $1 ?? "none") }
    }

    /// True if the samples are clustered, provided that there is a number of clusters.
    private func makesClusters(_ selection: Selection) -> Bool {
        clustering == nil && (score == nil || selection.needsClustering)
    }

    /// Refuses what cannot be spread.
    /// - Parameters:
    ///   - single: what it is for, such as `one process`.
    ///   - several: what is there, such as `3 ranks`.
    /// - Throws: ``SharedRefusal``.
    func refuse(_ plan: ClusteringPlan, _ selection: Selection, for single: String, _ several: String) throws {
        if let words = unspreadable(plan, selection) {
            throw SharedRefusal("\(words) is for \(single), and there are \(several)", category: .usage)
        }
        if plan.k != nil, makesClusters(selection) { try refuseMiniBatches(plan.kind, for: single, several) }
    }

    /// The options that need all samples in one process; nil if there are none.
    private func unspreadable(_ plan: ClusteringPlan, _ selection: Selection) -> String? {
        if plan.clusters != nil, plan.k == nil { return "--k auto" }
        for (name, isGiven) in [
            ("--eps", eps != nil), ("--details", outputs.details != nil),
            ("--link", outputs.link != nil),
        ] where isGiven {
            return name
        }
        if let score, !Selection.isScoreFile(score), score != Selection.distance { return "--score \(score)" }
        return selection.unspreadable.map { "--\($0)" }
    }

    /// Clusters the samples of all ranks, or only opens them if no clusters are needed.
    private func cluster(
        _ plan: ClusteringPlan, on ranks: Communicator, _ devices: [DeviceInventory.DeviceEntry],
        _ opened: OpenedSamples?, _ selection: Selection, quiet: Bool, _ check: (RowSpread) throws -> Void
    ) throws -> Part {
        let (samples, spread) = try options.samples(over: ranks, opened, labels: labels, quiet: quiet)
        let matrix = samples.matrix
        try ranks.sharingFailures { try plan.check(matrix) }
        try check(spread)
        var part = Part(spread: spread, samples: samples)
        guard let k = plan.k, makesClusters(selection) else { return part }
        let backend = try rankBackend(
            compute.device, of: devices, profile: try shape.forced, over: ranks, quiet: quiet)
        ranks.note("\(matrix.count) samples", quiet: quiet)
        let clustered = try plan.run(
            matrix, k: k, seed: compute.seed, over: part.spread, on: backend, quiet: quiet)
        part.assignment = clustered.finished.assignment
        (part.clustered, part.backend) = (clustered, backend)
        return part
    }

    /// This rank's part of a clustering from its folder.
    private func read(
        _ directory: String, on ranks: Communicator, _ opened: OpenedSamples?, quiet: Bool,
        _ check: (RowSpread) throws -> Void
    ) throws -> Part {
        let samples =
            namesSamples
            ? try options.samples(over: ranks, opened, labels: self.labels, quiet: quiet).samples : nil
        let path = "\(directory)/\(ClusteringFolder.labels)"
        let distancesPath = "\(directory)/\(ClusteringFolder.distances)"
        let count = try agreedCount(of: path, on: ranks)
        guard try agreedCount(of: distancesPath, on: ranks) == count else {
            throw shared("\(distancesPath): it has another number of elements than \(path)", exitCode: 65)
        }
        if let samples, samples.matrix.count != count {
            throw shared(
                "\(path): \(count) labels for \(samples.matrix.count) samples; one for each is needed", exitCode: 65)
        }
        let spread = try ranks.spread(count)
        try check(spread)
        ranks.note("\(count) samples", quiet: quiet)
        let labels = try ranks.sharingFailures { try NumPyArray.read(path, rows: spread.rows).integers() }
        if let place = labels.firstIndex(where: { $0 < 0 }) {
            throw Failure(
                "\(path): label \(labels[place]) at position \(spread.rows.lowerBound + place) is negative, as some "
                    + "programs mark noise, which is no cluster; leave these samples out, or give them labels from 0 up",
                exitCode: 65)
        }
        let k = try clusterCount(directory, labels, spread)
        if let place = labels.firstIndex(where: { $0 >= k }) {
            throw Failure(
                "\(path): label \(labels[place]) at position \(spread.rows.lowerBound + place) is outside 0 to "
                    + "\(k - 1), the rows of \(directory)/\(ClusteringFolder.centroids)", exitCode: 65)
        }
        return Part(
            spread: spread, samples: samples,
            assignment: ClusterAssignment(
                labels: labels.map { Int32($0) },
                squaredDistances: try NumPyArray.read(distancesPath, rows: spread.rows).floats, k: k))
    }

    /// The number of clusters: the rows of centroids.npy or, without it, one more than the largest label of all ranks.
    private func clusterCount(_ directory: String, _ labels: [Int64], _ spread: RowSpread) throws -> Int {
        let path = "\(directory)/\(ClusteringFolder.centroids)"
        var counts: [UInt64] = [0, 0]
        if FileManager.default.fileExists(atPath: path) {
            let shape = try NumPyFile(path).shape
            guard shape.count == 2, shape.allSatisfy({ (1...Int(Int32.max)).contains($0) }) else {
                throw Failure(
                    "\(path): its shape is \(shape); two dimensions are needed, a row for each cluster", exitCode: 65)
            }
            counts[0] = UInt64(shape[0])
        }
        counts[1] = UInt64(labels.max() ?? 0) + 1
        // A rank that does not see the file must not use another number.
        try spread.communicator.agree(on: [Agreement("the rows of \(path)", "\(counts[0])")])
        if counts[0] > 0 { return Int(counts[0]) }
        try spread.communicator.maximum(&counts)
        guard counts[1] <= UInt64(spread.total) else {
            throw shared(
                "\(directory)/\(ClusteringFolder.labels): labels go up to \(counts[1] - 1), more than there are samples; "
                    + "number them from 0, or select on \(spread.communicator.singleText), which does so itself",
                exitCode: 65)
        }
        return Int(counts[1])
    }

    /// The number of elements of a one-dimensional file, which must be the same on all ranks: each compares its own elements and
    /// those of the next rank with what that rank has. Collective.
    private func agreedCount(of path: String, on ranks: Communicator) throws -> Int {
        let (size, rank) = (ranks.size, ranks.rank)
        let shape = try ranks.sharingFailures {
            let shape = try NumPyFile(path).shape
            guard shape.count == 1 else {
                throw Failure("\(path): its shape is \(shape); one dimension is needed", exitCode: 65)
            }
            return shape
        }
        let count = shape[0]
        try ranks.agree(on: [Agreement("the file \(path)", "\(count) elements")])
        let sums = try ranks.sharingFailures {
            try [rank, (rank + 1) % size].map { rank in
                var sum = Checksum()
                let array = try NumPyArray.read(path, rows: RowSpread.rows(ofRank: rank, of: size, total: count))
                // Whole numbers of 64 bits are not rounded.
                if let whole = try? array.integers() {
                    whole.withUnsafeBytes { sum.add($0) }
                } else {
                    array.doubles.withUnsafeBytes { sum.add($0) }
                }
                return sum.value
            }
        }
        let all = try ranks.gather(sums)
        for rank in 0..<size {
            let owner = (rank + 1) % size
            guard all.values[2 * rank + 1] == all.values[2 * owner] else {
                let rows = RowSpread.rows(ofRank: owner, of: size, total: count)
                throw shared(
                    "the ranks differ in the file \(path): rank \(owner) has other elements at positions \(rows.lowerBound) to "
                        + "\(rows.upperBound - 1) (counted from 0) than rank \(rank); all ranks must have the same",
                    exitCode: 65)
            }
        }
        return count
    }

    /// This rank's part of what a selection is made from.
    private func selectionPart(_ part: Part, _ selection: Selection, _ scores: OrderedKeys?) -> SelectionPart {
        let rows = part.spread.rows
        let classes = part.samples?.classes.map {
            ClassLabels(labels: Array($0.labels[rows]), count: $0.count)
        }
        var keys: OrderedKeys?
        if selection.order.needsScore {
            // NaN has no key; the selection refuses it and names its place.
            keys = scores ?? OrderedKeys(part.assignment?.squaredDistances ?? [])
        }
        return SelectionPart(
            first: rows.lowerBound, total: part.spread.total,
            input: SelectionInput(count: rows.count, classes: classes, clustering: part.assignment), keys: keys)
    }

    /// The order of this rank's scores in a file. A single process ranks by float32 values in the file's order, which is the
    /// same.
    private func scoreKeys(_ path: String, _ spread: RowSpread) throws -> OrderedKeys {
        let count = try agreedCount(of: path, on: spread.communicator)
        guard count == spread.total else {
            return try onAllRanks { throw ScoringError.countMismatch(score: path, got: count, expected: spread.total) }
        }
        let array = try spread.communicator.sharingFailures { try NumPyArray.read(path, rows: spread.rows) }
        let exact = array.doubles
        let first = spread.rows.lowerBound
        if let place = exact.firstIndex(where: \.isNaN) {
            throw ScoringError.notANumber(score: path, index: first + place)
        }
        if let place = exact.indices.first(where: { exact[$0].isFinite && !Float(exact[$0]).isFinite }) {
            throw ScoringError.tooLarge(score: path, index: first + place)
        }
        if array.type == .float32 { return OrderedKeys(array.floats) }
        if let whole = try? array.integers() { return OrderedKeys(whole) }
        return OrderedKeys(exact)
    }
}
