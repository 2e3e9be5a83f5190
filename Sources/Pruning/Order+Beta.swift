import Foundation
import Support

extension Order {
    /// The Beta sampling of DUAL (Cho et al., "Lightweight dataset pruning without full training via example difficulty and
    /// prediction uncertainty", arXiv 2502.06905): `members` drawn without replacement, each with the weight
    ///
    ///     score x density of Beta(a, b) at its mean probability,
    ///     b = 15 (1 - mu) (1 - r^cD),  a = 16 - b,
    ///
    /// where mu is the mean probability of the ten highest scores (ties to the lower index; of all where there are fewer)
    /// and r the share of the members that is dropped. The more is dropped, the easier are the samples that are kept. The
    /// order changes with `share`.
    ///
    /// Draws are by exponential keys (Efraimidis & Spirakis, "Weighted random sampling with a reservoir", 2006): the
    /// largest log(weight) - log(-log u) first, u uniform. That is the order of u^(1 / weight), and no weight is too small
    /// for it. The density's constant changes no order and is left out.
    ///
    /// Samples of weight 0, by their score or by a density of 0 at a probability of 0 or 1, come last, by index. Infinite
    /// scores come first, drawn by their density. Where b is below 1 the density has no bound at 1; there a probability of
    /// 1 counts as the largest float below.
    /// - Parameters:
    ///   - scores: at least 0.
    ///   - probabilities: the mean probability of each sample's own class, in 0...1.
    ///   - random: one number for each member, in the order of `members`.
    static func drawnByBeta(
        _ members: [Int], by scores: [Float], _ probabilities: [Float], cD: Double, keeping share: Int,
        random: inout RandomStream
    ) -> [Int] {
        let top = falling(members, by: scores).prefix(10).map { Double(probabilities[$0]) }
        if top.isEmpty { return members }
        let mu = top.reduce(0, +) / Double(top.count)
        let dropped = 1 - Double(share) / Double(members.count)
        let b = 15 * (1 - mu) * (1 - pow(dropped, cD))
        let draws = members.map { index -> Draw in
            let uniform = max(random.nextUnit(), 0x1p-54)
            let density = logDensity(Double(probabilities[index]), aLessOne: 15 - b, bLessOne: b - 1)
            let score = Double(scores[index])
            let isFirst = score == .infinity && density > -.infinity
            let logWeight = density + (score.isFinite ? log(score) : 0)
            return Draw(isFirst: isFirst, key: logWeight - log(-log(uniform)), index: index)
        }
        return draws.sorted().map(\.index)
    }

    /// log(p^(a - 1) (1 - p)^(b - 1)), the density of Beta(a, b) without its constant.
    private static func logDensity(_ probability: Double, aLessOne: Double, bLessOne: Double) -> Double {
        let p = bLessOne < 0 ? min(probability, 1 - 0x1p-24) : probability
        // A power of 0 is 1, of a base of 0 too.
        return (aLessOne == 0 ? 0 : aLessOne * log(p)) + (bLessOne == 0 ? 0 : bLessOne * log1p(-p))
    }

    private struct Draw: Comparable {
        let isFirst: Bool
        let key: Double
        let index: Int

        static func < (left: Draw, right: Draw) -> Bool {
            if left.isFirst != right.isFirst { return left.isFirst }
            return left.key == right.key ? left.index < right.index : left.key > right.key
        }
    }
}
