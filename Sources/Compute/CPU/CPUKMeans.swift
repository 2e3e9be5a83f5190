extension CPUBackend {
    public func packCentroids(_ centroids: Centroids) throws(ComputeError) {
        let dimensions = centroids.dimensions
        let values = pointer(centroids.values)
        let panels = pointer(centroids.panels)
        parallel(centroids.panelCount) { panel in
            let out = panels + panel * (1 + dimensions) * cpuPanelWidth
            for slot in 0..<cpuPanelWidth {
                let centroid = panel * cpuPanelWidth + slot
                var square: Float = 0
                for dimension in 0..<dimensions {
                    let value = centroid < centroids.count ? values[centroid * dimensions + dimension] : 0
                    out[(1 + dimension) * cpuPanelWidth + slot] = value
                    square += value * value
                }
                out[slot] = centroid < centroids.count ? -0.5 * square : -.infinity
            }
        }
    }

    public func assign(
        _ points: Points, to centroids: Centroids, labels: DeviceBuffer<Int32>, distances: DeviceBuffer<Float>?
    ) throws(ComputeError) {
        try check(points, centroids, labels: labels, distances: distances?.count ?? points.count)
        assign(points, centroids, labels, distances.map { pointer($0) })
    }

    public func gatherAndAssign(
        _ indices: DeviceBuffer<Int32>, at first: Int, of rows: DeviceBuffer<Float>, into batch: Points,
        to centroids: Centroids, labels: DeviceBuffer<Int32>, distances: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(batch, centroids, labels: labels, distances: distances.count - first)
        try check(indices, at: first, count: batch.count, of: rows, dimensions: batch.dimensions)
        let dimensions = batch.dimensions
        let index = pointer(indices) + first
        let source = pointer(rows)
        let target = pointer(batch.buffer)
        parallel(batch.tiles) { tile in
            for lane in 0..<16 {
                let point = tile * 16 + lane
                let row = source + (point < batch.count ? Int(index[point]) * dimensions : 0)
                for dimension in 0..<dimensions {
                    target[(tile * dimensions + dimension) * 16 + lane] = point < batch.count ? row[dimension] : 0
                }
            }
        }
        assign(batch, centroids, labels, pointer(distances) + first)
    }

    private func assign(
        _ points: Points, _ centroids: Centroids, _ labels: DeviceBuffer<Int32>,
        _ distanceOut: UnsafeMutablePointer<Float>?
    ) {
        let dimensions = points.dimensions
        let size = dimensions * 16
        let source = pointer(points.buffer)
        let panels = pointer(centroids.panels)
        let values = pointer(centroids.values)
        let labelOut = pointer(labels)
        // Some tiles a task, which share each panel, and stay in the nearest cache for all panels.
        let together = 8
        parallel((points.tiles + together - 1) / together) { task in
            let tiles = task * together..<min((task + 1) * together, points.tiles)
            let products = LaneProducts(
                planes: 1, rows: 1, taps: dimensions, outputs: cpuPanelWidth, columns: tiles.count,
                x_plane: 0, x_row: 0, x_tap: 1, x_column: dimensions,
                w_plane: 0, w_row: 0, w_tap: cpuPanelWidth, w_output: 1, y_output: tiles.count, y_column: 1)
            let scores = Scratch(count: (cpuPanelWidth + 1) * tiles.count * 16)
            defer { extendLifetime(scores) }
            let best = scores.floats + cpuPanelWidth * tiles.count * 16
            best.update(repeating: -.infinity, count: tiles.count * 16)
            var nearest = [Int32](repeating: 0, count: tiles.count * 16)
            for panel in 0..<centroids.panelCount {
                let w = panels + panel * (1 + dimensions) * cpuPanelWidth
                loops.products(
                    products, source + tiles.lowerBound * size, w + cpuPanelWidth, start: w, into: scores.floats)
                loops.keepLargest(
                    scores.floats, rows: cpuPanelWidth, first: panel * cpuPanelWidth, best: best, index: &nearest)
            }
            for tile in tiles {
                for lane in 0..<min(16, points.count - tile * 16) {
                    let label = nearest[(tile - tiles.lowerBound) * 16 + lane]
                    labelOut[tile * 16 + lane] = label
                    guard let distanceOut else { continue }
                    let x = source + tile * size
                    let centroid = values + Int(label) * dimensions
                    var sum: Float = 0
                    for dimension in 0..<dimensions {
                        let difference = x[dimension * 16 + lane] - centroid[dimension]
                        sum += difference * difference
                    }
                    distanceOut[tile * 16 + lane] = sum
                }
            }
        }
    }

    public func accumulate(_ points: Points, labels: DeviceBuffer<Int32>, into sums: ClusterSums, adding: Bool)
        throws(ComputeError)
    {
        try check(points, labels: labels, sums, "kmeans_accumulate")
        let size = sums.count * sums.dimensions
        let totals = pointer(sums.totals)
        let counts = pointer(sums.counts)
        let partials = pointer(sums.partials)
        let partialCounts = pointer(sums.partialCounts)
        if !adding {
            totals.update(repeating: 0, count: 2 * size)
            counts.update(repeating: 0, count: sums.count)
        }
        for first in sums.rounds(of: points.count) {
            let blocks = sums.blocks(from: first, of: points.count)
            parallel(blocks) { block in
                accumulateBlock(block, from: first, points, pointer(labels), sums)
            }
            let pieces = 16
            parallel(pieces) { piece in
                for element in size * piece / pieces..<size * (piece + 1) / pieces {
                    for block in 0..<blocks {
                        addTwo(
                            partials[block * size + element], to: &totals[element], correction: &totals[size + element])
                    }
                }
                for cluster in sums.count * piece / pieces..<sums.count * (piece + 1) / pieces {
                    for block in 0..<blocks { counts[cluster] += partialCounts[block * sums.count + cluster] }
                }
            }
        }
    }

    private func accumulateBlock(
        _ block: Int, from first: Int, _ points: Points, _ labels: UnsafePointer<Int32>, _ sums: ClusterSums
    ) {
        let dimensions = points.dimensions
        let size = sums.count * dimensions
        let source = pointer(points.buffer)
        let partial = pointer(sums.partials) + block * size
        let partialCount = pointer(sums.partialCounts) + block * sums.count
        partial.update(repeating: 0, count: size)
        partialCount.update(repeating: 0, count: sums.count)
        let start = first + block * sums.blockPoints
        for point in start..<min(start + sums.blockPoints, points.count) {
            let cluster = Int(labels[point])
            let x = source + point / 16 * dimensions * 16 + point % 16
            let row = partial + cluster * dimensions
            for dimension in 0..<dimensions { row[dimension] += x[dimension * 16] }
            partialCount[cluster] += 1
        }
    }

    public func updateCentroids(_ centroids: Centroids, from sums: ClusterSums, shifts: DeviceBuffer<Float>)
        throws(ComputeError)
    {
        try check(centroids, from: sums, shifts: shifts)
        update(centroids, sums, weights: nil, shifts: pointer(shifts))
    }

    public func accumulateAndUpdate(
        _ centroids: Centroids, from indices: DeviceBuffer<Int32>, at first: Int, of rows: DeviceBuffer<Float>,
        labels: DeviceBuffer<Int32>, count: Int, sums: ClusterSums, weights: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(centroids, labels: labels, count: count, sums, weights: weights)
        try check(indices, at: first, count: count, of: rows, dimensions: centroids.dimensions)
        let dimensions = centroids.dimensions
        let size = sums.count * dimensions
        let totals = pointer(sums.totals)
        let counts = pointer(sums.counts)
        totals.update(repeating: 0, count: 2 * size)
        counts.update(repeating: 0, count: sums.count)
        for point in 0..<count {
            let cluster = Int(pointer(labels)[point])
            let x = pointer(rows) + Int(pointer(indices)[first + point]) * dimensions
            let sum = totals + cluster * dimensions
            for dimension in 0..<dimensions {
                addTwo(x[dimension], to: &sum[dimension], correction: &sum[size + dimension])
            }
            counts[cluster] += 1
        }
        update(centroids, sums, weights: pointer(weights), shifts: nil)
        try packCentroids(centroids)
    }

    /// Means of the points of every cluster, with the old centroid as `weights` points where there are weights.
    private func update(
        _ centroids: Centroids, _ sums: ClusterSums, weights: UnsafeMutablePointer<Float>?,
        shifts: UnsafeMutablePointer<Float>?
    ) {
        let dimensions = centroids.dimensions
        let size = sums.count * dimensions
        let totals = pointer(sums.totals)
        let counts = pointer(sums.counts)
        let values = pointer(centroids.values)
        parallel(16) { piece in
            for cluster in centroids.count * piece / 16..<centroids.count * (piece + 1) / 16 {
                let count = Float(counts[cluster])
                let before = weights?[cluster] ?? 0
                var shift: Float = 0
                if count > 0 {
                    for dimension in 0..<dimensions {
                        let element = cluster * dimensions + dimension
                        let sum = totals[element] + totals[size + element]
                        let old = values[element]
                        let new = (old * before + sum) / (before + count)
                        values[element] = new
                        shift += (new - old) * (new - old)
                    }
                    weights?[cluster] = before + count
                }
                shifts?[cluster] = shift
            }
        }
    }
}

/// Knuth's two-sum: `sum` plus `value`, and what the addition drops goes into the correction.
@inline(__always)
private func addTwo(_ value: Float, to sum: inout Float, correction: inout Float) {
    let next = sum + value
    let part = next - sum
    correction += (sum - (next - part)) + (value - part)
    sum = next
}
