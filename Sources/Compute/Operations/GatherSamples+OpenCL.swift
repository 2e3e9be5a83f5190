extension GatherSamples {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        let (values, isBytes): (KernelArgument, Int) =
            switch samples {
            case .bytes(let buffer): (buffer.argument, 1)
            case .floats(let buffer): (buffer.argument, 0)
            }
        let changes: [(String, KernelArgument)] =
            augmentation.map { [("changes", $0.changes.argument), ("width", $0.width.argument)] } ?? []
        let positions = features / channels
        // The kernel takes a word of these, four features, at a time.
        let takesWords = isBytes == 1 && augmentation == nil && positions % 4 == 0
        return NamedLaunch(
            Self.kernel, [("BYTES", isBytes), ("AUGMENT", augmentation == nil ? 0 : 1)],
            [
                ("samples", values), ("labels", labels.argument), ("order", order.argument),
                ("order_stride", orderStride.argument),
            ] + changes + [
                ("features", features.argument),
                ("positions", positions.argument), ("scaling", scaling.argument),
                ("batches", schedule.batches.argument), ("rows", schedule.rows.argument),
                ("cursor", schedule.cursor.argument),
                ("current", schedule.current.argument), ("output", output.argument),
                ("batch_labels", batchLabels.argument),
            ],
            teams: batch.tiles, shares: sizes.featureShares(units: takesWords ? features / 4 : features),
            replicas: batch.replicas, sizes.profile)
    }
}
