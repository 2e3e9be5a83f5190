extension OpenCLBackend {
    public func covariance(
        of rows: DeviceBuffer<UInt8>, shape: CovarianceShape, tiles: DeviceBuffer<Int32>, sums: DeviceBuffer<Int32>
    ) throws(ComputeError) {
        try check(covariance: rows, shape, tiles: tiles.count, sums: sums.count)
        // Bytes take no shift: any buffer will do.
        try covariance(shape, bytes: 1, [rows.argument, rows.argument, tiles.argument, sums.argument])
    }

    public func covariance(
        of rows: DeviceBuffer<Float>, shape: CovarianceShape, shift: DeviceBuffer<Float>, tiles: DeviceBuffer<Float>,
        sums: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(covariance: rows, shape, tiles: tiles.count, sums: sums.count)
        try require(
            shift.count >= shape.dimensions, "covariance", "\(shift.count) shifts for \(shape.dimensions) columns")
        try covariance(shape, bytes: 0, [rows.argument, shift.argument, tiles.argument, sums.argument])
    }

    private func covariance(_ shape: CovarianceShape, bytes: Int, _ buffers: [KernelArgument]) throws(ComputeError) {
        let group = profile.vectorWidth == 1 ? 256 : 1
        try launch(
            "covariance",
            [
                "WIDTH": CovarianceShape.width, "CHUNK": CovarianceShape.chunkRows, "PART": CovarianceShape.partRows,
                "BYTES": bytes, "D": shape.dimensions,
            ],
            buffers + [shape.count.argument], global: [shape.parts * shape.pairs * group], local: [group])
    }
}
