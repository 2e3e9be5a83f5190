/// What several operations of PCA and k-means check alike.
extension Operation {
    /// Throws unless there are points in the backend's layout and all of them are there.
    func require(_ points: Points, in layout: DataLayout) throws(ComputeError) {
        try require(points.count > 0 && points.dimensions > 0, "there are no points")
        try require(
            points.lanes == layout.pointLanes
                && points.buffer.count >= points.tiles * points.dimensions * points.lanes,
            "the points are laid out for another device")
    }

    /// Throws unless there are centroids in the backend's layout, in both forms.
    func require(_ centroids: Centroids, in layout: DataLayout) throws(ComputeError) {
        try require(centroids.count > 0 && centroids.dimensions > 0, "there are no centroids")
        try require(centroids.panelWidth == layout.panelWidth, "the centroids are laid out for another device")
        try require(centroids.values, holds: centroids.count * centroids.dimensions)
        try require(
            centroids.panels, holds: centroids.panelCount * (1 + centroids.dimensions) * centroids.panelWidth)
    }

    /// Throws unless the coarse panels have room for these centroids.
    func require(_ coarse: CoarsePanels, of centroids: Centroids) throws(ComputeError) {
        try require(
            coarse.dimensions == centroids.dimensions,
            "coarse centroids of \(coarse.dimensions) dimensions for centroids of \(centroids.dimensions)")
        try require(
            coarse.dimensions <= CoarsePanels.mostDimensions,
            "coarse centroids of \(coarse.dimensions) dimensions, more than \(CoarsePanels.mostDimensions)")
        try require(
            coarse.numbers,
            holds: centroids.panelCount * CoarsePanels.rows(centroids.dimensions) * centroids.panelWidth)
        try require(coarse.bounds, holds: centroids.panelCount * CoarsePanels.boundCount)
    }

    /// Throws unless both are in the backend's layout and have as many coordinates.
    func require(_ points: Points, and centroids: Centroids, in layout: DataLayout) throws(ComputeError) {
        try require(points, in: layout)
        try require(
            centroids.count > 0 && centroids.dimensions == points.dimensions,
            "\(centroids.count) centroids of \(centroids.dimensions) dimensions for points of \(points.dimensions)")
        try require(centroids, in: layout)
    }

    /// Throws unless all rows are there and fit between other points, from point `first` on, without a part of a tile
    /// that later rows would have to fill.
    func require(_ rows: Rows, into points: Points, at first: Int, in layout: DataLayout) throws(ComputeError) {
        try require(points, in: layout)
        try require(
            rows.count > 0 && rows.dimensions > 0 && rows.elementCount >= rows.count * rows.dimensions,
            "\(rows.elementCount) elements are not \(rows.count) rows of \(rows.dimensions)")
        try require(
            first >= 0 && first % layout.pointLanes == 0 && first + rows.count <= points.count,
            "rows \(first)..<\(first + rows.count) do not fit \(points.count) points")
        try require(
            (first + rows.count) % layout.pointLanes == 0 || first + rows.count == points.count,
            "only the last rows may fill a part of a tile")
    }

    /// Throws unless the batch has `count` rows' numbers, and the matrix a row at least.
    func require(_ batch: SampledRows, count: Int, dimensions: Int) throws(ComputeError) {
        try require(
            batch.first >= 0 && count > 0 && batch.first + count <= batch.indices.count
                && batch.rows.count >= dimensions,
            "indices \(batch.first)..<\(batch.first + count) of \(batch.indices.count), \(batch.rows.count) "
                + "elements of rows")
    }

    /// Throws unless the sums have their totals, in units that float32 holds.
    func require(totalsOf sums: ClusterSums) throws(ComputeError) {
        try require(positive: [sums.count, sums.dimensions])
        let exponents = ClusterSums.exponents
        try require(
            exponents.contains(sums.exponent),
            "sums in units of 2^\(-sums.exponent), from 2^\(-exponents.upperBound) to 2^\(-exponents.lowerBound) are possible"
        )
        try require(sums.totals, holds: sums.totalElements)
    }

    /// Throws unless the sums have room for a round's blocks.
    func require(partialsOf sums: ClusterSums) throws(ComputeError) {
        try require(positive: [sums.count, sums.dimensions, sums.blocks, sums.blockPoints])
        try require(sums.partials, holds: sums.blocks * sums.partialElements)
        try require(sums.partialCounts, holds: sums.blocks * sums.count)
    }

    /// Throws unless the sums have totals for these centroids.
    func require(totalsOf sums: ClusterSums, fit centroids: Centroids) throws(ComputeError) {
        try require(
            sums.count == centroids.count && sums.dimensions == centroids.dimensions,
            "sums of \(sums.count) clusters of \(sums.dimensions) dimensions for \(centroids.count) centroids of "
                + "\(centroids.dimensions)")
        try require(totalsOf: sums)
    }

    /// Throws unless the memory of a start has what these points need.
    func require(_ start: PlusPlusStart, of points: Points, in layout: DataLayout) throws(ComputeError) {
        try require(points, in: layout)
        try require(positive: [start.count, start.trials])
        let unit = ClusteringShape.blockUnit
        try require(
            start.blocks == (points.count + unit - 1) / unit,
            "sums over \(start.blocks) blocks of \(unit) for \(points.count) points")
        try require(start.blockSums, holds: start.trials * start.blocks)
        try require(start.candidates, holds: start.trials)
        try require(start.coordinates, holds: start.trials * points.dimensions)
        try require(start.uniforms, holds: start.count * start.trials)
        try require(start.state, holds: 1)
        try require(start.chosen, holds: start.count)
    }

    /// Throws unless the memory of a greedy order has what these points need, and room for pick `step`.
    func require(_ order: GreedyOrder, of points: Points, step: Int, in layout: DataLayout) throws(ComputeError) {
        try require(points, in: layout)
        try require(step >= 0 && step < order.count, "pick \(step) of \(order.count)")
        try require(order.count <= points.count, "\(order.count) picks from \(points.count) points")
        let unit = ClusteringShape.blockUnit
        try require(
            order.blockPoints > 0 && order.blockPoints % unit == 0
                && order.blocks == (points.count + order.blockPoints - 1) / order.blockPoints,
            "\(order.blocks) blocks of \(order.blockPoints) for \(points.count) points")
        try require(order.state, holds: points.tiles * points.lanes)
        try require(order.target, holds: 2 * points.dimensions)
        try require(order.mean, holds: 2 * points.dimensions)
        try require(order.blockKeys, holds: order.blocks)
        try require(order.blockBest, holds: order.blocks)
        try require(order.picks, holds: order.count)
    }
}
