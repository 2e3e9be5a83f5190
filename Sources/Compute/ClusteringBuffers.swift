/// Making the buffers of the clustering operations, and checking that they fit together.
extension ClusteringOperations {
    /// Room for `count` points of `dimensions` coordinates; contents undefined.
    package func makePoints(count: Int, dimensions: Int) throws(ComputeError) -> Points {
        let tiles = (count + pointLanes - 1) / pointLanes
        let buffer = try makeBuffer(
            of: Float.self, count: tiles * dimensions * pointLanes, label: "\(count) points of \(dimensions) dimensions"
        )
        return Points(buffer: buffer, count: count, dimensions: dimensions, lanes: pointLanes)
    }

    /// Room for `count` centroids; contents undefined.
    package func makeCentroids(count: Int, dimensions: Int) throws(ComputeError) -> Centroids {
        let panels = (count + panelWidth - 1) / panelWidth
        return Centroids(
            values: try makeBuffer(of: Float.self, count: count * dimensions, label: "centroids"),
            panels: try makeBuffer(
                of: Float.self, count: panels * (1 + dimensions) * panelWidth, label: "centroid panels"),
            count: count, dimensions: dimensions, panelWidth: panelWidth)
    }

    /// A projection by `weights` [components][dimensions] after subtracting `mean` [dimensions].
    package func makeProjection(weights: [Float], mean: [Float]) throws(ComputeError) -> Projection {
        let dimensions = mean.count
        let components = dimensions == 0 ? 0 : weights.count / dimensions
        let panels = (components + panelWidth - 1) / panelWidth
        var packed = [Float](repeating: 0, count: panels * (1 + dimensions) * panelWidth)
        for component in 0..<components {
            let start = component / panelWidth * (1 + dimensions) * panelWidth + component % panelWidth
            var atMean = 0.0
            for column in 0..<dimensions {
                let weight = weights[component * dimensions + column]
                packed[start + (1 + column) * panelWidth] = weight
                atMean += Double(weight) * Double(mean[column])
            }
            packed[start] = Float(-atMean)
        }
        return Projection(
            panels: try makeBuffer(packed, label: "projection"), mean: try makeBuffer(mean, label: "mean"),
            components: components, dimensions: dimensions, panelWidth: panelWidth)
    }

    /// Room for the sums of `count` clusters over `points` points, in blocks of `blockPoints` where that is given.
    package func makeClusterSums(
        count: Int, dimensions: Int, points: Int, blockPoints: Int? = nil, compensated: Bool = false
    ) throws(ComputeError) -> ClusterSums {
        let size = max(count * dimensions, 1)
        let shape = ClusteringShape.blocks(clusters: count, dimensions: dimensions, points: points)
        let blockPoints = blockPoints ?? shape.blockPoints
        let blocks = min(shape.most, max(1, (points + blockPoints - 1) / blockPoints))
        return ClusterSums(
            totals: try makeBuffer(of: Float.self, count: 2 * size, label: "cluster sums"),
            counts: try makeBuffer(of: Int32.self, count: count, label: "cluster counts"),
            partials: try makeBuffer(
                of: Float.self, count: blocks * size * (compensated ? 2 : 1), label: "partial cluster sums"),
            partialCounts: try makeBuffer(of: Int32.self, count: blocks * count, label: "partial cluster counts"),
            count: count, dimensions: dimensions, blocks: blocks, blockPoints: blockPoints, isCompensated: compensated)
    }

    /// The memory of a k-means++ start of `count` centres, `uniforms` being [count][trials].
    package func makePlusPlusStart(count: Int, trials: Int, points: Points, uniforms: [Float]) throws(ComputeError)
        -> PlusPlusStart
    {
        let blocks = max(1, (points.count + ClusteringShape.blockUnit - 1) / ClusteringShape.blockUnit)
        return PlusPlusStart(
            blockSums: try makeBuffer(of: Float.self, count: trials * blocks, label: "sums of distances"),
            candidates: try makeBuffer(of: Int32.self, count: trials, label: "candidates"),
            coordinates: try makeBuffer(
                of: Float.self, count: trials * points.dimensions, label: "candidates' coordinates"),
            uniforms: try makeBuffer(uniforms, label: "uniform numbers"),
            state: try makeBuffer([Int32(0)], label: "candidate kept"),
            chosen: try makeBuffer(of: Int32.self, count: count, label: "centres"), count: count, trials: trials,
            blocks: blocks)
    }

    /// The k-means++ start itself: the points chosen as centres end up in ``PlusPlusStart/chosen``.
    package func runPlusPlus(_ start: PlusPlusStart, of points: Points, first: Int) throws(ComputeError) {
        let elements = start.trials * points.tiles * points.lanes
        var previous = try makeBuffer(of: Float.self, count: elements, label: "distances to candidates")
        var next = try makeBuffer(of: Float.self, count: elements, label: "distances to candidates")
        try fill(previous, with: .infinity)
        try plusPlusPick(start, of: points, distances: previous, step: -1, first: first)
        for step in 0..<start.count {
            try plusPlusDistances(start, of: points, previous: previous, next: next)
            try plusPlusPick(start, of: points, distances: next, step: step, first: first)
            swap(&previous, &next)
        }
    }

