/// The share of each group in a selection, computed from the groups' sizes alone, by the rules of ``Ranking``.
package struct SpreadGroups: Sendable {
    private let selection: Selection
    private let size: SelectionSize
    /// The number of classes, if they are groups or are balanced.
    let classes: Int?
    /// The number of clusters, if they are groups.
    let clusters: Int?
    /// The number of samples of each innermost group over all ranks, class by class.
    let counts: [Int]
    /// The number of these that are kept.
    private(set) var shares: [Int]
    private(set) var shortGroups: [ShortGroup] = []

    init(_ selection: Selection, _ size: SelectionSize, classes: Int?, clusters: Int?, counts: [Int]) {
        (self.selection, self.size) = (selection, size)
        (self.classes, self.clusters, self.counts) = (classes, clusters, counts)
        shares = []
        guard classes != nil else {
            if clusters == nil {
                shares = [min(size.count, counts[0])]
            } else {
                shares = share(size.count, among: counts, of: nil)
            }
            return
        }
        let sizes = classCounts
        guard clusters != nil else {
            shares = share(size.count, among: sizes, areClasses: true, of: nil)
            return
        }
        // The article's quota divides among the innermost groups.
        if selection.quota == .exact { note(sizes, of: size.count, areClasses: true, nil) }
        for (label, share) in evenShares(of: size.count, among: sizes).enumerated() {
            let inner = self.share(share, among: Array(counts[members(label)]), of: label)
            shares += inner
        }
    }

    /// The innermost group of a sample of this cluster and class.
    static func group(cluster: Int32?, of clusters: Int?, class label: Int32?) -> Int32 {
        (label ?? 0) * Int32(clusters ?? 1) + (cluster ?? 0)
    }

    private func members(_ label: Int) -> Range<Int> {
        let clusters = clusters ?? 1
        return label * clusters..<(label + 1) * clusters
    }

    private var classCounts: [Int] { (0..<(classes ?? 1)).map { counts[members($0)].reduce(0, +) } }

    private mutating func share(
        _ share: Int, among counts: [Int], areClasses: Bool = false, of outer: Int?
    ) -> [Int] {
        if selection.quota == .article { return articleShares(of: size.count, among: counts) }
        note(counts, of: share, areClasses: areClasses, outer)
        return evenShares(of: share, among: counts)
    }

    private mutating func note(_ counts: [Int], of share: Int, areClasses: Bool, _ outer: Int?) {
        shortGroups += Pruning.shortGroups(counts, of: share, recalls: nil, areClasses: areClasses, in: outer)
    }

    /// The kept samples in rank order.
    /// - Parameter queues: the kept samples of each innermost group in its rank order.
    func merged(_ queues: [[Int]]) -> [Int] {
        guard classes != nil else {
            return Array(interleave(queues, longestFirst: counts).prefix(size.count))
        }
        let byClass =
            clusters == nil
            ? queues
            : classCounts.indices.map { label in
                interleave(Array(queues[members(label)]), longestFirst: Array(counts[members(label)]))
            }
        // In classes whose clusters have the article's quota, only the kept samples were ranked.
        let isCut = selection.quota == .article && clusters != nil
        let lengths = isCut ? byClass.map(\.count) : classCounts
        return Array(interleave(byClass, longestFirst: lengths).prefix(size.count))
    }
}
