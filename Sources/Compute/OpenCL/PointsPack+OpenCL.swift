extension OpenCLBackend {
    package func packPoints(_ rows: Rows, into points: Points, at first: Int) throws(ComputeError) {
        try check(rows, into: points, at: first, "points_pack")
        try require(
            rows.dimensions == points.dimensions, "points_pack",
            "rows of \(rows.dimensions) columns for points of \(points.dimensions) dimensions")
        try launchTiles(
            "points_pack", ["D": points.dimensions, "P": points.lanes, "BYTES": rows.bytesDefine],
            [rows.argument, points.buffer.argument, (first / points.lanes).argument, rows.count.argument],
            groups: ((rows.count + points.lanes - 1) / points.lanes, 1, 1))
    }
}
