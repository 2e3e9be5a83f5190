import Support

/// What to keep of a set: a strategy, a size, and how the size is shared out.
///
/// Under the exact quota the whole set has one rank order, and a selection of `size` samples is its first `size`: a
/// prefix of any selection is the selection of a smaller size, remainders included. Clusters take turns, largest first (ties
/// to the lower index), and each gives its next sample until it has none left. So all get equal shares, what a small
/// cluster cannot give falls evenly to the others, and the last, incomplete turn goes to the largest.
/// With `balance: class` classes take turns in the same way, and within a class its part of each cluster.
///
/// The article's quota decides first what is kept, then puts it into the same rank order. Where every cluster can give
/// size / k and k divides size, both quotas keep the same samples in the same order.
package struct SelectionRequest: Sendable {
    /// Which samples are kept.
    package var strategy: Strategy
    /// How many are asked for. `none` takes no notice of it.
    package var size: Int
    /// How many each cluster gives.
    package var quota: Quota
    /// What else is held equal.
    package var balance: Balance

    /// Keeps `size` samples by `strategy`.
    package init(strategy: Strategy, size: Int, quota: Quota = .exact, balance: Balance = .none) {
        self.strategy = strategy
        self.size = size
        self.quota = quota
        self.balance = balance
    }

    /// Selects from `count` samples.
    ///
    /// Ties in distance go to the lower index. The numbers drawn from `random` do not depend on the size, so that
    /// random selections of different sizes from one stream are prefixes of each other too.
    /// - Parameters:
    ///   - count: how many samples the set has.
    ///   - assignment: the clustering; needed by all strategies but `none` and `random`, counted where it is given.
    ///   - classes: the samples' classes; needed by `balance: class`, counted where they are given.
    ///   - random: drawn from by `random` and `randomInCluster` alone.
    /// - Throws: ``PruningError`` where inputs do not fit together or the size is not in 1...count.
    package func select(
        count: Int, assignment: ClusterAssignment? = nil, classes: ClassLabels? = nil, random: inout RandomStream
    ) throws(PruningError) -> Selection {
        try validate(count: count, assignment: assignment, classes: classes)
        let indices: [Int] =
            switch strategy {
            case .none: Array(0..<count)
            case .random:
                Array(interleave(split(0..<count, by: balanced(classes)).map { shuffled($0, &random) }).prefix(size))
            case .closest, .furthest, .randomInCluster, .hybrid:
                if let assignment {
                    selectFromClusters(assignment, classes: balanced(classes), random: &random)
                } else {
                    throw .clusteringMissing
                }
            }
        return Selection(
            indices: indices, requested: strategy == .none ? count : size,
            perCluster: assignment.map { tally(indices, $0.labels, $0.k) } ?? [],
            perClass: classes.map { tally(indices, $0.labels, $0.count) } ?? [])
    }

    private func selectFromClusters(
        _ assignment: ClusterAssignment, classes: ClassLabels?, random: inout RandomStream
    ) -> [Int] {
        var ofClasses: [[Int]] = []
        for members in split(0..<assignment.labels.count, by: classes) {
            var ranked: [[Int]] = []
            for cluster in group(members, assignment.labels, assignment.k) {
                ranked.append(rank(cluster, by: assignment.squaredDistances, random: &random))
            }
            let shares = quota == .article ? cutAsTheArticle(ranked, by: assignment.squaredDistances) : ranked
            ofClasses.append(interleave(shares, longestFirst: ranked.map(\.count)))
        }
        return Array(interleave(ofClasses).prefix(size))
    }

    /// A cluster's members, the most wanted first.
    private func rank(_ members: [Int], by distances: [Float], random: inout RandomStream) -> [Int] {
        switch strategy {
        case .none, .random: members
        case .randomInCluster: shuffled(members, &random)
        case .closest: members.sorted { (distances[$0], $0) < (distances[$1], $1) }
        case .furthest: members.sorted { (distances[$1], $0) < (distances[$0], $1) }
        case .hybrid(let nClosest, let nFurthest):
            fromBothEnds(members, by: distances, nClosest: nClosest, nFurthest: nFurthest)
        }
    }

    /// Takes turns between the two ends so that the first q are the ceil(q * nClosest / (nClosest + nFurthest)) closest
    /// and, for the rest, the furthest.
    private func fromBothEnds(_ members: [Int], by distances: [Float], nClosest: Int, nFurthest: Int) -> [Int] {
        // Two orders, because at either end ties go to the lower index; what one end took the other skips.
        let near = members.sorted { (distances[$0], $0) < (distances[$1], $1) }
        let far = members.sorted { (distances[$1], $0) < (distances[$0], $1) }
        var ends = (near: 0, far: 0)
        var taken: Set<Int> = []
        var ranked: [Int] = []
        let total = nClosest + nFurthest
        var owed = 0
        for _ in members {
            // In units of 1 / total: the closest that are due and not yet given.
            owed += nClosest
            if owed > 0 {
                owed -= total
                while taken.contains(near[ends.near]) { ends.near += 1 }
                ranked.append(near[ends.near])
            } else {
                while taken.contains(far[ends.far]) { ends.far += 1 }
                ranked.append(far[ends.far])
            }
            taken.insert(ranked[ranked.count - 1])
        }
        return ranked
    }

    /// What the article's quota leaves of each cluster's ranked members.
    private func cutAsTheArticle(_ clusters: [[Int]], by distances: [Float]) -> [[Int]] {
        var left = size
        var kept: [[Int]] = []
        for ranked in clusters {
            var share: [Int]
            if case .hybrid(let nClosest, let nFurthest) = strategy {
                // The article lists the closest, then the furthest by rising distance, and the cut may fall in between.
                let rising = ranked.sorted { (distances[$0], $0) < (distances[$1], $1) }
                let closest = rising.prefix(nClosest)
                let furthest = rising.dropFirst(closest.count).suffix(nFurthest)
                let allowed = Set((closest + furthest).prefix(left))
                share = ranked.filter(allowed.contains)
            } else {
                share = Array(ranked.prefix(min(left, max(1, size / clusters.count))))
            }
            left -= share.count
            kept.append(share)
        }
        return kept
    }

    private func balanced(_ classes: ClassLabels?) -> ClassLabels? { balance == .class ? classes : nil }
}

