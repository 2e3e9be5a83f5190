/// Moves ``Centroids/values`` to the mean of their points, ``ClusterSums/totals`` as float32 by the count. A cluster without
/// points stays where it is.
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

    /// That of so many centroids: a division per coordinate. The sums lie between two steps of an iteration and are not
    /// counted, nor is their scaling.
    package static func cost(centroids: Int, dimensions: Int) -> OperationCost {
        OperationCost(operations: Double(centroids * dimensions), bytes: Double(4 * centroids * dimensions))
    }

    package var cost: OperationCost { Self.cost(centroids: centroids.count, dimensions: centroids.dimensions) }
}
