/// Moves ``Centroids/values`` to the mean of their points. A cluster without points stays where it is.
package struct KmeansUpdate: Operation {
    package static let kernel = "kmeans_update"
    package let centroids: Centroids
    package let sums: ClusterSums
    package let shifts: DeviceBuffer<Float>

    /// - Parameter shifts: how far (squared) each centroid moved, [k].
    package init(_ centroids: Centroids, from sums: ClusterSums, shifts: DeviceBuffer<Float>) {
        self.centroids = centroids
        self.sums = sums
        self.shifts = shifts
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(centroids, in: layout)
        try require(totalsOf: sums, fit: centroids)
        try require(shifts, holds: centroids.count)
    }

    /// A division a coordinate. The sums are between two steps of an iteration and not counted.
    package var cost: OperationCost {
        let elements = centroids.count * centroids.dimensions
        return OperationCost(operations: Double(elements), bytes: Double(4 * elements))
    }
}
