extension OpenCLBackend {
    public func covariance(
        of rows: DeviceBuffer<UInt8>, shape: CovarianceShape, adding: Bool, tiles: DeviceBuffer<Int32>,
        sums: DeviceBuffer<Int32>
    ) throws(ComputeError) {
        try check(covariance: rows, shape, tiles: tiles.count, sums: sums.count)
        // Bytes take no shift: any buffer will do.
        try covariance(shape, adding, bytes: 1, [rows.argument, rows.argument, tiles.argument, sums.argument])
    }

    public func covariance(
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
        let group = profile.vectorWidth == 1 ? 256 : 1
        // A processor's form holds a chunk of two blocks of columns, one of which should fit into its nearest cache; the
        // GPU's holds a few rows only.
        let rowBytes = 2 * CovarianceShape.width * MemoryLayout<Float>.stride
        let chunk =
            profile.vectorWidth == 1
            ? CovarianceShape.chunkRows : fitting(CovarianceShape.chunkRows / 4, bytesEach: 2 * rowBytes) * 2
        try launch(
            "covariance",
            [
                "WIDTH": CovarianceShape.width, "CHUNK": chunk, "PART": CovarianceShape.partRows,
                "BYTES": bytes, "D": shape.dimensions,
            ],
            buffers + [shape.count.argument, (adding ? 0 : 1).argument], global: [shape.parts * shape.pairs * group],
            local: [group])
    }
}
