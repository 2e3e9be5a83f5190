extension KmeansPlusPlusPick {
    package func compute(on backend: CPUBackend) {
        let lanes = Lanes.scalarCount
        let candidates = backend.pointer(start.candidates)
        let sums = backend.pointer(start.blockSums)
        let state = backend.pointer(start.state)
        if step < 0 {
            for trial in 0..<start.trials { candidates[trial] = Int32(first) }
            state[0] = 0
        } else {
            var best = 0
            var total = Float.infinity
            for trial in 0..<start.trials {
                var sum: Float = 0
                for block in 0..<start.blocks { sum += sums[trial * start.blocks + block] }
                if trial == 0 || sum < total {
                    best = trial
                    total = sum
                }
            }
            backend.pointer(start.chosen)[step] = candidates[best]
            state[0] = Int32(best)
            if step + 1 == start.count { return }
            let weights = UnsafePointer(backend.pointer(distances)) + best * points.tiles * lanes
            for trial in 0..<start.trials {
                let uniform = backend.pointer(start.uniforms)[(step + 1) * start.trials + trial]
                candidates[trial] = Int32(
                    draw(uniform, total: total, blockSums: sums + best * start.blocks, weights))
            }
        }
        let source = backend.pointer(points.buffer)
        let dimensions = points.dimensions
        for trial in 0..<start.trials {
            let from = Int(candidates[trial])
            for dimension in 0..<dimensions {
                backend.pointer(start.coordinates)[dimension * start.trials + trial] =
                    source[(from / lanes * dimensions + dimension) * lanes + from % lanes]
            }
        }
    }

    /// A point in proportion to `weights`: first the block, then the point in it. Never one of weight zero, unless all
    /// are (every point lies on a centre already), when any point will do.
    private func draw(
        _ uniform: Float, total: Float, blockSums: UnsafePointer<Float>, _ weights: UnsafePointer<Float>
    ) -> Int {
        guard total > 0 else { return min(Int(uniform * Float(points.count)), points.count - 1) }
        var left = uniform * total
        var block = 0
        for candidate in 0..<start.blocks where blockSums[candidate] > 0 {
            block = candidate
            if left < blockSums[candidate] { break }
            left -= blockSums[candidate]
        }
        let first = block * ClusteringShape.blockUnit
        var chosen = first
        for point in first..<min(first + ClusteringShape.blockUnit, points.count) where weights[point] > 0 {
            chosen = point
            if left < weights[point] { break }
            left -= weights[point]
        }
        return chosen
    }
}
