/// Brings ``CoarsePanels`` up to date with ``Centroids``, both of whose forms are.
package struct KmeansCoarse: Operation {
    package static let kernel = "kmeans_coarse"
    package let centroids: Centroids
    package let coarse: CoarsePanels

    package init(_ centroids: Centroids, into coarse: CoarsePanels) {
        self.centroids = centroids
        self.coarse = coarse
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(centroids, in: layout)
        try require(coarse, of: centroids)
    }

    /// Two passes over the centroids: their squares; then their numbers and what rounding them loses.
    package var cost: OperationCost {
        let (count, dimensions) = (centroids.count, centroids.dimensions)
        return OperationCost(operations: Double(6 * count * dimensions), bytes: Double(5 * count * dimensions))
    }
}
