import Support

/// Where a clustering put each sample.
package struct ClusterAssignment: Sendable {
    /// The cluster of each sample, in 0..<k.
    package let labels: [Int32]
    /// The squared distance of each sample to its cluster's centroid.
    package let squaredDistances: [Float]
    /// The number of clusters, empty ones included.
    package let k: Int

    /// Checks nothing yet: ``SelectionRequest/select(count:assignment:classes:random:)`` does.
    package init(labels: [Int32], squaredDistances: [Float], k: Int) {
        self.labels = labels
        self.squaredDistances = squaredDistances
        self.k = k
    }
}

/// The class of each sample.
package struct ClassLabels: Sendable {
    /// The class of each sample, in 0..<count.
    package let labels: [UInt8]
    /// The number of classes, empty ones included.
    package let count: Int

    /// Labels in 0..<count.
    package init(labels: [UInt8], count: Int) {
        self.labels = labels
        self.count = count
    }
}

/// What a strategy kept.
package struct Selection: Equatable, Sendable {
    /// The kept samples in rank order: the most wanted first, none twice.
    package let indices: [Int]
    /// The size that was asked for.
    package let requested: Int
    /// How many were kept of each cluster; empty where no clustering was given.
    package let perCluster: [Int]
    /// How many were kept of each class; empty where no classes were given.
    package let perClass: [Int]

    /// The size that was kept: `requested` under the exact quota, `requested` or less under the article's.
    package var kept: Int { indices.count }
}

/// Why a selection cannot be made. Each description is one sentence that says what was wrong and what is accepted.
package enum PruningError: Equatable, CategorizedError {
    /// The size is below 1 or above the set.
    case sizeOutOfRange(size: Int, count: Int)
    /// The strategy ranks samples within clusters and no clustering was given.
    case clusteringMissing
    /// `balance: class` was asked for without class labels.
    case classesMissing
    /// `balance: class` does not go with the article's quota.
    case balancedArticleQuota
    /// Hybrid's two numbers are negative or both zero.
    case hybridRatio(nClosest: Int, nFurthest: Int)
    /// An input does not have one value a sample.
    case countMismatch(what: String, got: Int, expected: Int)
    /// A label lies outside its range.
    case labelOutOfRange(what: String, index: Int, label: Int, bound: Int)
    /// A distance is not a number.
    case notANumber(index: Int)
    /// A clustering with no cluster.
    case noClusters(k: Int)

    package var description: String {
        switch self {
        case .sizeOutOfRange(let size, let count):
            "size \(size) is out of range: the set has \(count) samples, so sizes from 1 to \(count) are accepted"
        case .clusteringMissing: "this strategy ranks samples within clusters, so it needs a clustering (give k)"
        case .classesMissing: "balance class needs the class of every sample, and this input has none"
        case .balancedArticleQuota: "balance class does not go with quota article; use quota exact"
        case .hybridRatio(let nClosest, let nFurthest):
            "hybrid cannot take \(nClosest) closest to \(nFurthest) furthest: both must be from 0 to \(SelectionRequest.hybridRange.upperBound), and one above 0"
        case .countMismatch(let what, let got, let expected):
            "there are \(got) \(what) for \(expected) samples; one for each is needed"
        case .labelOutOfRange(let what, let index, let label, let bound):
            "the \(what) of sample \(index) is \(label), outside 0 to \(bound - 1)"
        case .notANumber(let index): "the distance of sample \(index) is not a number, so it cannot be ranked"
        case .noClusters(let k): "a clustering needs at least 1 cluster, not \(k)"
        }
    }

    /// The exit status of a program that ends with this error, as sysexits.h has them.
    package var category: ErrorCategory {
        switch self {
        case .countMismatch, .labelOutOfRange, .notANumber: .badData
        default: .usage
        }
    }
}
