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

    /// What either part of a ratio may be.
    package static let shareRange = 0...1_000_000

    /// Whether samples are ranked by a score.
    package var needsScore: Bool {
        switch self {
        case .all, .random: false
        case .easy, .hard, .ends: true
        }
    }

    /// Whether both orders go by the same rule, whatever its numbers.
    func isLike(_ other: Order) -> Bool {
        if case .ends = self, case .ends = other { true } else { self == other }
    }

    /// `members`, rising, in this order, the most wanted first. Ties in score go to the lower index.
    /// - Parameters:
    ///   - scores: the score of each sample of the set; not looked at where the order needs none.
    ///   - random: drawn from by `random` alone.
    func rank(_ members: [Int], by scores: [Float], random: inout RandomStream) -> [Int] {
        switch self {
        case .all: return members
        case .easy: return Self.rising(members, by: scores)
        case .hard: return members.sorted { (scores[$1], $0) < (scores[$0], $1) }
        case .ends(let easy, let hard): return Self.fromBothEnds(members, by: scores, easy: easy, hard: hard)
        case .random:
            var members = members
            random.shuffle(&members)
            return members
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

    /// Takes turns between the two ends so that the first q are the ceil(q * easy / (easy + hard)) lowest and, for the
    /// rest, the highest.
    private static func fromBothEnds(_ members: [Int], by scores: [Float], easy: Int, hard: Int) -> [Int] {
        // Two orders, because at either end ties go to the lower index; what one end took the other skips.
        let low = rising(members, by: scores)
        let high = members.sorted { (scores[$1], $0) < (scores[$0], $1) }
        var ends = (low: 0, high: 0)
        var taken: Set<Int> = []
        var ranked: [Int] = []
        let total = easy + hard
        var owed = 0
        for _ in members {
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
