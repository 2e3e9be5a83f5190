import Support

extension Selection {
    /// Keeps `size` samples.
    ///
    /// Ties in score go to the lower index. The numbers drawn from `random` do not depend on the size, so that
    /// random selections of different sizes from one stream are prefixes of each other too.
    /// - Parameters:
    ///   - size: resolved against the set that `input` is of.
    ///   - random: drawn from by the orders `random`, `stratified` and `beta` alone.
    /// - Throws: ``PruningError`` where inputs are missing or do not fit together.
    package func select(
        _ size: SelectionSize, from input: SelectionInput, random: inout RandomStream
    ) throws(PruningError) -> KeptSamples {
        let (ranked, ranking) = try rank(size, of: input, random: &random)
        // The article's quota keeps fewer where clusters are small; what the order cuts is no reason to.
        let left = quota == .exact ? ranked.count : ranking.rankedCount
        if case .stratified(let cut, _) = order, left < size.count {
            throw .cutBelowSize(cut: shortest(cut), left: left, size: size.count)
        }
        return KeptSamples(
            Array(ranked.prefix(size.count)), requested: size, of: input, shortGroups: ranking.shortGroups)
    }

    /// Keeps what a budget pays for, in rank order: a sample that costs more than what is left is passed over.
    /// - Returns: what is kept, as if its number had been asked for; what it costs; and how far down the rank order the last
    ///   of it is: whatever comes after these, in any order, does not fit.
    /// - Throws: ``PruningError`` as ``select(_:from:random:)`` does, where the order changes with the size, and where no
    ///   sample fits.
    package func select(
        within budget: Budget, from input: SelectionInput, random: inout RandomStream
    ) throws(PruningError) -> (kept: KeptSamples, used: Amount, reach: Int) {
        try Self.checkCount(budget.costs.count, "costs", input.count)
        if dependsOnSize || quota == .article { throw .budgetOfChangingOrder }
        let (ranked, _) = try rank(RequestedSize.whole.resolved(of: input.count), of: input, random: &random)
        let (indices, used) = budget.fill(ranked)
        guard let last = indices.last, let place = ranked.lastIndex(of: last) else {
            let least = ranked.map { budget.costs[$0] }.min() ?? Amount()
            throw .nothingFits(budget: budget.limit.description, least: least.description)
        }
        let size = try RequestedSize.count(indices.count).resolved(of: input.count)
        return (KeptSamples(indices, requested: size, of: input, shortGroups: []), used, place + 1)
    }

    /// All samples that may be kept, in the rank order that `size` gives, and the ranking that made it.
    private func rank(
        _ size: SelectionSize, of input: SelectionInput, random: inout RandomStream
    ) throws(PruningError) -> ([Int], Ranking) {
        try check(input)
        var ranking = Ranking(selection: self, size: size.count, input: input, random: random)
        let ranked = ranking.rank(Array(0..<input.count), within: levels(input)[...], keeping: size.count)
        random = ranking.random
        return (ranked, ranking)
    }

    /// The groups, the outermost first: members of an outer one are shared out among the inner.
    private func levels(_ input: SelectionInput) -> [Level] {
        var levels: [Level] = []
        if groups.needClasses || balance != .none, let classes = input.classes {
            let recalls = balance == .recall ? input.recalls : nil
            levels.append(
                Level(labels: classes.labels.map(Int32.init), count: classes.count, isClasses: true, recalls: recalls))
        }
        if groups.needClustering, let clustering = input.clustering {
            levels.append(Level(labels: clustering.labels, count: clustering.k, isClasses: false, recalls: nil))
        }
        return levels
    }

    private func check(_ input: SelectionInput) throws(PruningError) {
        try checkGroups(input)
        if order.needsScore {
            guard let score, let scores = input.scores else { throw .scoresMissing(name: score ?? "") }
            try Self.check(scores, score, count: input.count)
            if order.needsMeanProbability { try Self.checkWeights(input, scores, name: score) }
        }
    }

    /// Everything but scores.
    func checkGroups(_ input: SelectionInput) throws(PruningError) {
        let count = input.count
        if groups.needClustering && input.clustering == nil { throw .clusteringMissing }
        if quota == .article && balance != .none { throw .balancedArticleQuota(balance) }
        if balance != .none, input.classes == nil { throw .classesMissing(for: "balance \(balance.rawValue)") }
        if groups.needClasses, input.classes == nil { throw .classesMissing(for: "within \(groups.rawValue)") }
        try order.check()
        if let clustering = input.clustering {
            if clustering.k < 1 { throw .noClusters(k: clustering.k) }
            try Self.check(clustering.labels, "cluster", below: clustering.k, count: count)
            try Self.check(clustering.squaredDistances, Self.distance, count: count)
        }
        if let classes = input.classes {
            try Self.check(classes.labels, "class", below: classes.count, count: count)
            if balance == .recall { try Self.check(recalls: input.recalls, classes: classes.count) }
        }
    }

    private static func check(recalls: [Double]?, classes: Int) throws(PruningError) {
        guard let recalls else { throw .recallsMissing }
        if recalls.count != classes { throw .recallCount(got: recalls.count, classes: classes) }
        if let label = recalls.firstIndex(where: { !(0...1).contains($0) }) { throw .recallOutOfRange(class: label) }
    }

    private static func checkWeights(
        _ input: SelectionInput, _ scores: [Float], name: String
    ) throws(PruningError) {
        guard let probabilities = input.meanProbability else { throw .probabilitiesMissing }
        try checkCount(probabilities.count, "mean probabilities", input.count)
        if let index = probabilities.firstIndex(where: { !(0...1).contains($0) }) {
            throw .probabilityOutOfRange(index: index)
        }
        if let index = scores.firstIndex(where: { $0 < 0 }) { throw .negativeScore(name: name, index: index) }
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
