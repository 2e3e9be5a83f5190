/// How far two clusterings of the same points agree: the Rand index corrected for chance (Hubert and Arabie, "Comparing
/// partitions", 1985). 1 where both group the points alike, whatever the clusters are called; about 0 where they agree no
/// more than by chance; below 0 where less.
///
/// Memory is O(points + clusters). Two clusterings that put all points into one cluster, or each point into its own, agree:
/// they have 1.
/// - Parameters:
///   - one: the cluster of each point, [points], from 0 to below `k`.
///   - other: the same in the other clustering, as many.
package func adjustedRandIndex(_ one: [Int32], _ other: [Int32], k: Int) -> Double {
    let count = min(one.count, other.count)
    var sizes = (one: [Int](repeating: 0, count: k), other: [Int](repeating: 0, count: k))
    for point in 0..<count {
        sizes.one[Int(one[point])] += 1
        sizes.other[Int(other[point])] += 1
    }
    // The points by their cluster in `one`.
    var ends = sizes.one
    for cluster in 1..<max(k, 1) { ends[cluster] += ends[cluster - 1] }
    var order = [Int32](repeating: 0, count: count)
    for point in (0..<count).reversed() {
        ends[Int(one[point])] -= 1
        order[ends[Int(one[point])]] = Int32(point)
    }
    func pairs(_ size: Int) -> Double { Double(size) * Double(size - 1) / 2 }
    var together = 0.0
    var shared = [Int](repeating: 0, count: k)
    for cluster in 0..<k {
        let members = order[ends[cluster]..<ends[cluster] + sizes.one[cluster]]
        for point in members { shared[Int(other[Int(point)])] += 1 }
        for point in members {
            let label = Int(other[Int(point)])
            together += pairs(shared[label])
            shared[label] = 0
        }
    }
    let inOne = sizes.one.reduce(0) { $0 + pairs($1) }
    let inOther = sizes.other.reduce(0) { $0 + pairs($1) }
    // No pair is together in one clustering alone.
    if together == inOne, together == inOther { return 1 }
    let expected = inOne * inOther / pairs(count)
    return (together - expected) / ((inOne + inOther) / 2 - expected)
}
