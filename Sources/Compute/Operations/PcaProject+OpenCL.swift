extension Tunable {
    /// Columns of a projection that are brought into local memory at a time: 32 KiB on a processor, 8 on a GPU.
    static let projectedColumns = Tunable("projected_columns", of: [PcaProject.kernel]) {
        $0.splitsWork ? [[64], [32], [128]] : [[256], [64], [128], [512]]
    }
}

extension PcaProject {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        // The kernel's PITCH, and on a processor the numbers of the columns that a work-item has.
        let profile = backend.profile
        let columnBytes = (points.lanes + (profile.splitsWork ? 1 : profile.lanes)) * MemoryLayout<Float>.stride
        let columns = backend.sizes[.projectedColumns][0]
        try backend.launchTiles(
            Self.kernel,
            [
                "D": rows.dimensions, "C": projection.components, "P": points.lanes,
                "U": backend.sizes.pointVectors, "R": projection.panelWidth,
                // A processor reads bytes four at a time.
                "CHUNK": 4 * backend.fitting(columns / 4, bytesEach: 4 * columnBytes), "BYTES": rows.bytesDefine,
            ],
            [
                rows.argument, projection.mean.argument, projection.panels.argument, points.buffer.argument,
                (first / points.lanes).argument, rows.count.argument,
            ], groups: ((rows.count + points.lanes - 1) / points.lanes, 1, 1))
    }
}
