import Support

/// Which samples of a group are kept first.
package enum Order: Hashable, Sendable {
    /// All samples, in the order of the set.
    case all
    /// Those of the lowest scores: the closest, where the score is a distance.
    case easy
    /// Those of the highest scores.
    case hard
    /// Both ends of the scores, in the ratio `easy` : `hard`.
    case ends(easy: Int, hard: Int)
    /// A uniform draw.
    case random
    /// Those of the scores that are closest to their group's median.
    case middle
    /// A draw from `strata` ranges of score, without the hardest `cut` (a share) of each group.
    case stratified(cut: Double, strata: Int)
    /// A draw by score times a Beta density of the mean probability; `cD` is the exponent of the share dropped.
    case beta(cD: Double)

    /// What either part of a ratio may be.
    package static let shareRange = 0...1_000_000
    /// How many strata there may be.
    package static let strataRange = 1...1_000_000

    /// Whether samples are ranked by a score.
    package var needsScore: Bool {
        switch self {
        case .all, .random: false
        case .easy, .hard, .ends, .middle, .stratified, .beta: true
        }
    }

    /// Whether samples are drawn by the mean probability of their own class: ``SelectionInput/meanProbability``.
    package var needsMeanProbability: Bool {
        if case .beta = self { true } else { false }
    }

    /// Whether the order changes with the number of samples that are kept, so that a selection is not a prefix of a larger
    /// one. `stratified` does not: its turns between strata are the same whatever the size.
    package var dependsOnSize: Bool {
        if case .beta = self { true } else { false }
    }

    /// How many of a group's `count` members are left once those are cut that the order never keeps.
    package func remaining(of count: Int) -> Int {
        if case .stratified(let cut, _) = self { count - Int(Double(count) * cut) } else { count }
    }

    /// Whether both orders go by the same rule, whatever its numbers.
    func isLike(_ other: Order) -> Bool {
        switch (self, other) {
        case (.ends, .ends), (.stratified, .stratified), (.beta, .beta): true
        default: self == other
        }
    }

    /// Checks the order's numbers.
    /// - Throws: ``PruningError`` where they are out of range.
    package func check() throws(PruningError) {
        switch self {
        case .ends(let easy, let hard):
            if !Self.shareRange.contains(easy) || !Self.shareRange.contains(hard) || easy + hard == 0 {
                throw .hybridRatio(nClosest: easy, nFurthest: hard)
            }
        case .stratified(let cut, let strata):
            if !(0..<1).contains(cut) { throw .cutOutOfRange(cut: shortest(cut)) }
            if !Self.strataRange.contains(strata) { throw .strataOutOfRange(strata: strata) }
        case .beta(let cD):
            if !(cD > 0 && cD.isFinite) { throw .exponentOutOfRange(cD: shortest(cD)) }
        case .all, .easy, .hard, .random, .middle: break
        }
    }

    /// `members`, rising, in this order, the most wanted first, without those that are never kept. Ties in score go to the
    /// lower index.
    /// - Parameters:
    ///   - input: the scores and probabilities of the set; not looked at where the order needs none.
    ///   - share: how many members will be kept; looked at where the order depends on the size.
    ///   - random: drawn from by `random`, `stratified` and `beta`, as many numbers whatever the share.
    func rank(
        _ members: [Int], of input: SelectionInput, keeping share: Int, random: inout RandomStream
    ) -> [Int] {
        let scores = input.scores ?? []
        switch self {
        case .all: return members
        case .easy: return Self.rising(members, by: scores)
        case .hard: return Self.falling(members, by: scores)
        case .ends(let easy, let hard):
            return Self.fromBothEnds(
                low: Self.rising(members, by: scores), high: Self.falling(members, by: scores), easy: easy, hard: hard)
        case .random:
            var members = members
            random.shuffle(&members)
            return members
        case .middle: return Self.fromMedian(members, by: scores)
        case .stratified(let cut, let strata):
            return Self.stratified(members, by: scores, cut: cut, strata: strata, random: &random)
        case .beta(let cD):
            return Self.drawnByBeta(
                members, by: scores, input.meanProbability ?? [], cD: cD, keeping: share, random: &random)
        }
    }

    /// What the article's quota leaves of a group's `ranked` members, `left` at the most.
    /// - Parameter share: size / k.
    func articleShare(of ranked: [Int], by scores: [Float], share: Int, left: Int) -> [Int] {
        guard case .ends(let easy, let hard) = self else { return Array(ranked.prefix(min(left, max(1, share)))) }
        // The article lists the closest, then the furthest by rising distance, and the cut may fall in between.
        let rising = Self.rising(ranked, by: scores)
        let first = rising.prefix(easy)
        let last = rising.dropFirst(first.count).suffix(hard)
        let allowed = Set((first + last).prefix(left))
        return ranked.filter(allowed.contains)
    }

    private static func rising(_ members: [Int], by scores: [Float]) -> [Int] {
        members.sorted { (scores[$0], $0) < (scores[$1], $1) }
    }

    /// The members from the highest score down, ties to the lower index.
    static func falling(_ members: [Int], by scores: [Float]) -> [Int] {
        members.sorted { (scores[$1], $0) < (scores[$0], $1) }
    }

    /// Takes turns between the two ends so that the first q are the ceil(q * easy / (easy + hard)) lowest and, for the
    /// rest, the highest.
    /// - Parameters:
    ///   - low: the members from the lowest score up; the lower index wins a tie.
    ///   - high: the same members from the highest score down; the lower index wins a tie here too. Each end skips what the
    ///     other took.
    static func fromBothEnds(low: [Int], high: [Int], easy: Int, hard: Int) -> [Int] {
        var ends = (low: 0, high: 0)
        var taken: Set<Int> = []
        var ranked: [Int] = []
        let total = easy + hard
        var owed = 0
        for _ in low {
            // In units of 1 / total: the lowest that are due and not yet given.
            owed += easy
            if owed > 0 {
                owed -= total
                while taken.contains(low[ends.low]) { ends.low += 1 }
                ranked.append(low[ends.low])
            } else {
                while taken.contains(high[ends.high]) { ends.high += 1 }
                ranked.append(high[ends.high])
            }
            taken.insert(ranked[ranked.count - 1])
        }
        return ranked
    }
}
