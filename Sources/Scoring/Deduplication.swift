import Clustering
import Compute
import Pruning
import Support

/// Near-duplicates among points that are in clusters (Abbas et al., "SemDeDup: data-efficient learning at web-scale through
/// semantic deduplication", 2023, algorithm A.1): the members of each cluster are taken in an order, and one whose largest
/// cosine to an earlier member is above 1 - eps is dropped.
///
/// Points may be those of an old set followed by those of a new one. Old ones come first in every cluster and are never
/// dropped; new points are numbered from 0 wherever they are alone.
///
/// All pairs within a cluster are compared as ``Score/semdedup`` compares them, but no more rows are in memory than were
/// allowed: several small clusters at once, or two tiles of a large one. No result depends on that.
package struct Deduplication {
    /// Which members of a cluster come first, and so stay.
    package enum Order: Sendable {
        /// From the furthest from the centroid to the closest.
        case furthest
        /// From the closest to the centroid to the furthest.
        case closest
        /// By their numbers.
        case first
        /// From the highest of these numbers, one per new point, to the lowest.
        case score([Float])
    }

    /// Points, old ones included.
    let source: PointSource
    let backend: any Backend
    /// How many of the first points are of the old set.
    package let oldCount: Int
    /// The cluster of each point, [source.count].
    let labels: [Int32]
    let members: ClusterMembers
    /// Most rows that are in the host's memory at once; two at least.
    package let rowsAtOnce: Int
    let cancellation: CancellationFlag

    /// Bytes that rows take while they are compared, those on their way included.
    package var memory: Int {
        source.bytesOnTheWay + min(rowsAtOnce, source.count) * Self.bytesPerRow(source.dimensions)
    }

    /// Number of new points.
    package var count: Int { source.count - oldCount }

    /// Bytes for rows that are compared beyond which more hardly help.
    package static let usualMemory = 1 << 29
    /// Fewest rows at once for which there should be memory.
    private static let fewestRows = 4096

    /// Bytes that a row takes while it is compared: its values as they are and centred, and a few numbers.
    private static func bytesPerRow(_ dimensions: Int) -> Int { 2 * dimensions * MemoryLayout<Float>.stride + 64 }

    /// Bytes that points take however few rows are in memory at once: the members' order, the largest cosines, what is
    /// kept and what is dropped.
    package static func bytes(points: Int) -> Int { 96 * points }

    /// The least memory, in bytes, that rows take while they are compared.
    /// - Parameters:
    ///   - columns: those of the matrix that points are brought from.
    ///   - dimensions: the points' coordinates.
    package static func leastMemory(points: Int, columns: Int, dimensions: Int) -> Int {
        PointSource.bytesOnTheWay(columns: columns, dimensions: dimensions)
            + min(points, fewestRows) * bytesPerRow(dimensions)
    }

    /// - Parameters:
    ///   - source: the points, those of the old set first.
    ///   - clustering: a clustering of all of them.
    ///   - old: how many are of the old set.
    ///   - order: which members of a cluster come first.
    ///   - memory: bytes that rows may take while they are compared; that of ``leastMemory(points:columns:dimensions:)`` is
    ///     taken anyway.
    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)`` where numbers do not fit together.
    package init(
        of source: PointSource, clustering: ClusterAssignment, old: Int = 0, order: Order = .furthest,
        memory: Int = usualMemory, on backend: any Backend, cancellation: CancellationFlag = CancellationFlag()
    ) throws(ScoringError) {
        try ScoreInput.check(clustering.labels.count, "cluster labels", of: source.count)
        try ScoreInput.check(clustering.squaredDistances.count, "distances", of: source.count)
        let keys: [Float]?
        switch order {
        case .furthest: keys = clustering.squaredDistances[old...].map { -$0 }
        case .closest: keys = Array(clustering.squaredDistances[old...])
        case .first: keys = nil
        case .score(let scores):
            try ScoreInput.check(scores.count, "scores", of: source.count - old)
            keys = scores.map { -$0 }
        }
        self.source = source
        self.backend = backend
        self.cancellation = cancellation
        oldCount = old
        labels = clustering.labels
        members = ClusterMembers(labels: clustering.labels, old: old, keys: keys)
        rowsAtOnce = max(
            2, min(source.count, Self.fewestRows),
            (memory - source.bytesOnTheWay) / Self.bytesPerRow(source.dimensions))
    }

    /// The clusters that one of several processes compares, rising. Every cluster belongs to one process. The largest are given
    /// out first, each to the process with the least to compare.
    package func clusters(ofRank rank: Int, of ranks: Int) -> [Int] {
        let sizes = members.ranges.map(\.count)
        var work = [Double](repeating: 0, count: ranks)
        var own: [Int] = []
        for cluster in sizes.indices.sorted(by: { (sizes[$1], $0) < (sizes[$0], $1) }) {
            let least = work.indices.min { (work[$0], $0) < (work[$1], $1) } ?? 0
            // The pairs, and the cost of bringing a row here.
            work[least] += Double(sizes[cluster]) * Double(sizes[cluster] + 1)
            if least == rank { own.append(cluster) }
        }
        return own.sorted()
    }

    /// As ``init(of:clustering:old:order:memory:on:cancellation:)``, with so many rows at once.
    init(
        of source: PointSource, clustering: ClusterAssignment, old: Int = 0, order: Order, rowsAtOnce: Int,
        on backend: any Backend
    ) throws(ScoringError) {
        let whole = try Deduplication(of: source, clustering: clustering, old: old, order: order, on: backend)
        self.init(whole, rowsAtOnce: rowsAtOnce)
    }

    private init(_ other: Deduplication, rowsAtOnce: Int) {
        source = other.source
        backend = other.backend
        oldCount = other.oldCount
        labels = other.labels
        members = other.members
        cancellation = other.cancellation
        self.rowsAtOnce = max(2, rowsAtOnce)
    }
}
