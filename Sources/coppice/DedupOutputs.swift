import Compute
import Datasets
import Foundation
import Scoring
import Support

/// The files that `coppice dedup` writes.
struct DedupOutputs {
    var indices: IndexOutputs
    var pairs: String?
    var curve: String?

    /// Those that are asked for.
    var files: [NamedFile] {
        indices.files + [NamedFile("--pairs", pairs), NamedFile("--curve", curve)].compactMap { $0 }
    }

    /// Writes them, the indices of what stays last.
    /// - Parameter ids: what says of each new row which one it is; nil where nothing does.
    /// - Throws: `FileError`, and `DatasetError` of reading ids.
    func write(_ result: DedupRun.Result, eps: Double?, ids: SampleIDs?) throws {
        var files: [StagedFile] = []
        if let pairs { files.append(try stagePairs(of: result, ids: ids, to: pairs)) }
        if let curve { files.append(try stageCurve(of: result, eps: eps, to: curve)) }
        files += try indices.stage(result.kept, of: result.kept.count + result.dropped.count, ids: ids)
        for file in files { try file.commit() }
    }

    /// A line for each dropped row, in the order of the rows.
    private func stagePairs(of result: DedupRun.Result, ids: SampleIDs?, to path: String) throws -> StagedFile {
        let file = try StagedFile(path)
        for row in result.dropped {
            let cluster = result.labels[result.old + Int(row.point)]
            let isOld = row.kept >= 0 && row.kept < result.old
            let index = isOld ? Int(row.kept) : Int(row.kept) - result.old
            let kept = row.kept < 0 ? "null" : "\(index)"
            let cosine = row.kept < 0 ? "null" : "\(1 - row.gap)"
            var line = Array("{\"dropped\": \(row.point), \"kept\": \(kept), \"cosine\": \(cosine), ".utf8)
            line += "\"cluster\": \(cluster)\(isOld ? ", \"old\": true" : "")".utf8
            if let ids {
                line += Array(", \"dropped_id\": ".utf8) + (try ids.json(Int(row.point)))
                // Ids are of the new rows alone.
                if row.kept >= 0, !isOld { line += Array(", \"kept_id\": ".utf8) + (try ids.json(index)) }
            }
            try file.write(line + Array("}\n".utf8))
        }
        try file.seal()
        return file
    }

    /// eps,dropped,kept from small to large thresholds, the given one among them.
    private func stageCurve(of result: DedupRun.Result, eps: Double?, to path: String) throws -> StagedFile {
        let count = result.kept.count + result.dropped.count
        let thresholds = Set(Redundancy.curve + [eps].compactMap { $0 }).sorted()
        var text = "eps,dropped,kept\n"
        for (eps, dropped) in zip(thresholds, result.redundancy.dropped(at: thresholds)) {
            text += "\(eps),\(dropped),\(count - dropped)\n"
        }
        let file = try StagedFile(path)
        try file.write(Array(text.utf8))
        try file.seal()
        return file
    }
}

/// What `coppice dedup` reports.
struct DedupReport: Encodable {
    /// A row that stays, and how many are dropped for it.
    struct Group: Encodable {
        var kept: Int
        var old: Bool?
        var dropped: Int
    }

    var n: Int
    var old: Int?
    var eps: Double?
    var requested: Int?
    var keep: String
    var score: String?
    var kept: Int
    var dropped: Int
    /// The largest cosine that a row that stays has to an earlier one; nil where none has one.
    var largestCosineKept: Double?
    /// Dropped rows of exactly the direction of the row that stays.
    var copies: Int
    /// Dropped rows of whose cluster none stays.
    var withoutKept: Int
    var clustersWithDropped: Int
    var largestGroups: [Group]
    var zeroRows: Int
    var k: Int
    var dimensions: Int
    var components: Int?
    var inertia: Double
    var iterations: Int
    var streamed: Bool
    var rowsAtOnce: Int
    var rowsAtOnceBytes: Int
    var pcaSeconds: Double
    var startSeconds: Double
    var kmeansSeconds: Double
    var comparisonSeconds: Double
    var peakMemoryBytes: Int?
    var seed: UInt64
    var out: String
    var idsOut: String?
    var droppedOut: String?
    var pairs: String?
    var curve: String?
    var device: DeviceDescription
    /// Nil for a single process with one device.
    var ranks: Int?

