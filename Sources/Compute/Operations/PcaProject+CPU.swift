extension PcaProject {
    package func compute(on backend: CPUBackend) {
        switch rows.storage {
        case .bytes(let buffer): project(backend.pointer(buffer), on: backend) { Float($0) }
        case .floats(let buffer): project(backend.pointer(buffer), on: backend) { $0 }
        }
    }

    @inline(__always)
    private func project<Element>(
        _ source: UnsafePointer<Element>, on backend: CPUBackend, value: (Element) -> Float
    ) {
        let (rows, projection) = (rows, projection)
        let (lanes, panelWidth) = (Lanes.scalarCount, CPUBackend.panelWidth)
        let columns = rows.dimensions
        let components = projection.components
        let mean = backend.pointer(projection.mean)
        let panels = backend.pointer(projection.panels)
        let target = backend.pointer(points.buffer) + first * components
        // Some tiles a task: they share each panel.
        let together = 4
        let tiles = (rows.count + lanes - 1) / lanes
        backend.parallel((tiles + together - 1) / together) { task in
            let firstTile = task * together
            let count = min(together, tiles - firstTile)
            let scratch = Scratch(count: count * columns * lanes)
            defer { extendLifetime(scratch) }
            let packed = scratch.floats
            for tile in 0..<count {
                let row = (firstTile + tile) * lanes
                let first = source + row * columns
                packTile(rows: min(lanes, rows.count - row), columns: columns, into: packed + tile * columns * lanes) {
                    first + $0 * columns
                } value: {
                    value($0) - mean[$1]
                }
            }
            for panel in 0..<projection.panelCount {
                let component = panel * panelWidth
                // A panel's components past the last are padding.
                let products = LaneProducts(
                    planes: 1, rows: 1, taps: columns, outputs: min(panelWidth, components - component),
                    columns: count, x_plane: 0, x_row: 0, x_tap: 1, x_column: columns,
                    w_plane: 0, w_row: 0, w_tap: panelWidth, w_output: 1, y_output: 1, y_column: components)
                backend.loops.products(
                    products, packed, panels + (panel * (1 + columns) + 1) * panelWidth,
                    into: target + (firstTile * components + component) * lanes)
            }
        }
    }
}
