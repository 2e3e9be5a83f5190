extension CentroidsGather {
    package func compute(on backend: CPUBackend) {
        let index = backend.pointer(indices)
        let slot = backend.pointer(slots)
        let source = backend.pointer(points.buffer)
        let target = backend.pointer(centroids.values)
        let (dimensions, lanes) = (points.dimensions, Lanes.scalarCount)
        for row in 0..<slots.count {
            let from = Int(index[row])
            for dimension in 0..<dimensions {
                target[Int(slot[row]) * dimensions + dimension] =
                    source[(from / lanes * dimensions + dimension) * lanes + from % lanes]
            }
        }
    }
}
