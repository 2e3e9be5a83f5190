/// Keeps the candidate with the smallest sum of distances as centre `step` of a k-means++ start and draws the candidates
/// of the next centre in proportion to the distances that are left. With step -1 all candidates become point `first`.
package struct KmeansPlusPlusPick: Operation {
    package static let kernel = "kmeans_plus_plus_pick"
    package let start: PlusPlusStart
    package let points: Points
    package let distances: DeviceBuffer<Float>
    package let step: Int
    package let first: Int

    /// - Parameter distances: what ``KmeansPlusPlusDistances`` wrote, [candidate][tile][lane].
    package init(
        _ start: PlusPlusStart, of points: Points, distances: DeviceBuffer<Float>, step: Int, first: Int
    ) {
        self.start = start
        self.points = points
        self.distances = distances
        self.step = step
        self.first = first
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(start, of: points, in: layout)
        try require(
            step >= -1 && step < start.count && first >= 0 && first < points.count,
            "step \(step) of \(start.count), first point \(first) of \(points.count)")
        try require(
            distances.count >= start.trials * points.tiles * points.lanes, "too little room for the distances")
    }

    /// None: it looks at the sums of blocks, and at the points of one block for each candidate.
    package var cost: OperationCost { OperationCost(operations: 0, bytes: 0) }
}
