import Support

/// A partition of the set.
struct Level {
    /// The group of each sample, in 0..<count.
    let labels: [Int32]
    let count: Int
    /// Whether the groups are classes, not clusters.
    let isClasses: Bool
    /// The recall of each group, [count], where they share by it.
    let recalls: [Double]?

    /// `members` by group, each in the order in which they came.
    fileprivate func split(_ members: [Int]) -> [[Int]] {
        var groups = [[Int]](repeating: [], count: count)
        for index in members { groups[Int(labels[index])].append(index) }
        return groups
    }
}

/// A selection at work.
struct Ranking {
    let selection: Selection
    let size: Int
    let input: SelectionInput
    private(set) var random: RandomStream
    /// How many samples the order ranks: all but those that it never keeps.
    private(set) var rankedCount = 0
    private(set) var shortGroups: [ShortGroup] = []

    init(selection: Selection, size: Int, input: SelectionInput, random: RandomStream) {
        self.selection = selection
        self.size = size
        self.input = input
        self.random = random
    }

    /// `members` in rank order, without what quotas take off.
    /// - Parameters:
    ///   - share: how many of them will be kept.
    ///   - outer: the class that they are of, where classes are groups too.
    mutating func rank(
        _ members: [Int], within levels: ArraySlice<Level>, keeping share: Int, of outer: Int? = nil
    ) -> [Int] {
        guard let level = levels.first else {
            let ranked = selection.order.rank(members, of: input, keeping: share, random: &random)
            rankedCount += ranked.count
            return ranked
        }
        // Quotas are between the innermost groups.
        let isArticle = selection.quota == .article && levels.count == 1
        let groups = level.split(members)
        let counts = groups.map(\.count)
        let shares =
            isArticle
            ? articleShares(of: size, among: counts) : exactShares(groups, of: share, level, levels.dropFirst())
        if selection.quota == .exact {
            shortGroups += Pruning.shortGroups(
                counts, of: share, recalls: level.recalls, areClasses: level.isClasses, in: outer)
        }
        var ranked: [[Int]] = []
        for (label, group) in groups.enumerated() {
            ranked.append(
                rank(
                    group, within: levels.dropFirst(), keeping: shares[label], of: level.isClasses ? label : outer))
        }
        let lengths = ranked.map(\.count)
        if isArticle {
            ranked = cutAsTheArticle(ranked)
        } else if selection.order.dependsOnSize || level.recalls != nil {
            // Members beyond the share were ranked for another size, or are not this group's to give.
            ranked = zip(ranked, shares).map { Array($0.prefix($1)) }
        }
        return interleave(ranked, longestFirst: lengths)
    }

    private func exactShares(
        _ groups: [[Int]], of share: Int, _ level: Level, _ inner: ArraySlice<Level>
    ) -> [Int] {
        let counts = groups.map(\.count)
        guard let recalls = level.recalls else { return evenShares(of: share, among: counts) }
        return recallShares(of: share, among: counts, limits: groups.map { rankable($0, inner) }, recalls: recalls)
    }

    /// How many of `members` the order does not cut.
    private func rankable(_ members: [Int], _ levels: ArraySlice<Level>) -> Int {
        guard let level = levels.first else { return selection.order.remaining(of: members.count) }
        return level.split(members).reduce(0) { $0 + rankable($1, levels.dropFirst()) }
    }

    private func cutAsTheArticle(_ groups: [[Int]]) -> [[Int]] {
        var left = size
        let scores = input.scores ?? []
        return groups.map { ranked in
            let share = selection.order.articleShare(of: ranked, by: scores, share: size / groups.count, left: left)
            left -= share.count
            return share
        }
    }
}

/// The share of each group of `counts` members under the article's quota, for orders without a rule of their own.
func articleShares(of size: Int, among counts: [Int]) -> [Int] {
    var left = size
    return counts.map { count in
        let share = min(count, left, max(1, size / counts.count))
        left -= share
        return share
    }
}

/// The groups that have fewer members than their share. If everything is kept, no other group makes up for them, and there is
/// nothing to note.
/// - Parameters:
///   - counts: members of each group.
///   - share: the number of samples that the groups keep together.
///   - recalls: the recall of each group, if shares depend on it.
///   - areClasses: true if the groups are classes, false if they are clusters.
///   - outer: the class that the groups belong to, if classes are groups too.
func shortGroups(
    _ counts: [Int], of share: Int, recalls: [Double]?, areClasses: Bool, in outer: Int?
) -> [ShortGroup] {
    let filled = counts.count { $0 > 0 }
    guard filled > 0, share < counts.reduce(0, +) else { return [] }
    let due =
        recalls.map { recallProportions(counts, recalls: $0).map { Int(Double(share) * $0) } }
        ?? [Int](repeating: share / filled, count: counts.count)
    return counts.indices.filter { counts[$0] > 0 && counts[$0] < due[$0] }.map { label in
        ShortGroup(
            class: areClasses ? label : outer, cluster: areClasses ? nil : label, count: counts[label],
            share: due[label])
    }
}
