extension CPUBackend {
    package func packCentroids(_ centroids: Centroids) throws(ComputeError) {
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

    package func accumulate(_ points: Points, labels: DeviceBuffer<Int32>, into sums: ClusterSums, adding: Bool)
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
        let stride = sums.isCompensated ? 2 * size : size
        for first in sums.rounds(of: points.count) {
            let blocks = sums.blocks(from: first, of: points.count)
            parallel(blocks) { block in
                accumulateBlock(block, from: first, points, pointer(labels), sums)
            }
            let pieces = 16
            parallel(pieces) { piece in
                for element in size * piece / pieces..<size * (piece + 1) / pieces {
                    for block in 0..<blocks {
                        let partial = partials + block * stride
                        addTwo(partial[element], to: &totals[element], correction: &totals[size + element])
                        if sums.isCompensated { totals[size + element] += partial[size + element] }
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
        let stride = sums.isCompensated ? 2 * size : size
        let partial = pointer(sums.partials) + block * stride
        let partialCount = pointer(sums.partialCounts) + block * sums.count
        partial.update(repeating: 0, count: stride)
        partialCount.update(repeating: 0, count: sums.count)
        let start = first + block * sums.blockPoints
        for point in start..<min(start + sums.blockPoints, points.count) {
            let cluster = Int(labels[point])
            let x = source + point / 16 * dimensions * 16 + point % 16
            let row = partial + cluster * dimensions
            if sums.isCompensated {
                for dimension in 0..<dimensions {
                    addTwo(x[dimension * 16], to: &row[dimension], correction: &row[size + dimension])
                }
            } else {
                for dimension in 0..<dimensions { row[dimension] += x[dimension * 16] }
            }
            partialCount[cluster] += 1
        }
    }

    package func updateCentroids(_ centroids: Centroids, from sums: ClusterSums, shifts: DeviceBuffer<Float>)
        throws(ComputeError)
    {
        try check(centroids, from: sums, shifts: shifts)
        update(centroids, sums, weights: nil, shifts: pointer(shifts))
    }

    package func accumulateAndUpdate(
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
