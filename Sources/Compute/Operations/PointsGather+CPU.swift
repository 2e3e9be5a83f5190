extension PointsGather {
    package func compute(on backend: CPUBackend) {
        let index = backend.pointer(indices)
        let source = backend.pointer(points.buffer)
        let target = backend.pointer(batch.buffer)
        let (count, dimensions, lanes) = (batch.count, batch.dimensions, Lanes.scalarCount)
        let size = dimensions * lanes
        backend.parallel(batch.tiles) { tile in
            for lane in 0..<lanes {
                let point = tile * lanes + lane
                let from = point < count ? Int(index[point]) : 0
                for dimension in 0..<dimensions {
                    target[tile * size + dimension * lanes + lane] =
                        point < count ? source[from / lanes * size + dimension * lanes + from % lanes] : 0
                }
            }
        }
    }
}
