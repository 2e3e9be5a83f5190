extension Tunable {
    /// What a work-item sums in registers. On a processor ROWS columns, a divisor of ``CovarianceShape/width``, times
    /// VECTORS vectors of columns, which divide it too; on a GPU 8 columns times 7, by 14 x 16 work-items.
    static let covarianceBlock = Tunable("covariance_block", of: [Covariance.kernel]) { profile in
        switch profile.vectorWidth {
        case 16: [[2, 7], [4, 7]]
        case 1: [[8, 7]]
        default: [[2, 7], [4, 2]]
        }
    }

    /// Rows that are brought into local memory at a time. A processor sums floats over them, so that there is no choice, and
    /// on a GPU each work-item brings a vector of each block: STEP of Kernels/covariance_blocks.clh.
    static let covarianceRows = Tunable("covariance_rows", of: [Covariance.kernel]) { $0.splitsWork ? [[8]] : [[64]] }
}

extension Covariance {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        let block = backend.sizes[.covarianceBlock]
        let shared = [
            ("WIDTH", CovarianceShape.width), ("PART", CovarianceShape.partRows), ("BYTES", bytesDefine),
            ("D", shape.dimensions),
        ]
        let arguments = buffers + [shape.count.argument, (adding ? 0 : 1).argument]
        if backend.profile.splitsWork {
            // A work-group takes a pair of blocks of columns.
            let items = CovarianceShape.width / block[0] * (CovarianceShape.width / block[1])
            try backend.launch(
                Self.kernel, shared + [("CHUNK", CovarianceShape.chunkRows)], arguments,
                global: [shape.parts * shape.pairs * items], local: [items])
        } else {
            // A work-group takes a block with all it is paired with. It holds a chunk of two blocks, one of which should fit
            // into its nearest cache.
            let rowBytes = CovarianceShape.width * MemoryLayout<Float>.stride
            let rows = backend.fitting(
                backend.sizes[.covarianceRows][0], bytesEach: 2 * rowBytes, besides: 3 * rowBytes)
            try backend.launch(
                Self.kernel, shared + [("CHUNK", rows), ("ROWS", block[0]), ("VECTORS", block[1])], arguments,
                global: [shape.parts * shape.blocks], local: [1])
        }
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
