/// A step of mini-batch k-means (Sculley, "Web-scale k-means clustering", WWW 2010) after its assignment: moves both
/// forms of the centroids to the running mean of their points, where the old centroid counts as `weights` [k] points, and
/// adds the batch's counts to `weights`. A cluster without points in the batch stays where it is. Into
/// ``BatchSums/totals`` and ``BatchSums/counts`` go the batch's sums and counts, added point by point.
package struct KmeansAccumulateUpdate: Operation {
    package static let kernel = "kmeans_accumulate_update"
    package let centroids: Centroids
    package let batch: SampledRows
    package let labels: DeviceBuffer<Int32>
    package let count: Int
    package let sums: BatchSums
    package let weights: DeviceBuffer<Float>

    /// - Parameters:
    ///   - batch: the rows that ``KmeansAssign`` gathered.
    ///   - labels: the cluster of every point of the batch, [count].
    ///   - weights: how many points each centroid has seen, [k].
    package init(
        _ centroids: Centroids, from batch: SampledRows, labels: DeviceBuffer<Int32>, count: Int, sums: BatchSums,
        weights: DeviceBuffer<Float>
    ) {
        self.centroids = centroids
        self.batch = batch
        self.labels = labels
        self.count = count
        self.sums = sums
        self.weights = weights
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(centroids, in: layout)
        try require(
            labels.count >= count && sums.count == centroids.count && sums.dimensions == centroids.dimensions
                && weights.count >= centroids.count,
            "sums of \(sums.count) clusters, \(weights.count) weights and \(labels.count) labels for "
                + "\(centroids.count) centroids and \(count) points")
        try require(sums.totals, holds: 2 * sums.count * sums.dimensions)
        try require(sums.counts, holds: sums.count)
        try require(batch, count: count, dimensions: centroids.dimensions)
    }

    /// An addition per point and dimension, the running means, and half of every centroid's square.
    package var cost: OperationCost {
        let (k, dimensions) = (centroids.count, centroids.dimensions)
        return OperationCost(
            operations: Double(count * dimensions + 5 * k * dimensions),
            bytes: Double(4 * (count * (dimensions + 1) + 3 * k * dimensions)))
    }
}
