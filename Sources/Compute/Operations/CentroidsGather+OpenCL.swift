extension CentroidsGather {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        guard slots.count > 0 else { return }
        try backend.launchItems(
            Self.kernel, ["D": points.dimensions, "P": points.lanes],
            [
                points.buffer.argument, indices.argument, slots.argument, centroids.values.argument,
                slots.count.argument,
            ], count: slots.count)
    }
}
