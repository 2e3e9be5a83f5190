import Compute
import Datasets
import Foundation
import Scoring
import Support

/// The files that `coppice dedup` writes.
struct DedupOutputs {
    var kept: String
    var pairs: String?
    var curve: String?

    /// Those that are asked for.
    var files: [NamedFile] {
        [NamedFile("--out", kept), NamedFile("--pairs", pairs), NamedFile("--curve", curve)].compactMap { $0 }
    }

    /// Writes them, the indices last.
    /// - Throws: `FileError`.
    func write(_ result: DedupRun.Result, eps: Double?) throws {
        if let pairs { try writePairs(of: result, to: pairs) }
        if let curve { try writeCurve(of: result, eps: eps, to: curve) }
        try NumPy.write(result.kept.map(Int64.init), shape: [result.kept.count], to: kept)
    }

    /// A line for each dropped row, in the order of the rows.
    private func writePairs(of result: DedupRun.Result, to path: String) throws {
        var next = 0
        let linesAtOnce = 10_000
        try AtomicFile.write(to: path) {
            guard next < result.dropped.count else { return nil }
            let lines = result.dropped[next..<min(next + linesAtOnce, result.dropped.count)]
            next += lines.count
            var text = ""
            for line in lines {
                let cluster = result.labels[result.old + Int(line.point)]
                let isOld = line.kept >= 0 && line.kept < result.old
                let kept = line.kept < 0 ? "null" : "\(isOld ? Int(line.kept) : Int(line.kept) - result.old)"
                let cosine = line.kept < 0 ? "null" : "\(1 - line.gap)"
                text += "{\"dropped\": \(line.point), \"kept\": \(kept), \"cosine\": \(cosine), \"cluster\": \(cluster)"
                text += isOld ? ", \"old\": true}\n" : "}\n"
            }
            return Array(text.utf8)
        }
    }

    /// eps,dropped,kept from small to large thresholds, the given one among them.
    private func writeCurve(of result: DedupRun.Result, eps: Double?, to path: String) throws {
        let count = result.kept.count + result.dropped.count
        let thresholds = Set(Redundancy.curve + [eps].compactMap { $0 }).sorted()
        var text = "eps,dropped,kept\n"
        for (eps, dropped) in zip(thresholds, result.redundancy.dropped(at: thresholds)) {
            text += "\(eps),\(dropped),\(count - dropped)\n"
        }
        try AtomicFile.write(Array(text.utf8), to: path)
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
    var pairs: String?
    var curve: String?
    var device: DeviceDescription

    private static let groupsShown = 3

    init(
        _ result: DedupRun.Result, _ clustered: DedupRun.Clustered, _ run: DedupRun, keep: String, score: String?,
        eps: Double?, size: Int?, outputs: DedupOutputs
    ) {
        n = run.rows.matrix.count - result.old
        old = run.rows.against == nil ? nil : result.old
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
        streamed = clustered.source.isStreamed
        rowsAtOnce = result.rowsAtOnce
        rowsAtOnceBytes = result.memory
        pcaSeconds = clustered.pcaSeconds
        startSeconds = clustered.clustering.startSeconds
        kmeansSeconds = clustered.clustering.seconds
        comparisonSeconds = result.seconds
        peakMemoryBytes = ProcessMemory.peak
        seed = run.compute.seed
        out = outputs.kept
        pairs = outputs.pairs
        curve = outputs.curve
        device = run.backend.device
    }

    /// The same for people.
    var lines: [String] {
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
            lines.append(
                "most were dropped for "
                    + groups.map { "\($0.old == true ? "old row" : "row") \($0.kept): \($0.dropped)" }.joined(
                        separator: ", "))
        }
        if let pairs { lines.append("a line for every dropped row is in \(pairs)") }
        if let curve { lines.append("how many rows each eps drops is in \(curve)") }
        lines.append(
            (pcaSeconds > 0 ? "PCA \(fixed(pcaSeconds, 3)) s, " : "")
                + "clustering \(fixed(startSeconds + kmeansSeconds, 3)) s, comparing \(fixed(comparisonSeconds, 3)) s"
                + (peakMemoryBytes.map { "; peak memory \(mebibytes($0))" } ?? ""))
        return lines
    }
}
