extension GreedyPick {
    package func compute(on backend: CPUBackend) {
        let (lanes, dimensions) = (Lanes.scalarCount, points.dimensions)
        let keys = backend.pointer(order.blockKeys)
        let numbers = backend.pointer(order.blockBest)
        var best = (key: -Float.infinity, point: Int32.max)
        for block in 0..<order.blocks {
            let (key, point) = (keys[block], numbers[block])
            if key > best.key || (key == best.key && point < best.point) { best = (key, point) }
        }
        let picked = min(Int(best.point), points.count - 1)
        backend.pointer(order.picks)[step] = Int32(picked)
        backend.pointer(order.state)[picked] = -1
        let x = backend.pointer(points.buffer) + picked / lanes * dimensions * lanes + picked % lanes
        let target = backend.pointer(order.target)
        let mean = backend.pointer(order.mean)
        for dimension in 0..<dimensions {
            guard order.rule == .herding else {
                target[dimension] = x[dimension * lanes]
                target[dimensions + dimension] = 0
                continue
            }
            var sum = target[dimension]
            var dropped: Float = 0
            addTwo(mean[dimension], to: &sum, correction: &dropped)
            addTwo(-x[dimension * lanes], to: &sum, correction: &dropped)
            let rest = target[dimensions + dimension] + mean[dimensions + dimension] + dropped
            dropped = 0
            addTwo(rest, to: &sum, correction: &dropped)
            target[dimension] = sum
            target[dimensions + dimension] = dropped
        }
    }
}
