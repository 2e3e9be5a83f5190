/// Which samples a selection keeps.
package enum Strategy: Hashable, Sendable {
    /// The whole set.
    case none
    /// A uniform draw from the whole set.
    case random
    /// Those closest to their cluster's centroid: the smallest squared distances.
    case closest
    /// Those furthest from their cluster's centroid: the largest squared distances.
    case furthest
    /// A uniform draw from each cluster.
    case randomInCluster
    /// Both ends of each cluster's distances, in the ratio `nClosest` : `nFurthest`.
    case hybrid(nClosest: Int, nFurthest: Int)

    /// Whether the strategy needs a clustering.
    package var needsClustering: Bool {
        switch self {
        case .none, .random: false
        case .closest, .furthest, .randomInCluster, .hybrid: true
        }
    }
}

/// How many samples each cluster gives.
package enum Quota: String, CaseIterable, Codable, Sendable {
    /// The kept size is the requested size: equal shares, and what small clusters cannot give is shared out evenly
    /// among the others until it is placed.
    case exact
    /// What the article did: max(1, size / k) a cluster (hybrid: n_closest + n_furthest), nothing refilled, the list cut
    /// at `size` in cluster order, so that fewer may be kept than were requested.
    case article
}

/// What else is held equal.
package enum Balance: String, CaseIterable, Codable, Sendable {
    /// Nothing: classes come as the clusters give them.
    case none
    /// Classes: each gives an equal share of the size, by the same rule by which clusters share it.
    case `class`
}
