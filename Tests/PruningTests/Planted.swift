import Pruning
import Support

/// A planted clustering: clusters of the given sizes, dealt over the sample indices in turns so that no strategy can be
/// right by taking indices in order; within a cluster the distances are a permutation of 0, 1, 2, …
struct Planted {
    let sizes: [Int]
    let assignment: ClusterAssignment
    let classes: ClassLabels

    var count: Int { assignment.labels.count }

    init(sizes: [Int], classCount: Int = 3, seed: UInt64 = 1) {
        self.sizes = sizes
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        var labels = sizes.enumerated().flatMap { [Int32](repeating: Int32($0.offset), count: $0.element) }
        random.shuffle(&labels)
        var ranks = sizes.map { size in
            var order = Array(0..<size)
            random.shuffle(&order)
            return order
        }
        let distances = labels.map { Float(ranks[Int($0)].removeLast()) }
        assignment = ClusterAssignment(labels: labels, squaredDistances: distances, k: sizes.count)
        classes = ClassLabels(
            labels: labels.map { _ in UInt8(random.nextIndex(below: classCount)) }, count: classCount)
    }

    /// The distances of the kept samples of one cluster, in the order in which they were kept.
    func keptDistances(_ selection: KeptSamples, cluster: Int) -> [Int] {
        selection.indices.filter { assignment.labels[$0] == Int32(cluster) }
            .map { Int(assignment.squaredDistances[$0]) }
    }

    func select(
        _ selection: Selection, _ size: Int, _ quota: Quota = .exact, balance: Balance = .none, seed: UInt64 = 7
    ) throws -> KeptSamples {
        var random = RandomStream(seed: seed, run: 0, purpose: .selection)
        let input = SelectionInput(
            count: count, classes: classes, clustering: assignment, scores: assignment.squaredDistances)
        return try selection.sharing(quota, balance)
            .select(RequestedSize.count(size).resolved(of: count), from: input, random: &random)
    }
}

let shapes: [[Int]] = [
    [1], [5], [4, 4, 4], [7, 0, 3], [0, 0, 11], [13, 1, 1, 29, 2], [97, 3, 0, 41, 41, 5, 1], [2, 3, 5, 7, 11, 13, 17],
]

let clusterSelections: [Selection] = [
    .closest, .furthest, .randomInCluster, .hybrid(), .hybrid(closest: 2), .hybrid(closest: 0, furthest: 3),
    .hybrid(closest: 3, furthest: 5),
]

/// Shares by water filling, worked out by hand: raise the level until it holds no more whole turn, then give the rest to
/// the largest clusters.
func expectedShares(_ sizes: [Int], _ size: Int) -> [Int] {
    var level = 0
    while sizes.reduce(0, { $0 + min($1, level + 1) }) <= size && level < size { level += 1 }
    var shares = sizes.map { min($0, level) }
    let largestFirst = sizes.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
    var rest = size - shares.reduce(0, +)
    for cluster in largestFirst where rest > 0 && shares[cluster] < sizes[cluster] {
        shares[cluster] += 1
        rest -= 1
    }
    return shares
}

/// The small sizes of a set of `count` samples, every seventh of the others, and the largest.
func someSizes(of count: Int) -> [Int] { (1...count).filter { $0 <= 12 || $0 % 7 == 0 || $0 >= count - 1 } }

/// What `selection` keeps of `input` by a stream of its own.
func keep(
    _ selection: Selection, _ size: Int, from input: SelectionInput, seed: UInt64 = 7
) throws(PruningError) -> KeptSamples {
    var random = RandomStream(seed: seed, run: 0, purpose: .selection)
    return try selection.select(
        RequestedSize.count(size).resolved(of: input.count), from: input, random: &random)
}
