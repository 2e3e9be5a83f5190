/// Brings ``Centroids/panels`` up to date with ``Centroids/values``.
package struct KmeansPanels: Operation {
    package static let kernel = "kmeans_panels"
    package let centroids: Centroids

    package init(_ centroids: Centroids) { self.centroids = centroids }

    package func validate(for layout: DataLayout) throws(ComputeError) { try require(centroids, in: layout) }

    /// Half of every centroid's square, and the centroids in their panels.
    package var cost: OperationCost {
        let (count, dimensions) = (centroids.count, centroids.dimensions)
        return OperationCost(
            operations: Double(2 * count * dimensions), bytes: Double(4 * count * (2 * dimensions + 1)))
    }
}
