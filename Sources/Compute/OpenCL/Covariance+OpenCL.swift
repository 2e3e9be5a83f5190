extension OpenCLBackend {
    package func covariance(
        of rows: DeviceBuffer<UInt8>, shape: CovarianceShape, adding: Bool, tiles: DeviceBuffer<Int32>,
        sums: DeviceBuffer<Int32>
    ) throws(ComputeError) {
        try check(covariance: rows, shape, tiles: tiles.count, sums: sums.count)
        // Bytes take no shift: any buffer will do.
        try covariance(shape, adding, bytes: 1, [rows.argument, rows.argument, tiles.argument, sums.argument])
    }

    package func covariance(
        of rows: DeviceBuffer<Float>, shape: CovarianceShape, shift: DeviceBuffer<Float>, adding: Bool,
        tiles: DeviceBuffer<Float>, sums: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(covariance: rows, shape, tiles: tiles.count, sums: sums.count)
        try require(
            shift.count >= shape.dimensions, "covariance", "\(shift.count) shifts for \(shape.dimensions) columns")
        try covariance(shape, adding, bytes: 0, [rows.argument, shift.argument, tiles.argument, sums.argument])
    }

    private func covariance(_ shape: CovarianceShape, _ adding: Bool, bytes: Int, _ buffers: [KernelArgument])
        throws(ComputeError)
    {
        // On a GPU a work-group takes a pair of blocks of columns, on a processor a block with all it is paired with. The
        // latter holds a chunk of two blocks, one of which should fit into its nearest cache; a GPU a few rows only.
        let splits = profile.splitsWork
        let rowBytes = CovarianceShape.width * MemoryLayout<Float>.stride
        try launch(
            "covariance",
            [
                "WIDTH": CovarianceShape.width,
                "CHUNK": splits
                    ? CovarianceShape.chunkRows : fitting(64, bytesEach: 2 * rowBytes, besides: 3 * rowBytes),
                "PART": CovarianceShape.partRows, "BYTES": bytes, "D": shape.dimensions,
            ],
            buffers + [shape.count.argument, (adding ? 0 : 1).argument],
            global: [shape.parts * (splits ? 256 * shape.pairs : shape.blocks)], local: [splits ? 256 : 1])
    }
}
