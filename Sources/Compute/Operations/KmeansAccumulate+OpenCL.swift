extension KmeansAccumulate {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        let group = backend.profile.group
        try backend.launch(
            Self.kernel,
            ["D": points.dimensions, "P": points.lanes, "GROUP": group, "COMPENSATED": sums.isCompensated ? 1 : 0],
            [
                points.buffer.argument, labels.argument, sums.partials.argument, sums.partialCounts.argument,
                first.argument, sums.blockPoints.argument, points.count.argument, sums.count.argument,
            ], global: [blocks * group], local: [group])
    }
}
