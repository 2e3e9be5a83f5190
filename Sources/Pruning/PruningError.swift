import Support

/// Why a selection cannot be made. Each description is one sentence that says what was wrong and what is accepted.
package enum PruningError: Equatable, CategorizedError {
    /// The size is below 1 or above the set.
    case sizeOutOfRange(size: RequestedSize, count: Int)
    /// Samples are ranked within clusters and no clustering was given.
    case clusteringMissing
    /// Classes are groups or are to be balanced, and there are no class labels.
    case classesMissing
    /// Samples are ranked by a score that was not given.
    case scoresMissing(name: String)
    /// `balance: class` does not go with the article's quota.
    case balancedArticleQuota
    /// Hybrid's two numbers are negative or both zero.
    case hybridRatio(nClosest: Int, nFurthest: Int)
    /// An input does not have one value a sample.
    case countMismatch(what: String, got: Int, expected: Int)
    /// A label lies outside its range.
    case labelOutOfRange(what: String, index: Int, label: Int, bound: Int)
    /// A score is not a number.
    case notANumber(what: String, index: Int)
    /// A clustering with no cluster.
    case noClusters(k: Int)

    package var description: String {
        switch self {
        case .sizeOutOfRange(let size, let count):
            "size \(size) is out of range: the set has \(count) samples, so sizes from 1 to \(count) are accepted"
        case .clusteringMissing: "this strategy ranks samples within clusters, so it needs a clustering (give k)"
        case .classesMissing: "balance class needs the class of every sample, and this input has none"
        case .scoresMissing(let name): "samples are ranked by \(name), and this input has no such score"
        case .balancedArticleQuota: "balance class does not go with quota article; use quota exact"
        case .hybridRatio(let nClosest, let nFurthest):
            "hybrid cannot take \(nClosest) closest to \(nFurthest) furthest: both must be from 0 to \(Order.shareRange.upperBound), and one above 0"
        case .countMismatch(let what, let got, let expected):
            "there are \(got) \(what) for \(expected) samples; one for each is needed"
        case .labelOutOfRange(let what, let index, let label, let bound):
            "the \(what) of sample \(index) is \(label), outside 0 to \(bound - 1)"
        case .notANumber(let what, let index):
            "the \(what) of sample \(index) is not a number, so it cannot be ranked"
        case .noClusters(let k): "a clustering needs at least 1 cluster, not \(k)"
        }
    }

    /// The kind of fault.
    package var category: ErrorCategory {
        switch self {
        case .countMismatch, .labelOutOfRange, .notANumber: .badData
        default: .usage
        }
    }
}
