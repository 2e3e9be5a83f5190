extension CPUBackend {
    package var pointLanes: Int { Lanes.scalarCount }
    package var panelWidth: Int { cpuPanelWidth }

    package func packPoints(_ rows: Rows, into points: Points, at first: Int) throws(ComputeError) {
        try check(rows, into: points, at: first, "points_pack")
        try require(
            rows.dimensions == points.dimensions, "points_pack",
            "rows of \(rows.dimensions) columns for points of \(points.dimensions) dimensions")
        switch rows.storage {
        case .bytes(let buffer): pack(pointer(buffer), rows, points, first) { Float($0) }
        case .floats(let buffer): pack(pointer(buffer), rows, points, first) { $0 }
        }
    }

    @inline(__always)
    private func pack<Element>(
        _ source: UnsafePointer<Element>, _ rows: Rows, _ points: Points, _ first: Int, value: (Element) -> Float
    ) {
        let lanes = points.lanes
        let target = pointer(points.buffer) + first * points.dimensions
        parallel((rows.count + lanes - 1) / lanes) { tile in
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

    package func unpackPoints(_ points: Points, into rows: DeviceBuffer<Float>) throws(ComputeError) {
        try check(points, unpackedInto: rows)
        let (dimensions, lanes) = (points.dimensions, points.lanes)
        let source = pointer(points.buffer)
        let target = pointer(rows)
        parallel(points.tiles) { tile in
            for row in tile * lanes..<min((tile + 1) * lanes, points.count) {
                let from = source + tile * dimensions * lanes + row % lanes
                for dimension in 0..<dimensions { target[row * dimensions + dimension] = from[dimension * lanes] }
            }
        }
    }

    package func project(_ rows: Rows, through projection: Projection, into points: Points, at first: Int)
        throws(ComputeError)
    {
        try check(rows, into: points, at: first, "pca_project")
        try require(
            rows.dimensions == projection.dimensions && points.dimensions == projection.components, "pca_project",
            "a projection from \(projection.dimensions) to \(projection.components) dimensions for rows of "
                + "\(rows.dimensions) columns and points of \(points.dimensions) dimensions")
        switch rows.storage {
        case .bytes(let buffer): project(pointer(buffer), rows, projection, points, first) { Float($0) }
        case .floats(let buffer): project(pointer(buffer), rows, projection, points, first) { $0 }
        }
    }

    @inline(__always)
    private func project<Element>(
        _ source: UnsafePointer<Element>, _ rows: Rows, _ projection: Projection, _ points: Points, _ first: Int,
        value: (Element) -> Float
    ) {
        let columns = rows.dimensions
        let components = projection.components
        let mean = pointer(projection.mean)
        let panels = pointer(projection.panels)
        let target = pointer(points.buffer) + first * components
        // Some tiles a task: they share each panel.
        let together = 4
        let tiles = (rows.count + 15) / 16
        parallel((tiles + together - 1) / together) { task in
            let firstTile = task * together
            let count = min(together, tiles - firstTile)
            let scratch = Scratch(count: count * columns * 16)
            defer { extendLifetime(scratch) }
            let packed = scratch.floats
            for tile in 0..<count {
                let row = (firstTile + tile) * 16
                let first = source + row * columns
                packTile(rows: min(16, rows.count - row), columns: columns, into: packed + tile * columns * 16) {
                    first + $0 * columns
                } value: {
                    value($0) - mean[$1]
                }
            }
            for panel in 0..<projection.panelCount {
                let component = panel * cpuPanelWidth
                // A panel's components past the last are padding.
                let products = LaneProducts(
                    planes: 1, rows: 1, taps: columns, outputs: min(cpuPanelWidth, components - component),
                    columns: count, x_plane: 0, x_row: 0, x_tap: 1, x_column: columns,
                    w_plane: 0, w_row: 0, w_tap: cpuPanelWidth, w_output: 1, y_output: 1, y_column: components)
                loops.products(
                    products, packed, panels + (panel * (1 + columns) + 1) * cpuPanelWidth,
                    into: target + (firstTile * components + component) * 16)
            }
        }
    }

    package func gatherPoints(_ indices: DeviceBuffer<Int32>, of points: Points, into batch: Points)
        throws(ComputeError)
    {
        try check(points, "points_gather")
        try check(batch, "points_gather")
        try require(
            indices.count >= batch.count && batch.dimensions == points.dimensions, "points_gather",
            "\(indices.count) indices for \(batch.count) points of \(batch.dimensions) dimensions")
        let index = pointer(indices)
        let source = pointer(points.buffer)
        let target = pointer(batch.buffer)
        let size = points.dimensions * 16
        parallel(batch.tiles) { tile in
            for lane in 0..<16 {
                let point = tile * 16 + lane
                let from = point < batch.count ? Int(index[point]) : 0
                for dimension in 0..<points.dimensions {
                    target[tile * size + dimension * 16 + lane] =
                        point < batch.count ? source[from / 16 * size + dimension * 16 + from % 16] : 0
                }
            }
        }
    }

    package func gatherCentroids(
        _ indices: DeviceBuffer<Int32>, of points: Points, into centroids: Centroids, slots: DeviceBuffer<Int32>
    ) throws(ComputeError) {
        try check(points, centroids, "centroids_gather")
        try require(
            slots.count <= indices.count, "centroids_gather", "\(indices.count) points for \(slots.count) centroids")
        let index = pointer(indices)
        let slot = pointer(slots)
        let source = pointer(points.buffer)
        let target = pointer(centroids.values)
        for row in 0..<slots.count {
            let from = Int(index[row])
            for dimension in 0..<points.dimensions {
                target[Int(slot[row]) * points.dimensions + dimension] =
                    source[(from / 16 * points.dimensions + dimension) * 16 + from % 16]
            }
        }
    }
}
