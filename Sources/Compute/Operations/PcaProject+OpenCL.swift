extension Tunable {
    /// Columns of a projection that are brought into local memory at a time: 32 KiB on a processor. A GPU's number is fixed:
    /// STEP of Kernels/block_products.clh.
    static let projectedColumns = Tunable("projected_columns", of: [PcaProject.kernel]) {
        $0.splitsWork ? [[8]] : [[256], [64], [128], [512]]
    }
}

extension PcaProject {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        let profile = backend.profile
        let tiles = (rows.count + points.lanes - 1) / points.lanes
        let defines = [
            ("D", rows.dimensions), ("C", projection.components), ("P", points.lanes),
            ("U", backend.sizes.pointVectors), ("R", projection.panelWidth), ("BYTES", rows.bytesDefine),
        ]
        let arguments = [
            rows.argument, projection.mean.argument, projection.panels.argument, points.buffer.argument,
            (first / points.lanes).argument, rows.count.argument,
        ]
        if profile.splitsWork {
            let block = ProductBlock(xItems: 16, wItems: 8)
            try backend.launch(
                Self.kernel, defines, arguments, block, columns: tiles * points.lanes,
                times: (projection.components + block.wColumns - 1) / block.wColumns)
        } else {
            // A column takes its values and, per work-item, its number. A processor reads bytes four at a time.
            let columnBytes = (points.lanes + profile.lanes) * MemoryLayout<Float>.stride
            let columns = backend.fitting(backend.sizes[.projectedColumns][0] / 4, bytesEach: 4 * columnBytes)
            try backend.launchTiles(
                Self.kernel, defines + [("CHUNK", 4 * columns)], arguments, groups: (tiles, 1, 1))
        }
    }
}
