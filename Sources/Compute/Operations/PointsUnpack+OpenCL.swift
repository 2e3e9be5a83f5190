extension PointsUnpack {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launchTiles(
            Self.kernel, ["D": points.dimensions, "P": points.lanes],
            [points.buffer.argument, rows.argument, points.count.argument], groups: (points.tiles, 1, 1))
    }
}
