/// Rounds the sums of the blocks of ``KmeansAccumulate`` to whole units and adds them to ``ClusterSums/totals``, the counts
/// too.
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

    /// A scaling per sum of a block; the rounding and the addition are no floating-point operations.
    package var cost: OperationCost {
        OperationCost(
            operations: Double(blocks * sums.partialElements),
            bytes: Double(4 * blocks * (sums.partialElements + sums.count) + 8 * sums.totalElements))
    }
}
