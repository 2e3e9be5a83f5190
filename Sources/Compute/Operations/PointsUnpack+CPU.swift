extension PointsUnpack {
    package func compute(on backend: CPUBackend) {
        let (count, dimensions, lanes) = (points.count, points.dimensions, Lanes.scalarCount)
        let source = backend.pointer(points.buffer)
        let target = backend.pointer(rows)
        backend.parallel(points.tiles) { tile in
            for row in tile * lanes..<min((tile + 1) * lanes, count) {
                let from = source + tile * dimensions * lanes + row % lanes
                for dimension in 0..<dimensions { target[row * dimensions + dimension] = from[dimension * lanes] }
            }
        }
    }
}
