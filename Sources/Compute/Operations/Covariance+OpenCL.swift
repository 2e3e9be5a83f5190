extension Tunable {
    /// What a work-item sums in registers. On a processor ROWS columns, a divisor of ``CovarianceShape/width``, times
    /// VECTORS vectors of columns, which divide it too; on a GPU what 256 work-items leave to each.
    static let covarianceBlock = Tunable("covariance_block", of: [Covariance.kernel]) { profile in
        switch profile.vectorWidth {
        case 16: [[2, 7], [4, 7]]
        case 1: [[7, 7]]
        default: [[2, 7], [4, 2]]
        }
    }

    /// Rows that are brought into local memory at a time. A processor sums floats over them, so that there is no choice;
    /// on a GPU they are STEP.
    static let covarianceRows = Tunable("covariance_rows", of: [Covariance.kernel]) {
        $0.splitsWork ? [[16], [8], [32]] : [[64]]
    }
}

extension Covariance {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        // On a GPU a work-group takes a pair of blocks of columns, on a processor a block with all it is paired with. The
        // latter holds a chunk of two blocks, one of which should fit into its nearest cache; a GPU a few rows only.
        let splits = backend.profile.splitsWork
        let rowBytes = CovarianceShape.width * MemoryLayout<Float>.stride
        let rows = backend.fitting(
            backend.sizes[.covarianceRows][0], bytesEach: 2 * rowBytes, besides: splits ? 0 : 3 * rowBytes)
        let block = backend.sizes[.covarianceBlock]
        let shared = [
            ("WIDTH", CovarianceShape.width), ("CHUNK", splits ? CovarianceShape.chunkRows : rows),
            ("PART", CovarianceShape.partRows), ("BYTES", bytesDefine), ("D", shape.dimensions),
        ]
        try backend.launch(
            Self.kernel, shared + (splits ? [("STEP", rows)] : [("ROWS", block[0]), ("VECTORS", block[1])]),
            buffers + [shape.count.argument, (adding ? 0 : 1).argument],
            global: [shape.parts * (splits ? 256 * shape.pairs : shape.blocks)], local: [splits ? 256 : 1])
    }

    /// BYTES: 1 for 8-bit elements.
    private var bytesDefine: Int {
        switch operands {
        case .bytes: 1
        case .floats: 0
        }
    }

    private var buffers: [KernelArgument] {
        switch operands {
        // Bytes take no shift: any buffer will do.
        case .bytes(let rows, let tiles, let sums):
            [rows.argument, rows.argument, tiles.argument, sums.argument]
        case .floats(let rows, let shift, let tiles, let sums):
            [rows.argument, shift.argument, tiles.argument, sums.argument]
        }
    }
}
