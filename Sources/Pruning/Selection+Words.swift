/// The words for selections in studies, records, tables and on the command line: the article's, and names for people.
/// This is the one place where words and selections are mapped onto each other, both ways.
extension Selection {
    /// The score of ``closest``, ``furthest`` and ``hybrid(closest:furthest:)``.
    package static let distance = "distance"

    /// The whole set.
    package static let whole = Selection(order: .all)
    /// A uniform draw from the whole set.
    package static let random = Selection(order: .random)
    /// Those closest to their cluster's centroid.
    package static let closest = Selection(groups: .cluster, score: distance, order: .easy)
    /// Those furthest from their cluster's centroid.
    package static let furthest = Selection(groups: .cluster, score: distance, order: .hard)
    /// A uniform draw from each cluster.
    package static let randomInCluster = Selection(groups: .cluster, order: .random)
    /// Both ends of each cluster's distances, in the ratio `closest` : `furthest`.
    package static func hybrid(closest: Int = 1, furthest: Int = 1) -> Selection {
        Selection(groups: .cluster, score: distance, order: .ends(easy: closest, hard: furthest))
    }

    private struct Named {
        /// `pruning_method`.
        let method: String
        /// `selection_strategy`, where the method has several.
        let strategy: String?
        /// What people call it.
        let name: String
        let selection: Selection
    }

    private static let named = [
        Named(method: "none", strategy: nil, name: "whole set", selection: .whole),
        Named(method: "random", strategy: nil, name: "random", selection: .random),
        Named(method: "cluster", strategy: "closest", name: "closest", selection: .closest),
        Named(method: "cluster", strategy: "furthest", name: "furthest", selection: .furthest),
        Named(method: "cluster", strategy: "random", name: "random in cluster", selection: .randomInCluster),
        Named(method: "cluster", strategy: "hybrid", name: "hybrid", selection: .hybrid()),
    ]

    private var named: Named? {
        asked != nil
            ? nil
            : Self.named.first {
                $0.selection.groups == groups && $0.selection.score == score && $0.selection.order.isLike(order)
            }
    }

    // MARK: - From words

    /// The words for `pruning_method`.
    package static let methods = named.map(\.method).reduce(into: [String]()) { methods, method in
        if !methods.contains(method) { methods.append(method) }
    }
    /// The method whose selections are within clusters, by one of ``strategies``.
    package static let clusterMethod = "cluster"
    /// The method whose selections are by a score, or a greedy order, of any kind.
    package static let scoreMethod = "score"
    /// The words for `selection_strategies`, each for one selection within clusters.
    package static let strategies = named.compactMap(\.strategy)
    /// The words for `select --strategy`.
    package enum Strategy: String, CaseIterable, Sendable {
        case none, random, closest, furthest, hybrid
    }

    /// The selection of a study's words; nil where they name none.
    package init?(method: String, strategy: String? = nil, nClosest: Int = 1, nFurthest: Int = 1) {
        guard let found = Self.named.first(where: { $0.method == method && $0.strategy == strategy }) else {
            return nil
        }
        if case .ends = found.selection.order {
            self = .hybrid(closest: nClosest, furthest: nFurthest)
        } else {
            self = found.selection
        }
    }

    /// The selection of a strategy; `random` is within clusters where there are some.
    package init(_ strategy: Strategy, isClustered: Bool, nClosest: Int, nFurthest: Int) {
        switch strategy {
        case .none: self = .whole
        case .random: self = isClustered ? .randomInCluster : .random
        case .closest: self = .closest
        case .furthest: self = .furthest
        case .hybrid: self = .hybrid(closest: nClosest, furthest: nFurthest)
        }
    }

    // MARK: - Into words

    /// The columns that describe a selection, as tables and studies name them.
    package enum Column: String, CaseIterable, Sendable {
        case method = "pruning_method"
        case strategy = "selection_strategy"
        case nClosest = "n_closest"
        case nFurthest = "n_furthest"
        case quota
        case balance
    }

    /// The word of a column; nil where the selection has no use for it.
    package func word(_ column: Column) -> String? {
        switch column {
        case .method: asked == nil ? named?.method : Self.scoreMethod
        case .strategy:
            if resamples {
                "resample \(Resample.epoch.rawValue)"
            } else {
                asked.map { words in ([score ?? ""] + words.other).joined(separator: " ") } ?? named?.strategy
            }
        case .nClosest: shares.map { "\($0.easy)" }
        case .nFurthest: shares.map { "\($0.hard)" }
        case .quota: groups == .none ? nil : quota.rawValue
        case .balance: isWhole ? nil : balance.rawValue
        }
    }

    /// What kind of selection it is, in words for people: the same for hybrids of every ratio.
    package var kind: String {
        let name = named?.name ?? word(.strategy) ?? ""
        return resamples ? "\(name), resampled every epoch" : name
    }

    /// What is kept, in words for people; without quota and balance.
    package var name: String { kind + (shares.map { " \($0.easy):\($0.hard)" } ?? "") }

    private var shares: (easy: Int, hard: Int)? {
        if case .ends(let easy, let hard) = order { (easy, hard) } else { nil }
    }
}

/// Which samples a selection by a score keeps, as studies and commands ask for it.
package enum Keep: String, CaseIterable, Sendable {
    /// Those that the score's paper keeps.
    case paper
    /// The hard ones: of the highest scores, or the lowest where high means easy.
    case hard
    /// The easy ones.
    case easy
    /// Those around the median of their group.
    case middle
    /// The easy and the hard ones, in the ratio `n_closest` : `n_furthest`.
    case ends
    /// A uniform draw from each group.
    case random
    /// Some of every difficulty, but for the hardest (Zheng et al., ICLR 2023).
    case stratified
    /// A draw that prefers easier samples the fewer are kept (Cho et al., 2025).
    case beta
}

/// The words that a selection by a score was asked for by.
package struct ScoreWords: Hashable, Sendable {
    /// Which samples go first.
    package let keep: Keep
    /// What they are ranked within; nil for what the paper does.
    package let within: Groups?

    /// These words.
    package init(keep: Keep = .paper, within: Groups? = nil) {
        self.keep = keep
        self.within = within
    }

    /// What is not as the paper does it, in words.
    fileprivate var other: [String] {
        (keep == .paper ? [] : [keep.rawValue]) + (within.map { ["within \($0.rawValue)"] } ?? [])
    }
}
