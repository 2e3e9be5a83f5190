/// Sums and counts of clusters. Points are taken in rounds of at most ``blocks`` blocks; blocks are added in order into
/// pairs of numbers (sum, correction) that keep what float32 drops. The sums of a block are plain float32, or such pairs.
package struct ClusterSums {
    /// Sums [k][d], then their corrections [k][d].
    package let totals: DeviceBuffer<Float>
    /// Points per cluster, [k].
    package let counts: DeviceBuffer<Int32>
    /// Sums [block][k][d] of the round at hand; [block][2][k][d], sums and then corrections, where they are compensated.
    package let partials: DeviceBuffer<Float>
    /// Points per cluster, [block][k], of the round at hand.
    package let partialCounts: DeviceBuffer<Int32>
    /// k.
    package let count: Int
    /// d.
    package let dimensions: Int
    /// Blocks per round, and points per block.
    package let blocks: Int
    package let blockPoints: Int
    /// Whether the sums of a block have corrections.
    package let isCompensated: Bool

    /// Names what the buffers hold, for rounds of `blocks` blocks of `blockPoints` points.
    package init(
        totals: DeviceBuffer<Float>, counts: DeviceBuffer<Int32>, partials: DeviceBuffer<Float>,
        partialCounts: DeviceBuffer<Int32>, count: Int, dimensions: Int, blocks: Int, blockPoints: Int,
        isCompensated: Bool = false
    ) {
        self.totals = totals
        self.counts = counts
        self.partials = partials
        self.partialCounts = partialCounts
        self.count = count
        self.dimensions = dimensions
        self.blocks = blocks
        self.blockPoints = blockPoints
        self.isCompensated = isCompensated
    }

    /// Sums of a round's blocks and their corrections: elements of ``partials`` for each block.
    var partialElements: Int { count * dimensions * (isCompensated ? 2 : 1) }

    /// First points of the rounds that cover `points` points.
    func rounds(of points: Int) -> [Int] {
        Array(stride(from: 0, to: max(points, 1), by: max(blocks * blockPoints, 1)))
    }

    /// Blocks of the round that starts at `first`.
    func blocks(from first: Int, of points: Int) -> Int {
        min(blocks, max(0, points - first + blockPoints - 1) / blockPoints)
    }

    /// What ``Backend/accumulate(_:labels:into:adding:)`` runs, in its order.
    package func operations(accumulating points: Points, labels: DeviceBuffer<Int32>, adding: Bool)
        -> [any Operation]
    {
        rounds(of: points.count).flatMap { first -> [any Operation] in
            let blocks = KmeansAccumulate(points, labels: labels, into: self, from: first)
            return [blocks, KmeansReduce(self, blocks: blocks.blocks, adding: adding || first > 0)]
        }
    }
}

extension Backend {
    /// Room for the sums of `count` clusters over `points` points, in blocks of `blockPoints` where that is given.
    package func makeClusterSums(
        count: Int, dimensions: Int, points: Int, blockPoints: Int? = nil, compensated: Bool = false
    ) throws(ComputeError) -> ClusterSums {
        let size = max(count * dimensions, 1)
        let shape = ClusteringShape.blocks(clusters: count, dimensions: dimensions, points: points)
        let blockPoints = blockPoints ?? shape.blockPoints
        let blocks = min(shape.most, max(1, (points + blockPoints - 1) / blockPoints))
        return ClusterSums(
            totals: try makeBuffer(of: Float.self, count: 2 * size, label: "cluster sums"),
            counts: try makeBuffer(of: Int32.self, count: count, label: "cluster counts"),
            partials: try makeBuffer(
                of: Float.self, count: blocks * size * (compensated ? 2 : 1), label: "partial cluster sums"),
            partialCounts: try makeBuffer(of: Int32.self, count: blocks * count, label: "partial cluster counts"),
            count: count, dimensions: dimensions, blocks: blocks, blockPoints: blockPoints, isCompensated: compensated)
    }

    /// Sums and counts of the points of every cluster, `labels` being [points]; they replace what `sums` held, or with
    /// `adding` are added to it: all points but the last ones may come in pieces of a multiple of
    /// ``ClusterSums/blockPoints``, with the same bits.
    package func accumulate(
        _ points: Points, labels: DeviceBuffer<Int32>, into sums: ClusterSums, adding: Bool
    ) throws(ComputeError) {
        for operation in sums.operations(accumulating: points, labels: labels, adding: adding) { try run(operation) }
    }
}
