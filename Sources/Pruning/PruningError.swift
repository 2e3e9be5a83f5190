import Support

/// Why a selection cannot be made. Each description is one sentence that says what was wrong and what is accepted.
package enum PruningError: Equatable, CategorizedError {
    /// The size is below 1 or above the set.
    case sizeOutOfRange(size: RequestedSize, count: Int)
    /// Samples are ranked within clusters and no clustering was given.
    case clusteringMissing
    /// Classes are groups or are to be balanced, and there are no class labels.
    case classesMissing(for: String)
    /// Samples are ranked by a score that was not given.
    case scoresMissing(name: String)
    /// A balance of classes does not go with the article's quota.
    case balancedArticleQuota(Balance)
    /// Classes are balanced by a recall that was not given.
    case recallsMissing
    /// There is not one recall for each class.
    case recallCount(got: Int, classes: Int)
    /// A recall is not from 0 to 1.
    case recallOutOfRange(class: Int)
    /// The share that `stratified` cuts is not from 0 to below 1.
    case cutOutOfRange(cut: String)
    /// There are too few strata, or too many.
    case strataOutOfRange(strata: Int)
    /// What `stratified` leaves is less than what is to be kept.
    case cutBelowSize(cut: String, left: Int, size: Int)
    /// The exponent of `beta` is not above 0.
    case exponentOutOfRange(cD: String)
    /// `beta` draws by a probability that was not recorded.
    case probabilitiesMissing
    /// A mean probability is not from 0 to 1.
    case probabilityOutOfRange(index: Int)
    /// `beta` draws in proportion to a score that is below 0.
    case negativeScore(name: String, index: Int)
    /// Hybrid's two numbers are negative or both zero.
    case hybridRatio(nClosest: Int, nFurthest: Int)
    /// An input does not have one value a sample.
    case countMismatch(what: String, got: Int, expected: Int)
    /// A label lies outside its range.
    case labelOutOfRange(what: String, index: Int, label: Int, bound: Int)
    /// A score is not a number.
    case notANumber(what: String, index: Int)
    /// A budget needs an order that does not change with the number of samples.
    case budgetOfChangingOrder
    /// No sample fits into a budget.
    case nothingFits(budget: String, least: String)
    /// A clustering with no cluster.
    case noClusters(k: Int)
    /// Samples are spread over ranks, and the selection needs all of them in one place.
    case needsWholeSet(String)

    package var description: String {
        switch self {
        case .sizeOutOfRange(let size, let count):
            "size \(size) is out of range: the set has \(count) samples, so sizes from 1 to \(count) are accepted"
        case .clusteringMissing: "this strategy ranks samples within clusters, so it needs a clustering (give k)"
        case .classesMissing(let purpose): "\(purpose) needs the class of every sample, and this input has none"
        case .scoresMissing(let name): "samples are ranked by \(name), and this input has no such score"
        case .balancedArticleQuota(let balance):
            "balance \(balance.rawValue) does not go with quota article; use quota exact"
        case .recallsMissing:
            "balance recall needs the recall of each class on a validation split, and there is no such split"
        case .recallCount(let got, let classes):
            "there are \(got) recalls for \(classes) classes; one for each is needed"
        case .recallOutOfRange(let label): "the recall of class \(label) is not a number from 0 to 1"
        case .cutOutOfRange(let cut): "beta is \(cut); the share that keep stratified cuts is from 0 to below 1"
        case .strataOutOfRange(let strata):
            "strata is \(strata); numbers from \(Order.strataRange.lowerBound) to \(Order.strataRange.upperBound) are accepted"
        case .cutBelowSize(let cut, let left, let size):
            "beta \(cut) cuts below the size: it leaves \(left) samples to keep \(size) of; use a smaller beta or size"
        case .exponentOutOfRange(let cD): "c_d is \(cD); a number above 0 is needed"
        case .probabilitiesMissing:
            "keep beta needs the mean probability of each sample's own class in training, and this score records none"
        case .probabilityOutOfRange(let index):
            "the mean probability of sample \(index) is not a number from 0 to 1"
        case .negativeScore(let name, let index):
            "the \(name) of sample \(index) is below 0; keep beta draws samples in proportion to their scores, so it takes scores from 0 up"
        case .hybridRatio(let nClosest, let nFurthest):
            "\(nClosest) to \(nFurthest) is no ratio of closest to furthest that hybrid and ends can take: both must be from 0 to \(Order.shareRange.upperBound), and one above 0"
        case .countMismatch(let what, let got, let expected):
            "there are \(got) \(what) for \(expected) samples; one for each is needed"
        case .labelOutOfRange(let what, let index, let label, let bound):
            "the \(what) of sample \(index) is \(label), outside 0 to \(bound - 1)"
        case .notANumber(let what, let index):
            "the \(what) of sample \(index) is not a number, so it cannot be ranked"
        case .budgetOfChangingOrder:
            "a budget goes down one rank order of the whole set, and this selection ranks anew for every size; give a size"
        case .nothingFits(let budget, let least):
            "nothing fits into the budget of \(budget): the least that a sample costs is \(least)"
        case .noClusters(let k): "a clustering needs at least 1 cluster, not \(k)"
        case .needsWholeSet(let words): "\(words) is for one process, and these samples are spread over several ranks"
        }
    }

    /// The same error with samples counted from `first` on.
    func counted(from first: Int) -> PruningError {
        switch self {
        case .labelOutOfRange(let what, let index, let label, let bound):
            .labelOutOfRange(what: what, index: first + index, label: label, bound: bound)
        case .notANumber(let what, let index): .notANumber(what: what, index: first + index)
        default: self
        }
    }

    /// The kind of fault.
    package var category: ErrorCategory {
        switch self {
        case .countMismatch, .labelOutOfRange, .notANumber, .recallCount, .recallOutOfRange, .probabilityOutOfRange:
            .badData
        default: .usage
        }
    }
}
