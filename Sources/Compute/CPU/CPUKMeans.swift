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
        try check(points, centroids, "kmeans_assign")
        try require(
            labels.count >= points.count && (distances?.count ?? points.count) >= points.count, "kmeans_assign",
            "\(labels.count) labels for \(points.count) points")
        let dimensions = points.dimensions
        let size = dimensions * 16
        let source = pointer(points.buffer)
        let panels = pointer(centroids.panels)
        let values = pointer(centroids.values)
        let labelOut = pointer(labels)
        let distanceOut = distances.map { pointer($0) }
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
                        // Knuth's two-sum: what the addition drops goes into the correction.
                        let sum = totals[element]
                        let value = partials[block * size + element]
                        let next = sum + value
                        let part = next - sum
                        totals[size + element] += (sum - (next - part)) + (value - part)
                        totals[element] = next
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

    public func updateCentroids(
        _ centroids: Centroids, from sums: ClusterSums, weights: DeviceBuffer<Float>?, shifts: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try require(
            sums.count == centroids.count && sums.dimensions == centroids.dimensions
                && shifts.count >= centroids.count && (weights?.count ?? centroids.count) >= centroids.count,
            "kmeans_update", "sums of \(sums.count) clusters for \(centroids.count) centroids")
        let dimensions = centroids.dimensions
        let size = sums.count * dimensions
        let totals = pointer(sums.totals)
        let counts = pointer(sums.counts)
        let values = pointer(centroids.values)
        let shiftOut = pointer(shifts)
        let weight = weights.map { pointer($0) }
        parallel(16) { piece in
            for cluster in centroids.count * piece / 16..<centroids.count * (piece + 1) / 16 {
                let count = Float(counts[cluster])
                let before = weight?[cluster] ?? 0
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
                    weight?[cluster] = before + count
                }
                shiftOut[cluster] = shift
            }
        }
    }
}
