/// Rounds the sums of the blocks of ``KmeansAccumulate`` to whole units and adds them to ``ClusterSums/totals``; adds the
/// counts too.
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

    /// The cost for a number of blocks: a scaling per sum of a block; the rounding and the addition do not count as
    /// floating-point operations. Sums of blocks are read, and totals are written, or read and written if they are added to.
    package static func cost(
        blocks: Int, clusters: Int, dimensions: Int, compensated: Bool, adding: Bool
    ) -> OperationCost {
        let sums = clusters * dimensions * (compensated ? 2 : 1)
        let totals = clusters * (dimensions + 1) * (adding ? 2 : 1)
        return OperationCost(
            operations: Double(blocks * sums), bytes: Double(4 * blocks * (sums + clusters) + 8 * totals))
    }

    package var cost: OperationCost {
        Self.cost(
            blocks: blocks, clusters: sums.count, dimensions: sums.dimensions, compensated: sums.isCompensated,
            adding: adding)
    }
}
