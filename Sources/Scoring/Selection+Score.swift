import Pruning

/// The numbers that orders over scores take.
package struct OrderNumbers: Hashable, Sendable {
    /// `n_closest`: the easy part of `ends`.
    package var easy = 1
    /// `n_furthest`: the hard part of `ends`.
    package var hard = 1
    /// `beta`: the share of the hardest that `stratified` cuts off.
    package var cut = 0.0
    /// `strata`: how many `stratified` makes.
    package var strata = 50
    /// `c_d`: the exponent of the sampling by `beta`.
    package var cD = 4.0

    /// The papers' numbers.
    package init() {}
}

extension Selection {
    /// Whether `name` means a file of scores.
    package static func isScoreFile(_ name: String) -> Bool { name.hasSuffix(".npy") }

    /// What `words` come to for a score: `paper` is what its paper keeps, and of a file the highest scores, over the whole
    /// set.
    /// - Parameter score: the name of a ``Score``, or a file's.
    /// - Throws: ``ScoringError/unknown(name:)``; ``ScoringError/badParameter(name:value:accepted:)`` where the order does
    ///   not go with the score.
    package init(score name: String, asked words: ScoreWords, numbers: OrderNumbers) throws(ScoringError) {
        let score = Self.isScoreFile(name) ? nil : try Score.named(name)
        let paper = score?.paper ?? PapersChoice()
        if score?.isOrder == true, words.keep != .paper {
            throw .badParameter(
                name: "keep", value: words.keep.rawValue,
                accepted: "\(name) is a greedy order, which is kept as it is: paper is accepted")
        }
        func isDrawn(_ score: Score) -> Bool { score.needs.contains(.dynamics) && !score.isOrder && score.isHighHard }
        if words.keep == .beta, score.map(isDrawn) != true {
            throw .badParameter(
                name: "keep", value: words.keep.rawValue,
                accepted:
                    "it draws by a score whose high end is hard and by the recorded probability of the sample's class: "
                    + Score.all.filter(isDrawn).map(\.name).joined(separator: ", ") + " have both")
        }
        let order: Order =
            switch words.keep {
            case .paper: numbers.filling(paper.order)
            case .hard: .hard
            case .easy: .easy
            case .middle: .middle
            case .ends: .ends(easy: numbers.easy, hard: numbers.hard)
            case .random: .random
            case .stratified: .stratified(cut: numbers.cut, strata: numbers.strata)
            case .beta: .beta(cD: numbers.cD)
            }
        self.init(groups: words.within ?? paper.groups, score: name, order: order, asked: words)
    }
}

extension OrderNumbers {
    /// A paper's order with these numbers.
    fileprivate func filling(_ order: Order) -> Order {
        if case .beta = order { .beta(cD: cD) } else { order }
    }
}
