extension OpenCLBackend {
    package func unpackPoints(_ points: Points, into rows: DeviceBuffer<Float>) throws(ComputeError) {
        try check(points, unpackedInto: rows)
        try launchTiles(
            "points_unpack", ["D": points.dimensions, "P": points.lanes],
            [points.buffer.argument, rows.argument, points.count.argument], groups: (points.tiles, 1, 1))
    }
}
