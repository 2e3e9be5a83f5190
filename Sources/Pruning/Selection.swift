/// Which samples of a set are kept, apart from how many: groups that share the size, a score and an order that rank the
/// samples of each, and a quota that says how much each gives.
///
/// Under the exact quota the whole set has one rank order, and a selection of `size` samples is its first `size`: a
/// prefix of any selection is the selection of a smaller size, remainders included. Groups take turns, largest first (ties
/// to the lower index), and each gives its next sample until it has none left. So all get equal shares, what a small
/// group cannot give falls evenly to the others, and the last, incomplete turn goes to the largest.
/// So ranking within classes keeps an equal share of each class, as balancing them does. Where classes are groups as well
/// as clusters, classes take turns in the same way, each with its part of every cluster.
///
/// Two selections are not prefixes of larger ones (``dependsOnSize``): the order `beta` draws otherwise for every size, and
/// shares by recall are rounded anew for every size.
///
/// The article's quota decides first what is kept, then puts it into the same rank order. Where every cluster can give
/// size / k and k divides size, both quotas keep the same samples in the same order.
package struct Selection: Hashable, Sendable {
    /// What samples are ranked within.
    package let groups: Groups
    /// The name of the score that samples are ranked by; nil where the order needs none.
    package let score: String?
    /// Which samples of a group go first.
    package let order: Order
    /// How many each group gives.
    package let quota: Quota
    /// What else is held equal.
    package let balance: Balance
    /// What a study or a command asked for by `keep` and `within`; nil where the article's words name the selection.
    package let asked: ScoreWords?
    /// Whether every epoch trains on other samples of the set, so that a run needs all of it. What is selected are then the
    /// first epoch's samples.
    package let resamples: Bool

    /// A selection. What it has no use for is left out, so that equal selections are equal: quotas are between groups, and
    /// the whole set is as balanced as it is.
    package init(
        groups: Groups = .none, score: String? = nil, order: Order, quota: Quota = .exact, balance: Balance = .none,
        asked: ScoreWords? = nil, resamples: Bool = false
    ) {
        self.groups = groups
        self.score = score
        self.order = order
        self.quota = groups == .none ? .exact : quota
        self.balance = order == .all ? .none : balance
        self.asked = asked
        self.resamples = resamples && order == .random && groups == .none
    }

    /// The same selection with its size shared out otherwise.
    package func sharing(_ quota: Quota, _ balance: Balance) -> Selection {
        Selection(
            groups: groups, score: score, order: order, quota: quota, balance: balance, asked: asked,
            resamples: resamples)
    }

    /// The same selection, drawn as often as `resample` says.
    package func drawn(_ resample: Resample) -> Selection {
        Selection(
            groups: groups, score: score, order: order, quota: quota, balance: balance, asked: asked,
            resamples: resample == .epoch)
    }

    /// Whether a selection may not be a prefix of a larger one.
    package var dependsOnSize: Bool { order.dependsOnSize || balance == .recall }
    /// Whether all samples are kept.
    package var isWhole: Bool { order == .all }
    /// Whether samples are drawn from the whole set, or in equal shares from its classes, without a look at them, once for a
    /// run: what other selections are compared with.
    package var isRandom: Bool { order == .random && groups == .none && balance != .recall && !resamples }
}

/// What samples are ranked within.
package enum Groups: String, CaseIterable, Sendable {
    /// The whole set.
    case none
    /// Each class; all give equal shares.
    case `class`
    /// Each cluster.
    case cluster
    /// Each class's part of each cluster; classes give equal shares, and so do the clusters of a class.
    case classCluster = "class-cluster"

    package var needClasses: Bool { self == .class || self == .classCluster }
    package var needClustering: Bool { self == .cluster || self == .classCluster }

    /// These groups, or each class's part of them.
    package func within(classes isWithin: Bool) -> Groups {
        switch self {
        case .none where isWithin: .class
        case .cluster where isWithin: .classCluster
        default: self
        }
    }
}

/// How many samples each group gives.
package enum Quota: String, CaseIterable, Codable, Sendable {
    /// The kept size is the requested size: equal shares, and what small groups cannot give is shared out evenly
    /// among the others until it is placed.
    case exact
    /// What the article did: max(1, size / k) a cluster (hybrid: n_closest + n_furthest), nothing refilled, the list cut
    /// at `size` in cluster order, so that fewer may be kept than were requested.
    case article
}

/// How often random samples are drawn.
package enum Resample: String, CaseIterable, Sendable {
    /// Once for a run.
    case none
    /// For every epoch (RS2, Okanovic et al., ICLR 2024).
    case epoch
}

/// What else is held equal.
package enum Balance: String, CaseIterable, Codable, Sendable {
    /// Nothing: classes come as the groups give them.
    case none
    /// Classes: each gives an equal share of the size, by the same rule by which groups share it.
    case `class`
    /// Classes by how hard they are (DRoP, Vysogorets et al., ICLR 2025): of N_k samples with a recall r_k on a validation
    /// split, class k gives N_k (1 - r_k) / sum_j N_j (1 - r_j) of the size, and N_k at the most; what classes that are kept
    /// whole cannot give falls to the others by the same proportions. Where these are all 0, as all recalls are 1, N_k
    /// takes the place of N_k (1 - r_k).
    case recall

    /// The balances that need no validation split.
    package static let withoutValidation: [Balance] = [.none, .class]
}
