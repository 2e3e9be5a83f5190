/// Adds the blocks that ``KmeansAccumulate`` summed, in their order, to ``ClusterSums/totals`` and
/// ``ClusterSums/counts``.
package struct KmeansReduce: Operation {
    package static let kernel = "kmeans_reduce"
    package let sums: ClusterSums
    package let blocks: Int
    package let adding: Bool

    /// - Parameters:
    ///   - blocks: how many blocks there are.
    ///   - adding: adds them to what is there instead of replacing it.
    package init(_ sums: ClusterSums, blocks: Int, adding: Bool) {
        self.sums = sums
        self.blocks = blocks
        self.adding = adding
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(totalsOf: sums)
        try require(partialsOf: sums)
        try require(blocks >= 1 && blocks <= sums.blocks, "\(blocks) blocks of a round of \(sums.blocks)")
    }

    /// None: how many blocks there are is the implementation's choice, and ``KmeansAccumulate`` counts what the sums need.
    package var cost: OperationCost { OperationCost(operations: 0, bytes: 0) }
}
