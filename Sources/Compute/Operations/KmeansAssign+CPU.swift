extension KmeansAssign {
    package func compute(on backend: CPUBackend) {
        if let batch { gather(batch, on: backend) }
        let loops = backend.loops
        let (lanes, panelWidth) = (Lanes.scalarCount, CPUBackend.panelWidth)
        let (points, centroids, direct) = (points, centroids, direct)
        let dimensions = points.dimensions
        let size = dimensions * lanes
        let source = backend.pointer(points.buffer)
        let panels = backend.pointer(centroids.panels)
        let values = backend.pointer(centroids.values)
        let labelOut = backend.pointer(labels)
        let distanceOut = distances.map { backend.pointer($0) + firstDistance }
        let judge = direct ? DirectComparison(centroids, panels: panels, values: values) : nil
        // Some tiles a task, which share each panel, and stay in the nearest cache for all panels.
        let together = 8
        backend.parallel((points.tiles + together - 1) / together) { task in
            let tiles = task * together..<min((task + 1) * together, points.tiles)
            let columns = tiles.count * lanes
            let products = LaneProducts(
                planes: 1, rows: 1, taps: dimensions, outputs: panelWidth, columns: tiles.count,
                x_plane: 0, x_row: 0, x_tap: 1, x_column: dimensions,
                w_plane: 0, w_row: 0, w_tap: panelWidth, w_output: 1, y_output: tiles.count, y_column: 1)
            let kept = direct ? 3 : 1
            let scores = Scratch(count: (panelWidth + kept) * columns)
            defer { extendLifetime(scores) }
            let best = scores.floats + panelWidth * columns
            best.update(repeating: -.infinity, count: kept * columns)
            var nearest = [Int32](repeating: 0, count: (direct ? 2 : 1) * columns)
            for panel in 0..<centroids.panelCount {
                let w = panels + panel * (1 + dimensions) * panelWidth
                loops.products(
                    products, source + tiles.lowerBound * size, w + panelWidth, start: w, into: scores.floats)
                if direct {
                    loops.keepThree(
                        scores.floats, rows: panelWidth, first: panel * panelWidth, best: best, index: &nearest)
                } else {
                    loops.keepLargest(
                        scores.floats, rows: panelWidth, first: panel * panelWidth, best: best, index: &nearest)
                }
            }
            for tile in tiles {
                var squares = Lanes.zero
                if direct {
                    let x = (source + tile * size).lanes
                    for dimension in 0..<dimensions { squares += x[dimension] * x[dimension] }
                }
                for lane in 0..<min(lanes, points.count - tile * lanes) {
                    let column = (tile - tiles.lowerBound) * lanes + lane
                    let x = source + tile * size + lane
                    var label = nearest[column]
                    if let judge {
                        label = judge.nearest(
                            x, square: squares[lane],
                            scores: (best[column], best[columns + column], best[2 * columns + column]),
                            labels: (label, nearest[columns + column]))
                    }
                    labelOut[tile * lanes + lane] = label
                    guard let distanceOut else { continue }
                    distanceOut[tile * lanes + lane] = squaredDistance(
                        x, values + Int(label) * dimensions, dimensions: dimensions)
                }
            }
        }
    }

    /// points[i] = rows[indices[first + i]], zero in the lanes beyond the last one.
    private func gather(_ batch: SampledRows, on backend: CPUBackend) {
        let lanes = Lanes.scalarCount
        let (count, dimensions) = (points.count, points.dimensions)
        let index = backend.pointer(batch.indices) + batch.first
        let source = backend.pointer(batch.rows)
        let target = backend.pointer(points.buffer)
        backend.parallel(points.tiles) { tile in
            for lane in 0..<lanes {
                let point = tile * lanes + lane
                let row = source + (point < count ? Int(index[point]) * dimensions : 0)
                for dimension in 0..<dimensions {
                    target[(tile * dimensions + dimension) * lanes + lane] = point < count ? row[dimension] : 0
                }
            }
        }
    }
}

/// The squared distance of a lane of a tile to a centroid, summed directly.
@inline(__always)
private func squaredDistance(_ x: UnsafePointer<Float>, _ centroid: UnsafePointer<Float>, dimensions: Int) -> Float {
    var sum: Float = 0
    for dimension in 0..<dimensions {
        let difference = x[dimension * Lanes.scalarCount] - centroid[dimension]
        sum += difference * difference
    }
    return sum
}

/// Decides by distances where scores may be in the wrong order: between the best two, or where a third is as close,
/// among all centroids. Kernels/kmeans_assign.cl derives the bound.
private struct DirectComparison {
    private let count: Int
    private let dimensions: Int
    private let panels: UnsafePointer<Float>
    private let values: UnsafePointer<Float>
    /// C, the length of the longest centroid.
    private let length: Float

    init(_ centroids: Centroids, panels: UnsafePointer<Float>, values: UnsafePointer<Float>) {
        count = centroids.count
        dimensions = centroids.dimensions
        self.panels = panels
        self.values = values
        var largest: Float = 0
        for centroid in 0..<centroids.count {
            let start = Self.start(panels, centroid, centroids.dimensions)
            if start > -.infinity { largest = max(largest, -start) }
        }
        length = (2 * largest).squareRoot()
    }

    /// Minus half a centroid's square; minus infinity where it overflows, so that the centroid is never chosen.
    private static func start(_ panels: UnsafePointer<Float>, _ centroid: Int, _ dimensions: Int) -> Float {
        panels[
            centroid / CPUBackend.panelWidth * (1 + dimensions) * CPUBackend.panelWidth
                + centroid % CPUBackend.panelWidth]
    }

    /// The nearest centroid of the lane at `x`, whose squared length, three best scores and two best labels these are.
    func nearest(
        _ x: UnsafePointer<Float>, square: Float, scores: (Float, Float, Float), labels: (Int32, Int32)
    ) -> Int32 {
        // A quarter more than the bound, since the lengths are rounded too.
        let bound = 1.25 * Float(dimensions + 4) * 0x1p-23 * length * (length + square.squareRoot())
        // The difference of infinities is no number and not at most anything.
        guard scores.0 - scores.1 <= bound else { return labels.0 }
        if scores.0 - scores.2 <= bound { return nearestOfAll(x, otherwise: labels.0) }
        let mine = squaredDistance(x, values + Int(labels.0) * dimensions, dimensions: dimensions)
        let its = squaredDistance(x, values + Int(labels.1) * dimensions, dimensions: dimensions)
        return its < mine || (its == mine && labels.1 < labels.0) ? labels.1 : labels.0
    }

    private func nearestOfAll(_ x: UnsafePointer<Float>, otherwise label: Int32) -> Int32 {
        var nearest = label
        var least = Float.infinity
        for centroid in 0..<count where Self.start(panels, centroid, dimensions) > -.infinity {
            let square = squaredDistance(x, values + centroid * dimensions, dimensions: dimensions)
            if square < least {
                least = square
                nearest = Int32(truncatingIfNeeded: centroid)
            }
        }
        return nearest
    }
}
