/// Brings points together by their numbers: batch[i] = points[indices[i]]; lanes beyond the last point become zero.
package struct PointsGather: Operation {
    package static let kernel = "points_gather"
    package let indices: DeviceBuffer<Int32>
    package let points: Points
    package let batch: Points

    /// - Parameter indices: a number of a point for each of `batch`.
    package init(_ indices: DeviceBuffer<Int32>, of points: Points, into batch: Points) {
        self.indices = indices
        self.points = points
        self.batch = batch
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(points, in: layout)
        try require(batch, in: layout)
        try require(
            indices.count >= batch.count && batch.dimensions == points.dimensions,
            "\(indices.count) indices for \(batch.count) points of \(batch.dimensions) dimensions")
    }

    package var cost: OperationCost {
        OperationCost(operations: 0, bytes: Double(4 * batch.count * (2 * batch.dimensions + 1)))
    }
}