    private static let groupsShown = 3

    init(
        _ result: DedupRun.Result, _ clustered: DedupRun.Clustered, _ run: DedupRun, keep: String, score: String?,
        eps: Double?, size: Int?, outputs: DedupOutputs
    ) {
        n = run.rows.matrix.count - result.old
        old = run.rows.against.isEmpty ? nil : result.old
        self.eps = eps
        requested = size
        self.keep = keep
        self.score = score
        kept = result.kept.count
        dropped = result.dropped.count
        let gap = result.kept.last { result.redundancy.gaps[$0].isFinite }.map { result.redundancy.gaps[$0] }
        largestCosineKept = gap.map { 1 - $0 }
        copies = result.dropped.count { $0.gap == 0 }
        withoutKept = result.dropped.count { $0.kept < 0 }
        clustersWithDropped = Set(result.dropped.map { result.labels[result.old + Int($0.point)] }).count
        var counts: [Int32: Int] = [:]
        for row in result.dropped where row.kept >= 0 { counts[row.kept, default: 0] += 1 }
        largestGroups = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.groupsShown).map {
            let isOld = Int($0.key) < result.old
            return Group(
                kept: isOld ? Int($0.key) : Int($0.key) - result.old, old: isOld ? true : nil, dropped: $0.value)
        }
        zeroRows = result.zeros
        k = run.k
        dimensions = run.rows.matrix.dimensions
        components = run.plan.pca
        inertia = clustered.clustering.inertia
        iterations = clustered.clustering.iterations
        streamed = clustered.isStreamed
        rowsAtOnce = result.rowsAtOnce
        rowsAtOnceBytes = result.memory
        pcaSeconds = clustered.pcaSeconds
        startSeconds = clustered.clustering.startSeconds
        kmeansSeconds = clustered.clustering.seconds
        comparisonSeconds = result.seconds
        peakMemoryBytes = ProcessMemory.peak
        seed = run.compute.seed
        out = outputs.indices.out
        idsOut = outputs.indices.keptList
        droppedOut = outputs.indices.dropped
        pairs = outputs.pairs
        curve = outputs.curve
        device = run.backend.device
        ranks = run.ranks?.size
    }

    /// The same for people.
    /// - Parameters:
    ///   - ids: what says of each new row which one it is.
    ///   - lists: the lines that say where ids are.
    /// - Throws: `DatasetError` of reading ids.
    func lines(_ ids: SampleIDs?, lists: [String]) throws -> [String] {
        var lines = [
            "kept \(kept) of \(n) rows in \(out)" + (old.map { ", against \(describeCount($0, "old row"))" } ?? "")
        ]
        if dropped > 0 {
            var line =
                "dropped \(describeCount(dropped, "row")) in \(clustersWithDropped) of \(describeCount(k, "cluster"))"
            if copies > 0 { line += ", \(copies) of them with a cosine of 1 to a row that stays" }
            lines.append(line)
        }
        if let largestCosineKept {
            lines.append("largest cosine of a kept row to an earlier one: \(largestCosineKept)")
        }
        if withoutKept > 0 {
            lines.append("of the clusters of \(describeCount(withoutKept, "dropped row")) no row stays")
        }
        let groups = largestGroups.filter { $0.dropped > 1 }
        if !groups.isEmpty {
            let named = try groups.map { group in
                if group.old == true { return "old row \(group.kept): \(group.dropped)" }
                let id = try ids.map { " (\(try $0.shown(group.kept, longest: 80)))" } ?? ""
                return "row \(group.kept)\(id): \(group.dropped)"
            }
            lines.append("most were dropped for " + named.joined(separator: ", "))
        }
        lines += lists
        if let pairs { lines.append("a line for every dropped row is in \(pairs)") }
        if let curve { lines.append("how many rows each eps drops is in \(curve)") }
        lines.append(
            (pcaSeconds > 0 ? "PCA \(fixed(pcaSeconds, 3)) s, " : "")
                + "clustering \(fixed(startSeconds + kmeansSeconds, 3)) s, comparing \(fixed(comparisonSeconds, 3)) s"
                + (peakMemoryBytes.map { "; peak memory \(mebibytes($0))" } ?? ""))
        return lines
    }
}
