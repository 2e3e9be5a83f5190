extension PointsPack {
    package func compute(on backend: CPUBackend) {
        switch rows.storage {
        case .bytes(let buffer): pack(backend.pointer(buffer), on: backend) { Float($0) }
        case .floats(let buffer): pack(backend.pointer(buffer), on: backend) { $0 }
        }
    }

    @inline(__always)
    private func pack<Element>(
        _ source: UnsafePointer<Element>, on backend: CPUBackend, value: (Element) -> Float
    ) {
        let (rows, points, lanes) = (rows, points, Lanes.scalarCount)
        let target = backend.pointer(points.buffer) + first * points.dimensions
        backend.parallel((rows.count + lanes - 1) / lanes) { tile in
            let first = source + tile * lanes * rows.dimensions
            packTile(
                rows: min(lanes, rows.count - tile * lanes), columns: rows.dimensions,
                into: target + tile * points.dimensions * lanes
            ) {
                first + $0 * rows.dimensions
            } value: { element, _ in
                value(element)
            }
        }
    }
}
