import Clustering
import Pruning

/// The points of every cluster, cluster by cluster, each cluster's in an order: those of an old set first, then by a key, the
/// lowest first, ties to the lower point.
struct ClusterMembers: Sendable {
    /// The points, [count].
    let points: [Int32]
    /// Where each cluster's points begin and end in ``points``.
    let ranges: [Range<Int>]

    /// - Parameters:
    ///   - labels: the cluster of each point, [count], from 0.
    ///   - old: how many of the first points are of the old set; their order is that of their numbers.
    ///   - keys: what orders the others, [count - old]; nil for their numbers.
    init(labels: [Int32], old: Int = 0, keys: [Float]?) {
        var ends = [Int](repeating: 0, count: Int(labels.max() ?? -1) + 1)
        for label in labels { ends[Int(label)] += 1 }
        var next = 0
        for cluster in ends.indices {
            let count = ends[cluster]
            ends[cluster] = next
            next += count
        }
        let starts = ends
        var points = [Int32](repeating: 0, count: labels.count)
        // In the order of their numbers, which puts old ones first.
        for (point, label) in labels.enumerated() {
            points[ends[Int(label)]] = Int32(truncatingIfNeeded: point)
            ends[Int(label)] += 1
        }
        ranges = zip(starts, ends).map { $0..<$1 }
        if let keys {
            for range in ranges {
                let firstNew = points[range].firstIndex { $0 >= old } ?? range.upperBound
                points[firstNew..<range.upperBound].sort { one, other in
                    let (key, otherKey) = (keys[Int(one) - old], keys[Int(other) - old])
                    return key != otherKey ? key < otherKey : one < other
                }
            }
        }
        self.points = points
    }

    /// The members of clusters from the furthest from their centroid to the closest.
    init(furthestFirst clustering: ClusterAssignment) {
        self.init(labels: clustering.labels, keys: clustering.squaredDistances.map { -$0 })
    }
}
