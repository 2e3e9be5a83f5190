/// Makes points centroids: centroids[slots[i]] = points[indices[i]], in ``Centroids/values`` alone.
package struct CentroidsGather: Operation {
    package static let kernel = "centroids_gather"
    package let indices: DeviceBuffer<Int32>
    package let points: Points
    package let centroids: Centroids
    package let slots: DeviceBuffer<Int32>

    /// - Parameters:
    ///   - indices: a number of a point for each of `slots`.
    ///   - slots: the centroids that move, each at most once. There may be none.
    package init(
        _ indices: DeviceBuffer<Int32>, of points: Points, into centroids: Centroids, slots: DeviceBuffer<Int32>
    ) {
        self.indices = indices
        self.points = points
        self.centroids = centroids
        self.slots = slots
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(points, and: centroids, in: layout)
        try require(slots.count <= indices.count, "\(indices.count) points for \(slots.count) centroids")
        try require(slots.count <= centroids.count, "\(slots.count) slots among \(centroids.count) centroids")
    }

    package var cost: OperationCost {
        OperationCost(operations: 0, bytes: Double(4 * slots.count * (2 * points.dimensions + 2)))
    }
}
