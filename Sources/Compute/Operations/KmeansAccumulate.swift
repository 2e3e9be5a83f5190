/// Sums and counts of the points of every cluster over each block of a round: ``ClusterSums/partials`` and
/// ``ClusterSums/partialCounts``, which ``KmeansReduce`` adds up. The points of a block are added one after the other.
package struct KmeansAccumulate: Operation {
    package static let kernel = "kmeans_accumulate"
    package let points: Points
    package let labels: DeviceBuffer<Int32>
    package let sums: ClusterSums
    package let first: Int

    /// - Parameters:
    ///   - labels: the cluster of every point, [points].
    ///   - first: the round's first point.
    package init(_ points: Points, labels: DeviceBuffer<Int32>, into sums: ClusterSums, from first: Int = 0) {
        self.points = points
        self.labels = labels
        self.sums = sums
        self.first = first
    }

    /// Blocks of the round.
    package var blocks: Int { sums.blockPoints > 0 ? sums.blocks(from: first, of: points.count) : 0 }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(points, in: layout)
        try require(labels.count >= points.count, "\(labels.count) labels for \(points.count) points")
        try require(
            sums.dimensions == points.dimensions,
            "sums of \(sums.dimensions) dimensions for points of \(points.dimensions)")
        try require(partialsOf: sums)
        try require(
            first >= 0 && first < points.count, "a round from point \(first) on of \(points.count) points")
    }

    /// The cost of adding up `points` points: an addition per point and dimension. The sums that each block has are left out.
    package static func cost(points: Int, dimensions: Int) -> OperationCost {
        OperationCost(operations: Double(points * dimensions), bytes: Double(4 * points * (dimensions + 1)))
    }

    package var cost: OperationCost {
        let count = max(0, min(sums.blocks * sums.blockPoints, points.count - first))
        return Self.cost(points: count, dimensions: points.dimensions)
    }
}
