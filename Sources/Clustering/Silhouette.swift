import Compute
import Support

/// Silhouettes of a sample of points (Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of
/// cluster analysis", 1987).
///
/// The silhouette of a point is (b - a) / max(a, b), where a is its mean Euclidean distance to the other points of its cluster
/// and b the smallest mean distance to the points of another cluster; it is 0 for the only point of a cluster. Distances are
/// to ``compared`` points, drawn at random, of which the first ``scored`` have their silhouettes taken: more than those, so
/// that the means of small clusters are of several points. Where there are no more points than ``mostScored``, silhouettes
/// are those of all points.
package struct Silhouette: Sendable {
    /// Most points whose silhouettes are taken, and most that they are compared with.
    package static let (mostScored, mostCompared) = (2_000, 10_000)
    /// Most numbers of the points that are compared: fewer points where they have many coordinates.
    private static let mostNumbers = 1 << 25
    /// Fewest points that are compared, however many coordinates they have.
    private static let fewestCompared = 1_000

    /// The points that are compared, in the order of their rank; the first ``scored`` are scored.
    package let points: [Int32]
    /// How many points are scored.
    package let scored: Int
    /// How many points they are compared with, themselves among them.
    package var compared: Int { points.count }

    /// Draws from `count` points of `dimensions` coordinates.
    package init(count: Int, dimensions: Int, random: RandomStream) {
        var random = random
        let compared = Self.compared(of: count, dimensions: dimensions)
        points = drawDistinct(compared, below: count, &random)
        scored = min(compared, Self.mostScored)
    }

    /// How many of `count` points are compared.
    static func compared(of count: Int, dimensions: Int) -> Int {
        min(count, mostCompared, max(fewestCompared, mostNumbers / max(dimensions, 1)))
    }

    /// Bytes that ``values(of:labels:ks:)`` takes for points of so many coordinates under so many clusterings.
    package static func memory(count: Int, dimensions: Int, clusterings: Int) -> Int {
        compared(of: count, dimensions: dimensions) * (dimensions + clusterings) * MemoryLayout<Float>.stride
            + min(count, mostScored) * clusterings * MemoryLayout<Float>.stride
    }

    /// The labels of the compared points, of the labels of all.
    package func labels(of all: [Int32]) -> [Int32] { points.map { all[Int($0)] } }

    /// The silhouettes of the scored points under several clusterings, [clustering][scored]; empty for a clustering that
    /// puts all compared points into one cluster, where there are none.
    /// - Parameters:
    ///   - rows: the compared points, [compared][dimensions].
    ///   - labels: their clusters under each clustering, [clustering][compared], from 0 to below its number in `ks`.
    package func values(of rows: HostRows, labels: [[Int32]], ks: [Int]) -> [[Float]] {
        let sizes = zip(labels, ks).map { labels, k in
            var sizes = [Int](repeating: 0, count: k)
            for label in labels { sizes[Int(label)] += 1 }
            return sizes
        }
        let measured = labels.indices.filter { sizes[$0].count { $0 > 0 } > 1 }
        var values = [Float](repeating: 0, count: measured.count * scored)
        values.withUnsafeMutableBufferPointer { values in
            // Each query has elements of its own.
            guard let base = values.baseAddress else { return }
            rows.forEachQuery(scored) { point, distances in
                for (place, clustering) in measured.enumerated() {
                    base[place * scored + point] = Self.value(
                        of: point, distances, labels[clustering], sizes[clustering])
                }
            }
        }
        var all = [[Float]](repeating: [], count: labels.count)
        for (place, clustering) in measured.enumerated() {
            all[clustering] = Array(values[place * scored..<(place + 1) * scored])
        }
        return all
    }

    private static func value(
        of point: Int, _ distances: UnsafeBufferPointer<Float>, _ labels: [Int32], _ sizes: [Int]
    ) -> Float {
        let own = Int(labels[point])
        guard sizes[own] > 1 else { return 0 }
        var sums = [Double](repeating: 0, count: sizes.count)
        for (other, distance) in distances.enumerated() { sums[Int(labels[other])] += Double(distance) }
        let within = sums[own] / Double(sizes[own] - 1)
        var nearest = Double.infinity
        for cluster in sizes.indices where cluster != own && sizes[cluster] > 0 {
            nearest = min(nearest, sums[cluster] / Double(sizes[cluster]))
        }
        let larger = max(within, nearest)
        return larger > 0 ? Float((nearest - within) / larger) : 0
    }
}
