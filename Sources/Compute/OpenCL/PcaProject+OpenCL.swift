extension OpenCLBackend {
    package func project(_ rows: Rows, through projection: Projection, into points: Points, at first: Int)
        throws(ComputeError)
    {
        try check(rows, into: points, at: first, "pca_project")
        try require(
            rows.dimensions == projection.dimensions && points.dimensions == projection.components
                && projection.panelWidth == panelWidth, "pca_project",
            "a projection from \(projection.dimensions) to \(projection.components) dimensions for rows of "
                + "\(rows.dimensions) columns and points of \(points.dimensions) dimensions")
        // The kernel's PITCH, and on a processor the numbers of the columns that a work-item has.
        let columnBytes = (points.lanes + (profile.splitsWork ? 1 : profile.lanes)) * MemoryLayout<Float>.stride
        try launchTiles(
            "pca_project",
            [
                "D": rows.dimensions, "C": projection.components, "P": points.lanes, "U": pointVectors,
                "R": projection.panelWidth,
                // A processor reads bytes four at a time.
                "CHUNK": 4 * fitting(projectedColumns / 4, bytesEach: 4 * columnBytes), "BYTES": rows.bytesDefine,
            ],
            [
                rows.argument, projection.mean.argument, projection.panels.argument, points.buffer.argument,
                (first / points.lanes).argument, rows.count.argument,
            ], groups: ((rows.count + points.lanes - 1) / points.lanes, 1, 1))
    }
}
