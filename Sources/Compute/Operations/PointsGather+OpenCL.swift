extension PointsGather {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launchTiles(
            Self.kernel, ["D": points.dimensions, "P": points.lanes],
            [points.buffer.argument, indices.argument, batch.buffer.argument, batch.count.argument],
            groups: (batch.tiles, 1, 1))
    }
}
