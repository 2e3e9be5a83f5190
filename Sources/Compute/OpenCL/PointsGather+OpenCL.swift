extension OpenCLBackend {
    package func gatherPoints(_ indices: DeviceBuffer<Int32>, of points: Points, into batch: Points)
        throws(ComputeError)
    {
        try check(points, "points_gather")
        try check(batch, "points_gather")
        try require(
            indices.count >= batch.count && batch.dimensions == points.dimensions, "points_gather",
            "\(indices.count) indices for \(batch.count) points of \(batch.dimensions) dimensions")
        try launchTiles(
            "points_gather", ["D": points.dimensions, "P": points.lanes],
            [points.buffer.argument, indices.argument, batch.buffer.argument, batch.count.argument],
            groups: (batch.tiles, 1, 1))
    }
}
