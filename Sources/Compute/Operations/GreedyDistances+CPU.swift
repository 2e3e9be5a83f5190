extension GreedyDistances {
    package func compute(on backend: CPUBackend) {
        let blockTiles = order.blockPoints / Lanes.scalarCount
        let keys = backend.pointer(order.blockKeys)
        let best = backend.pointer(order.blockBest)
        backend.parallel(order.blocks) { block in
            let tiles = block * blockTiles..<min((block + 1) * blockTiles, points.tiles)
            let (key, point) = order.isFarthest(step) ? farthest(tiles, backend) : nearest(tiles, backend)
            keys[block] = key
            best[block] = point
        }
    }

    /// Dimensions between two looks at whether a point may still be wanted.
    private static var stride: Int { 16 }

    /// Adds the squared differences of some dimensions: no multiply-add, which not every processor has.
    @inline(__always)
    private func add(
        _ range: Range<Int>, of x: UnsafePointer<Lanes>, to target: UnsafePointer<Float>, into sum: inout Lanes
    ) {
        for dimension in range {
            let difference = x[dimension] - target[dimension]
            sum += difference * difference
        }
    }

    /// The point of `tiles` that is furthest from the picks, the lowest of several, the last pick being `target`.
    private func farthest(_ tiles: Range<Int>, _ backend: CPUBackend) -> (Float, Int32) {
        let (lanes, dimensions) = (Lanes.scalarCount, points.dimensions)
        let source = backend.lanes(points.buffer)
        let states = backend.lanes(order.state)
        let target = UnsafePointer(backend.pointer(order.target))
        var best = (key: -Float.infinity, point: Int32.max)
        for tile in tiles {
            let x = UnsafePointer(source + tile * dimensions)
            var sum = Lanes.zero
            var state = states[tile]
            for first in Swift.stride(from: 0, to: dimensions, by: Self.stride) {
                add(first..<min(first + Self.stride, dimensions), of: x, to: target, into: &sum)
                if !any(sum .< state) { break }
            }
            let nearer = sum .< state
            if any(nearer) {
                state.replace(with: sum, where: nearer)
                states[tile] = state
            }
            guard any(state .> max(best.key, -0.5)) else { continue }
            for lane in 0..<lanes where state[lane] >= 0 && state[lane] > best.key {
                best = (state[lane], Int32(tile * lanes + lane))
            }
        }
        return best
    }

    /// The point of `tiles` that is left and nearest to `target`, the lowest of several; its key is -distance.
    private func nearest(_ tiles: Range<Int>, _ backend: CPUBackend) -> (Float, Int32) {
        let (lanes, dimensions) = (Lanes.scalarCount, points.dimensions)
        let source = backend.lanes(points.buffer)
        let states = backend.lanes(order.state)
        let target = UnsafePointer(backend.pointer(order.target))
        var best = (key: -Float.infinity, point: Int32.max)
        for tile in tiles {
            let x = UnsafePointer(source + tile * dimensions)
            let isLeft = states[tile] .>= 0
            var sum = Lanes.zero
            var wanted = isLeft
            for first in Swift.stride(from: 0, to: dimensions, by: Self.stride) {
                add(first..<min(first + Self.stride, dimensions), of: x, to: target, into: &sum)
                wanted = isLeft .& .!(sum .> -best.key)
                if !any(wanted) { break }
            }
            guard any(wanted) else { continue }
            for lane in 0..<lanes where isLeft[lane] {
                let square = sum[lane]
                let key = square < .greatestFiniteMagnitude ? -square : -Float.greatestFiniteMagnitude
                if key > best.key { best = (key, Int32(tile * lanes + lane)) }
            }
        }
        return best
    }
}
