/// For every candidate l of a k-means++ start: next[l][i] = min(previous[kept][i], squared distance of point i to l),
/// `kept` being the candidate that ``PlusPlusStart/state`` names, and its sums over blocks of points. Lanes beyond the
/// last point become zero.
package struct KmeansPlusPlusDistances: Operation {
    package static let kernel = "kmeans_plus_plus_distances"
    package let start: PlusPlusStart
    package let points: Points
    package let previous: DeviceBuffer<Float>
    package let next: DeviceBuffer<Float>

    /// - Parameter previous: as `next`, [candidate][tile][lane].
    package init(
        _ start: PlusPlusStart, of points: Points, previous: DeviceBuffer<Float>, next: DeviceBuffer<Float>
    ) {
        self.start = start
        self.points = points
        self.previous = previous
        self.next = next
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(start, of: points, in: layout)
        let elements = start.trials * points.tiles * points.lanes
        try require(
            previous.count >= elements && next.count >= elements, "too little room for the distances")
    }

    /// The cost for a number of points and candidates: three operations per dimension, candidate and point; the points, and the
    /// distances of the candidate that was kept, are read and the new ones written.
    package static func cost(points: Int, trials: Int, dimensions: Int) -> OperationCost {
        OperationCost(
            operations: Double(trials * points * 3 * dimensions), bytes: Double(4 * points * (dimensions + 1 + trials)))
    }

    package var cost: OperationCost {
        Self.cost(points: points.count, trials: start.trials, dimensions: points.dimensions)
    }
}
