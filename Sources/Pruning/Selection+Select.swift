import Support

extension Selection {
    /// Keeps `size` samples.
    ///
    /// Ties in score go to the lower index. The numbers drawn from `random` do not depend on the size, so that
    /// random selections of different sizes from one stream are prefixes of each other too.
    /// - Parameters:
    ///   - size: resolved against the set that `input` is of.
    ///   - random: drawn from by the order `random` alone.
    /// - Throws: ``PruningError`` where inputs are missing or do not fit together.
    package func select(
        _ size: SelectionSize, from input: SelectionInput, random: inout RandomStream
    ) throws(PruningError) -> KeptSamples {
        try check(input)
        var ranking = Ranking(selection: self, size: size.count, scores: input.scores ?? [], random: random)
        let ranked = ranking.rank(Array(0..<input.count), within: levels(input)[...])
        random = ranking.random
        return KeptSamples(Array(ranked.prefix(size.count)), requested: size, of: input)
    }

    /// The groups, the outermost first: members of an outer one are shared out among the inner.
    private func levels(_ input: SelectionInput) -> [Level] {
        var levels: [Level] = []
        if groups.needClasses || balance == .class, let classes = input.classes {
            levels.append(Level(labels: classes.labels.map(Int32.init), count: classes.count))
        }
        if groups.needClustering, let clustering = input.clustering {
            levels.append(Level(labels: clustering.labels, count: clustering.k))
        }
        return levels
    }

    private func check(_ input: SelectionInput) throws(PruningError) {
        let count = input.count
        if groups.needClustering && input.clustering == nil { throw .clusteringMissing }
        if quota == .article && balance == .class { throw .balancedArticleQuota }
        if groups.needClasses || balance == .class, input.classes == nil { throw .classesMissing }
        if case .ends(let easy, let hard) = order,
            !Order.shareRange.contains(easy) || !Order.shareRange.contains(hard) || easy + hard == 0
        {
            throw .hybridRatio(nClosest: easy, nFurthest: hard)
        }
        if let clustering = input.clustering {
            if clustering.k < 1 { throw .noClusters(k: clustering.k) }
            try Self.check(clustering.labels, "cluster", below: clustering.k, count: count)
            try Self.check(clustering.squaredDistances, Self.distance, count: count)
        }
        if let classes = input.classes { try Self.check(classes.labels, "class", below: classes.count, count: count) }
        if order.needsScore {
            guard let score, let scores = input.scores else { throw .scoresMissing(name: score ?? "") }
            try Self.check(scores, score, count: count)
        }
    }

    private static func check(_ scores: [Float], _ name: String, count: Int) throws(PruningError) {
        try checkCount(scores.count, "\(name)s", count)
        if let index = scores.firstIndex(where: \.isNaN) { throw .notANumber(what: name, index: index) }
    }

    private static func check<Label: BinaryInteger>(
        _ labels: [Label], _ what: String, below bound: Int, count: Int
    ) throws(PruningError) {
        try checkCount(labels.count, "\(what) labels", count)
        if let index = labels.firstIndex(where: { $0 < 0 || Int($0) >= bound }) {
            throw .labelOutOfRange(what: what, index: index, label: Int(labels[index]), bound: bound)
        }
    }

    private static func checkCount(_ got: Int, _ what: String, _ expected: Int) throws(PruningError) {
        if got != expected { throw .countMismatch(what: what, got: got, expected: expected) }
    }
}

/// A partition of the set.
private struct Level {
    /// The group of each sample, in 0..<count.
    let labels: [Int32]
    let count: Int

    /// `members` by group, each in the order in which they came.
    func split(_ members: [Int]) -> [[Int]] {
        var groups = [[Int]](repeating: [], count: count)
        for index in members { groups[Int(labels[index])].append(index) }
        return groups
    }
}

/// A selection at work.
private struct Ranking {
    let selection: Selection
    let size: Int
    let scores: [Float]
    var random: RandomStream

    /// `members` in rank order, without what the article's quota takes off.
    mutating func rank(_ members: [Int], within levels: ArraySlice<Level>) -> [Int] {
        guard let level = levels.first else {
            return selection.order.rank(members, by: scores, random: &random)
        }
        var ranked: [[Int]] = []
        for group in level.split(members) { ranked.append(rank(group, within: levels.dropFirst())) }
        let lengths = ranked.map(\.count)
        // Quotas are between the innermost groups.
        if selection.quota == .article && levels.count == 1 { ranked = cutAsTheArticle(ranked) }
        return interleave(ranked, longestFirst: lengths)
    }

    private func cutAsTheArticle(_ groups: [[Int]]) -> [[Int]] {
        var left = size
        return groups.map { ranked in
            let share = selection.order.articleShare(of: ranked, by: scores, share: size / groups.count, left: left)
            left -= share.count
            return share
        }
    }
}

/// The queues' elements in turns: each turn takes the next of every queue that has one, in the order of falling
/// `lengths`, ties to the lower index.
private func interleave(_ queues: [[Int]], longestFirst lengths: [Int]) -> [Int] {
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
