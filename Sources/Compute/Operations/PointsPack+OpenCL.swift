extension PointsPack {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launchTiles(
            Self.kernel, ["D": points.dimensions, "P": points.lanes, "BYTES": rows.bytesDefine],
            [rows.argument, points.buffer.argument, (first / points.lanes).argument, rows.count.argument],
            groups: ((rows.count + points.lanes - 1) / points.lanes, 1, 1))
    }
}