    func require(_ condition: Bool, _ operation: String, _ reason: @autoclosure () -> String) throws(ComputeError) {
        if !condition { throw .invalidShape(operation: operation, reason: reason()) }
    }

    func check(_ points: Points, _ operation: String) throws(ComputeError) {
        try require(points.count > 0 && points.dimensions > 0, operation, "there are no points")
        try require(
            points.lanes == pointLanes && points.buffer.count >= points.tiles * points.dimensions * points.lanes,
            operation, "the points are laid out for another device")
    }

    func check(_ points: Points, _ centroids: Centroids, _ operation: String) throws(ComputeError) {
        try check(points, operation)
        try require(
            centroids.count > 0 && centroids.dimensions == points.dimensions, operation,
            "\(centroids.count) centroids of \(centroids.dimensions) dimensions for points of \(points.dimensions)")
        try require(
            centroids.panelWidth == panelWidth, operation, "the centroids are laid out for another device")
    }

    func check(_ points: Points, _ centroids: Centroids, labels: DeviceBuffer<Int32>, distances: Int)
        throws(ComputeError)
    {
        try check(points, centroids, "kmeans_assign")
        try require(
            labels.count >= points.count && distances >= points.count, "kmeans_assign",
            "\(labels.count) labels and \(distances) distances for \(points.count) points")
    }

    func check(
        _ indices: DeviceBuffer<Int32>, at first: Int, count: Int, of rows: DeviceBuffer<Float>, dimensions: Int
    ) throws(ComputeError) {
        try require(
            first >= 0 && count > 0 && first + count <= indices.count && rows.count >= dimensions, "gather",
            "indices \(first)..<\(first + count) of \(indices.count), \(rows.count) elements of rows")
    }

    func check(_ points: Points, unpackedInto rows: DeviceBuffer<Float>) throws(ComputeError) {
        try check(points, "points_unpack")
        try require(
            rows.count >= points.count * points.dimensions, "points_unpack",
            "\(rows.count) elements for \(points.count) rows of \(points.dimensions)")
    }

    func check(_ centroids: Centroids, from sums: ClusterSums, shifts: DeviceBuffer<Float>) throws(ComputeError) {
        try require(
            sums.count == centroids.count && sums.dimensions == centroids.dimensions
                && shifts.count >= centroids.count, "kmeans_update",
            "sums of \(sums.count) clusters for \(centroids.count) centroids")
    }

    func check(
        _ centroids: Centroids, labels: DeviceBuffer<Int32>, count: Int, _ sums: ClusterSums,
        weights: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try require(
            centroids.count > 0 && centroids.panelWidth == panelWidth && labels.count >= count
                && sums.count == centroids.count && sums.dimensions == centroids.dimensions
                && weights.count >= centroids.count, "kmeans_accumulate_update",
            "sums of \(sums.count) clusters, \(weights.count) weights and \(labels.count) labels for "
                + "\(centroids.count) centroids and \(count) points")
    }

    func check(_ rows: Rows, into points: Points, at first: Int, _ operation: String) throws(ComputeError) {
        try check(points, operation)
        try require(
            rows.count > 0 && rows.elementCount >= rows.count * rows.dimensions, operation,
            "\(rows.elementCount) elements are not \(rows.count) rows of \(rows.dimensions)")
        try require(
            first >= 0 && first % pointLanes == 0 && first + rows.count <= points.count, operation,
            "rows \(first)..<\(first + rows.count) do not fit \(points.count) points")
        try require(
            (first + rows.count) % pointLanes == 0 || first + rows.count == points.count, operation,
            "only the last rows may fill a part of a tile")
    }

    func check(_ points: Points, labels: DeviceBuffer<Int32>, _ sums: ClusterSums, _ operation: String)
        throws(ComputeError)
    {
        try check(points, operation)
        try require(labels.count >= points.count, operation, "\(labels.count) labels for \(points.count) points")
        try require(
            sums.dimensions == points.dimensions, operation,
            "sums of \(sums.dimensions) dimensions for points of \(points.dimensions)")
    }

    func check<Element>(
        covariance rows: DeviceBuffer<Element>, _ shape: CovarianceShape, tiles: Int, sums: Int
    ) throws(ComputeError) {
        try require(
            shape.count > 0 && shape.dimensions > 0 && rows.count >= shape.count * shape.dimensions, "covariance",
            "\(rows.count) elements are not \(shape.count) rows of \(shape.dimensions)")
        try require(
            tiles >= shape.tileElements && sums >= shape.sumElements, "covariance", "too little room for the sums")
    }
}
