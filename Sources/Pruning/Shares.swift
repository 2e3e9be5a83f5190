/// The queues' elements in turns: each turn takes the next of every queue that has one, in the order of falling
/// `lengths`, ties to the lower index.
func interleave(_ queues: [[Int]], longestFirst lengths: [Int]) -> [Int] {
    var waiting = longestFirst(lengths)
    var merged: [Int] = []
    merged.reserveCapacity(queues.reduce(0) { $0 + $1.count })
    var turn = 0
    while true {
        waiting.removeAll { queues[$0].count <= turn }
        if waiting.isEmpty { return merged }
        for queue in waiting { merged.append(queues[queue][turn]) }
        turn += 1
    }
}

/// How many of the first `size` elements of ``interleave(_:longestFirst:)`` come from each queue of these lengths.
/// - Parameter size: at most the sum of the lengths.
package func evenShares(of size: Int, among lengths: [Int]) -> [Int] {
    var shares = [Int](repeating: 0, count: lengths.count)
    var left = size
    let waiting = longestFirst(lengths)
    // The shortest first: what one cannot give is then known before the longer ones share the rest, and of equal ones
    // the later are the last to take an odd sample.
    for (rank, queue) in waiting.enumerated().reversed() {
        shares[queue] = min(lengths[queue], left / (rank + 1))
        left -= shares[queue]
    }
    return shares
}

private func longestFirst(_ lengths: [Int]) -> [Int] {
    lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
}

/// `size` shared out among classes by how often they are mistaken: in proportion to N_k (1 - r_k), and no class more than
/// it has; what classes that are kept whole cannot give falls to the others by the same proportions. Whole numbers by
/// largest remainder, ties to the lower class (DRoP, Vysogorets et al., ICLR 2025).
/// - Parameters:
///   - size: where `limits` come to less, all that they allow is shared out.
///   - counts: N_k, [classes].
///   - limits: how many each class can give, [classes]; N_k unless its order never keeps some of them.
///   - recalls: r_k, [classes], in 0...1.
func recallShares(of size: Int, among counts: [Int], limits: [Int]? = nil, recalls: [Double]) -> [Int] {
    let limits = limits ?? counts
    let size = min(size, limits.reduce(0, +))
    var exact = [Double](repeating: 0, count: counts.count)
    var open = Array(counts.indices)
    var left = size
    while !open.isEmpty {
        let proportions = recallProportions(open.map { counts[$0] }, recalls: open.map { recalls[$0] })
        for (label, proportion) in zip(open, proportions) { exact[label] = Double(left) * proportion }
        let full = open.filter { exact[$0] > Double(limits[$0]) }
        if full.isEmpty { break }
        for label in full {
            exact[label] = Double(limits[label])
            left -= limits[label]
        }
        open.removeAll(where: full.contains)
    }
    var shares = exact.map { Int($0) }
    let byRemainder = counts.indices.sorted {
        (exact[$1] - Double(shares[$1]), $0) < (exact[$0] - Double(shares[$0]), $1)
    }
    var missing = size - shares.reduce(0, +)
    // One round places everything, rounding of the proportions apart.
    while missing > 0 {
        for label in byRemainder where missing > 0 && shares[label] < limits[label] {
            shares[label] += 1
            missing -= 1
        }
    }
    return shares
}

/// N_k (1 - r_k) / sum_j N_j (1 - r_j); N_k / sum_j N_j where all recalls are 1, and 0 where there is no sample.
func recallProportions(_ counts: [Int], recalls: [Double]) -> [Double] {
    var weights = zip(counts, recalls).map { Double($0) * (1 - $1) }
    if weights.allSatisfy({ $0 == 0 }) { weights = counts.map(Double.init) }
    let total = weights.reduce(0, +)
    return weights.map { total > 0 ? $0 / total : 0 }
}
