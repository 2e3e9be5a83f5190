import Clustering
import Compute
import Support

/// A row that is dropped, and the one that stays for it.
package struct DroppedPoint: BitwiseCopyable, Equatable, Sendable {
    /// The new point that is dropped.
    package let point: Int32
    /// The most similar point of its cluster that stays, the earliest of equals, numbered as in the source, where old points
    /// come first; -1 where none of its cluster stays.
    package internal(set) var kept: Int32
    /// 1 - their cosine; infinity where none stays.
    package internal(set) var gap: Double
}

extension Deduplication {
    /// The largest cosine of every new point to an earlier member of its cluster.
    ///
    /// A row of zeros has no direction and is no duplicate of any other: it counts as a first member.
    /// - Parameter clusters: the clusters whose points are compared, rising; nil for all.
    /// - Throws: ``ClusteringError``, `CancellationError`.
    package func compare(in clusters: [Int]? = nil) throws -> Redundancy {
        var found = Redundancy(count: count)
        try forEachLargestCosine(
            in: clusters ?? Array(members.ranges.indices),
            group: { cluster in
                let points = members.points[members.ranges[cluster]]
                guard let firstNew = points.firstIndex(where: { $0 >= oldCount }) else { return nil }
                return Group(points: points, firstQuery: firstNew, candidatesEnd: points.endIndex)
            },
            take: { found.take($1, of: Int($0) - oldCount, to: $2) },
            takeZeros: { found.takeZeros(Int($0) - oldCount) })
        return found
    }

    /// The most similar point that stays, of every new point that does not, in the order of their numbers.
    ///
    /// SemDeDup drops a point for any earlier one that is similar, which may be dropped itself. Where the most similar
    /// earlier one stays, no later one that stays is more similar, for that one would be dropped before; all others are
    /// compared with everything in their cluster that stays.
    /// - Parameters:
    ///   - redundancy: what ``compare()`` found.
    ///   - kept: the new points that stay: those below a threshold, or so many of the least redundant.
    ///   - clusters: the clusters whose points are wanted, rising; nil for all.
    /// - Throws: ``ClusteringError``, `CancellationError`.
    package func dropped(
        by redundancy: Redundancy, keeping kept: [Int], in clusters: [Int]? = nil
    ) throws -> [DroppedPoint] {
        var isKept = [Bool](repeating: false, count: count)
        for point in kept { isKept[point] = true }
        func stays(_ point: Int32) -> Bool { point < oldCount || isKept[Int(point) - oldCount] }
        func isSettled(_ point: Int) -> Bool {
            // Beyond 1, a row of zeros that stays may come later: it counts as a first member, and its cosine is 0.
            guard redundancy.gaps[point] <= 1 else { return false }
            return stays(redundancy.nearest[point])
        }
        // Where each dropped point is in the result.
        var places = [Int32](repeating: -1, count: count)
        var dropped: [DroppedPoint] = []
        dropped.reserveCapacity(count - kept.count)
        let isWanted = clusters.map { clusters in
            clusters.reduce(into: [Bool](repeating: false, count: members.ranges.count)) { $0[$1] = true }
        }
        for point in 0..<count where !isKept[point] && isWanted?[Int(labels[oldCount + point])] ?? true {
            places[point] = Int32(truncatingIfNeeded: dropped.count)
            let isSettled = isSettled(point)
            dropped.append(
                DroppedPoint(
                    point: Int32(truncatingIfNeeded: point), kept: isSettled ? redundancy.nearest[point] : -1,
                    gap: isSettled ? redundancy.gaps[point] : .infinity))
        }
        try forEachLargestCosine(
            in: clusters ?? Array(members.ranges.indices),
            group: { cluster in
                let points = members.points[members.ranges[cluster]]
                let open = points.filter { !stays($0) && !isSettled(Int($0) - oldCount) }
                guard !open.isEmpty else { return nil }
                let candidates = points.filter(stays)
                return Group(
                    points: ArraySlice(candidates + open), firstQuery: candidates.count,
                    candidatesEnd: candidates.count)
            },
            take: { point, gap, nearest in
                let place = Int(places[Int(point) - oldCount])
                if gap < dropped[place].gap { (dropped[place].gap, dropped[place].kept) = (gap, nearest) }
            }, takeZeros: { _ in })
        return dropped
    }

    /// Points of a cluster, of which those from one place on are compared with those before another, as far as they come
    /// before themselves.
    private struct Group {
        var points: ArraySlice<Int32>
        var firstQuery: Int
        var candidatesEnd: Int
    }

    /// Compares the groups of clusters, several at once while they are small, or tile by tile.
    /// - Parameters:
    ///   - group: what is compared in a cluster; nil for nothing.
    ///   - take: called with a query, 1 - its largest cosine to some of its candidates and the first of these that it is of,
    ///     the candidates coming in their order.
    ///   - takeZeros: called with queries that are rows of zeros.
    private func forEachLargestCosine(
        in clusters: [Int], group: (Int) -> Group?, take: (Int32, Double, Int32) -> Void,
        takeZeros: (Int32) -> Void
    ) throws {
        var waiting: [Int32] = []
        var parts: [ComparedRows] = []
        func compareWaiting() throws {
            if !parts.isEmpty { try compare(waiting, parts, take, takeZeros) }
            waiting = []
            parts = []
        }
        for cluster in clusters {
            guard let group = group(cluster) else { continue }
            let count = group.points.count
            if count > rowsAtOnce {
                try compareTiles(of: group, take, takeZeros)
                continue
            }
            if waiting.count + count > rowsAtOnce { try compareWaiting() }
            let (first, start) = (waiting.count, group.points.startIndex)
            waiting += group.points
            parts.append(
                ComparedRows(
                    first..<first + count, from: first + group.firstQuery - start,
                    with: first + group.candidatesEnd - start))
        }
        try compareWaiting()
    }

    /// Compares tiles of a group that are half as large as what may be in memory.
    private func compareTiles(
        of group: Group, _ take: (Int32, Double, Int32) -> Void, _ takeZeros: (Int32) -> Void
    ) throws {
        let points = group.points
        let size = rowsAtOnce / 2
        for first in stride(from: group.firstQuery, to: points.endIndex, by: size) {
            let queries = first..<min(first + size, points.endIndex)
            let before = min(group.candidatesEnd, queries.lowerBound)
            for start in stride(from: points.startIndex, to: before, by: size) {
                let tile = start..<min(start + size, before)
                let together = Array(points[tile]) + points[queries]
                try compare(
                    together, [ComparedRows(0..<together.count, from: tile.count, with: tile.count)], take, takeZeros)
            }
            if group.candidatesEnd > queries.lowerBound {
                try compare(
                    Array(points[queries]),
                    [ComparedRows(0..<queries.count, with: min(group.candidatesEnd - first, queries.count))], take,
                    takeZeros)
            }
        }
    }

    private func compare(
        _ points: [Int32], _ parts: [ComparedRows], _ take: (Int32, Double, Int32) -> Void,
        _ takeZeros: (Int32) -> Void
    ) throws {
        let rows = try source.rows(at: points, on: backend)
        let found = try rows.largestCosines(of: parts, adding: source.shift, cancellation: cancellation)
        for part in parts {
            for query in part.queries where found.rows[query] >= 0 {
                // Rounding may leave opposite rows a little beyond 2.
                take(points[query], min(2, found.gaps[query]), points[Int(found.rows[query])])
            }
        }
        for query in found.zeros { takeZeros(points[query]) }
    }
}
