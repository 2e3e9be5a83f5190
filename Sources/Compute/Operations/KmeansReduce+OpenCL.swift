extension KmeansReduce {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        let size = sums.count * sums.dimensions
        try backend.launchItems(
            Self.kernel, ["COMPENSATED": sums.isCompensated ? 1 : 0],
            [
                sums.partials.argument, sums.partialCounts.argument, sums.totals.argument, .float(sums.unitsPerOne),
                blocks.argument, size.argument, sums.count.argument, (adding ? 0 : 1).argument,
            ], count: size + sums.count)
    }
}
