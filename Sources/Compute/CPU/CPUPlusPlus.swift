extension CPUBackend {
    package func plusPlusDistances(
        _ start: PlusPlusStart, of points: Points, previous: DeviceBuffer<Float>, next: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(points, "kmeans_plus_plus_distances")
        let stride = points.tiles * 16
        try require(
            previous.count >= start.trials * stride && next.count >= start.trials * stride,
            "kmeans_plus_plus_distances", "too little room for the distances")
        let dimensions = points.dimensions
        let source = pointer(points.buffer)
        let coordinates = pointer(start.coordinates)
        let kept = pointer(previous) + Int(pointer(start.state)[0]) * stride
        let out = pointer(next)
        let sums = pointer(start.blockSums)
        let blockTiles = ClusteringShape.blockUnit / 16
        parallel(start.blocks) { block in
            for trial in 0..<start.trials {
                var total = Lanes.zero
                for tile in block * blockTiles..<min((block + 1) * blockTiles, points.tiles) {
                    let x = (source + tile * dimensions * 16).lanes
                    var sum = Lanes.zero
                    for dimension in 0..<dimensions {
                        let difference = x[dimension] - coordinates[dimension * start.trials + trial]
                        sum += difference * difference
                    }
                    let before = (kept + tile * 16).lanes[0]
                    sum.replace(with: before, where: before .< sum)
                    for lane in 0..<16 where tile * 16 + lane >= points.count { sum[lane] = 0 }
                    (out + trial * stride + tile * 16).lanes[0] = sum
                    total += sum
                }
                var sum: Float = 0
                for lane in 0..<16 { sum += total[lane] }
                sums[trial * start.blocks + block] = sum
            }
        }
    }

    package func plusPlusPick(
        _ start: PlusPlusStart, of points: Points, distances: DeviceBuffer<Float>, step: Int, first: Int
    ) throws(ComputeError) {
        try check(points, "kmeans_plus_plus_pick")
        try require(
            step >= -1 && step < start.count && first >= 0 && first < points.count, "kmeans_plus_plus_pick",
            "step \(step) of \(start.count), first point \(first) of \(points.count)")
        let candidates = pointer(start.candidates)
        let sums = pointer(start.blockSums)
        let state = pointer(start.state)
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
            pointer(start.chosen)[step] = candidates[best]
            state[0] = Int32(best)
            if step + 1 == start.count { return }
            let weights = UnsafePointer(pointer(distances)) + best * points.tiles * 16
            for trial in 0..<start.trials {
                let uniform = pointer(start.uniforms)[(step + 1) * start.trials + trial]
                candidates[trial] = Int32(
                    draw(uniform, total: total, blockSums: sums + best * start.blocks, weights, start, points))
            }
        }
        let source = pointer(points.buffer)
        let dimensions = points.dimensions
        for trial in 0..<start.trials {
            let from = Int(candidates[trial])
            for dimension in 0..<dimensions {
                pointer(start.coordinates)[dimension * start.trials + trial] =
                    source[(from / 16 * dimensions + dimension) * 16 + from % 16]
            }
        }
    }

    /// A point in proportion to `weights`: first the block, then the point in it. Never one of weight zero, unless all
    /// are (every point lies on a centre already), when any point will do.
    private func draw(
        _ uniform: Float, total: Float, blockSums: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
        _ start: PlusPlusStart, _ points: Points
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
