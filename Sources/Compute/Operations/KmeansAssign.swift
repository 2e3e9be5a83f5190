/// The nearest centroid of every point, from ``Centroids/panels``, and, where asked for, the squared distance to it,
/// computed directly from ``Centroids/values``. The lowest index wins a tie. A point with a NaN, or whose products
/// overflow against every centroid, gets label 0 and the squared distance that follows (NaN or infinity).
package struct KmeansAssign: Operation {
    package static let kernel = "kmeans_assign"
    package let points: Points
    package let centroids: Centroids
    package let direct: Bool
    package let labels: DeviceBuffer<Int32>
    package let distances: DeviceBuffer<Float>?
    package let batch: SampledRows?
    package let coarse: CoarsePanels?

    /// - Parameters:
    ///   - direct: compares distances that are summed directly wherever rounding may have put the products in the wrong
    ///     order, as it does far from the origin.
    ///   - labels: the nearest centroids, [points].
    ///   - distances: squared distances, [points]; with a batch they go to its `first` and after.
    ///   - batch: rows that are gathered into `points` first.
    ///   - coarse: the coarse form of the centroids, which makes the search faster on some processors and changes no bit
    ///     of what it finds. Not with a batch.
    package init(
        _ points: Points, to centroids: Centroids, direct: Bool = false, labels: DeviceBuffer<Int32>,
        distances: DeviceBuffer<Float>? = nil, gathering batch: SampledRows? = nil,
        coarse: CoarsePanels? = nil
    ) {
        self.points = points
        self.centroids = centroids
        self.direct = direct
        self.labels = labels
        self.distances = distances
        self.batch = batch
        self.coarse = coarse
    }

    /// Where the distances of the points begin.
    var firstDistance: Int { batch?.first ?? 0 }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(points, and: centroids, in: layout)
        if let batch { try require(batch, count: points.count, dimensions: points.dimensions) }
        if let coarse {
            try require(coarse, of: centroids)
            try require(batch == nil, "a coarse search of rows that are gathered")
            try require(
                centroids.panels,
                holds: centroids.panelCount * (1 + centroids.dimensions) * centroids.panelWidth + CoarsePanels.padding)
        }
        let room = distances.map { $0.count - firstDistance } ?? points.count
        try require(
            labels.count >= points.count && room >= points.count,
            "\(labels.count) labels and \(room) distances for \(points.count) points")
    }

    /// The cost of assigning `points` points to `centroids` centroids: one multiply-add per point, centroid and dimension, and
    /// three more operations per point and dimension if `distances` is true.
    package static func cost(
        points: Int, centroids: Int, dimensions: Int, distances: Bool = false
    ) -> OperationCost {
        var cost = OperationCost(
            operations: 2 * Double(points) * Double(centroids * dimensions),
            bytes: Double(4 * (points * (dimensions + 1) + centroids * dimensions)))
        if distances {
            cost.operations += Double(3 * points * dimensions)
            cost.bytes += Double(4 * points)
        }
        return cost
    }

    package var cost: OperationCost {
        let (count, dimensions) = (points.count, points.dimensions)
        var cost = Self.cost(
            points: count, centroids: centroids.count, dimensions: dimensions, distances: distances != nil)
        // Gathering reads rows and their indices, and writes the points.
        if batch != nil { cost.bytes += Double(4 * count * (dimensions + 1)) }
        return cost
    }
}