// MARK: - Turns

/// The queues' elements in turns: each turn takes the next of every queue that has one, in the order of falling
/// `lengths` (by default the queues' own), ties to the lower index.
private func interleave(_ queues: [[Int]], longestFirst lengths: [Int]? = nil) -> [Int] {
    let lengths = lengths ?? queues.map(\.count)
    var waiting = queues.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
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

private func group<Label: BinaryInteger>(_ members: [Int], _ labels: [Label], _ count: Int) -> [[Int]] {
    var groups = [[Int]](repeating: [], count: count)
    for index in members { groups[Int(labels[index])].append(index) }
    return groups
}

private func split(_ all: Range<Int>, by classes: ClassLabels?) -> [[Int]] {
    guard let classes else { return [Array(all)] }
    return group(Array(all), classes.labels, classes.count)
}

private func shuffled(_ members: [Int], _ random: inout RandomStream) -> [Int] {
    var members = members
    random.shuffle(&members)
    return members
}

private func tally<Label: BinaryInteger>(_ indices: [Int], _ labels: [Label], _ count: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: count)
    for index in indices { counts[Int(labels[index])] += 1 }
    return counts
}

// MARK: - Checks

extension SelectionRequest {
    /// What either part of a hybrid's ratio may be.
    static let hybridRange = 0...1_000_000

    private func validate(count: Int, assignment: ClusterAssignment?, classes: ClassLabels?) throws(PruningError) {
        if strategy != .none && !(1...max(count, 1)).contains(size) || count < 1 {
            throw .sizeOutOfRange(size: size, count: count)
        }
        if strategy.needsClustering {
            if assignment == nil { throw .clusteringMissing }
            if quota == .article && balance == .class { throw .balancedArticleQuota }
        }
        if balance == .class && strategy != .none && classes == nil { throw .classesMissing }
        if case .hybrid(let nClosest, let nFurthest) = strategy,
            !Self.hybridRange.contains(nClosest) || !Self.hybridRange.contains(nFurthest) || nClosest + nFurthest == 0
        {
            throw .hybridRatio(nClosest: nClosest, nFurthest: nFurthest)
        }
        if let assignment {
            if assignment.k < 1 { throw .noClusters(k: assignment.k) }
            try check(assignment.labels, "cluster", below: assignment.k, count: count)
            try checkCount(assignment.squaredDistances.count, "distances", count)
            if let index = assignment.squaredDistances.firstIndex(where: \.isNaN) { throw .notANumber(index: index) }
        }
        if let classes { try check(classes.labels, "class", below: classes.count, count: count) }
    }

    private func check<Label: BinaryInteger>(
        _ labels: [Label], _ what: String, below bound: Int, count: Int
    ) throws(PruningError) {
        try checkCount(labels.count, "\(what) labels", count)
        if let index = labels.firstIndex(where: { $0 < 0 || Int($0) >= bound }) {
            throw .labelOutOfRange(what: what, index: index, label: Int(labels[index]), bound: bound)
        }
    }

    private func checkCount(_ got: Int, _ what: String, _ expected: Int) throws(PruningError) {
        if got != expected { throw .countMismatch(what: what, got: got, expected: expected) }
    }
}
