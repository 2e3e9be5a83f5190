import Support

extension Order {
    /// Coverage-centric coreset selection (CCS; Zheng et al., "Coverage-centric coreset selection for high pruning rates",
    /// ICLR 2023, Algorithm 1): without the hardest floor(cut * members), `members` are split into `strata` ranges of
    /// score of equal width. Of m samples to keep, the smallest of the s strata that are left gives min(its members,
    /// floor(m / s)), drawn at random, and so on with what then is left of m.
    ///
    /// That rule is the same as to let strata take turns, the largest first (ties to the higher stratum). So the result
    /// is one rank order for all sizes, without the members that are cut.
    ///
    /// High scores are hard. Strata span the finite scores; infinite ones are in the last stratum, negative infinite ones
    /// in the first. Equal scores are all in one stratum.
    /// - Parameter random: drawn from stratum by stratum, whatever the size.
    static func stratified(
        _ members: [Int], by scores: [Float], cut: Double, strata: Int, random: inout RandomStream
    ) -> [Int] {
        let hardest = Set(
            falling(members, by: scores).prefix(
                members.count - Order.stratified(cut: cut, strata: strata).remaining(of: members.count)))
        let rest = members.filter { !hardest.contains($0) }
        let finite = rest.lazy.map { Double(scores[$0]) }.filter(\.isFinite)
        let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
        func stratum(_ index: Int) -> Int {
            let score = Double(scores[index])
            if score == .infinity { return strata - 1 }
            if score <= low { return 0 }
            // Multiplied first, so that a score on the border of two strata is not rounded to below it.
            return min(strata - 1, Int((score - low) * Double(strata) / (high - low)))
        }
        var drawn = Dictionary(grouping: rest, by: stratum).sorted { $0.key > $1.key }.map(\.value)
        for position in drawn.indices { random.shuffle(&drawn[position]) }
        return interleave(drawn, longestFirst: drawn.map(\.count))
    }
}
