extension GatherSamples {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(fusedLaunch(backend.sizes))
    }

    func fusedLaunch(_ sizes: BlockSizes) -> FusedLaunch {
        let (values, isBytes): (KernelArgument, Int) =
            switch samples {
            case .bytes(let buffer): (buffer.argument, 1)
            case .floats(let buffer): (buffer.argument, 0)
            }
        return FusedLaunch(
            Self.kernel, [("BYTES", isBytes)],
            [
                ("samples", values), ("labels", labels.argument), ("order", order.argument),
                ("order_stride", orderStride.argument), ("features", features.argument),
                ("positions", (features / channels).argument), ("channels", scaling.argument),
                ("batches", schedule.batches.argument), ("cursor", schedule.cursor.argument),
                ("current", schedule.current.argument), ("output", output.argument),
                ("batch_labels", batchLabels.argument),
            ],
            teams: batch.tiles, shares: sizes.featureShares(features), replicas: batch.replicas, sizes.profile)
    }
}

extension BlockSizes {
    /// Work-groups that share `units` units of a layer's work: no more than have something to do.
    func layerShares(units: Int) -> Int {
        min(self[.layerShares][0], (units + profile.team - 1) / profile.team)
    }

    /// Work-groups that share the features of a tile, where each is handled by itself: one on a processor, whose caches
    /// want neighbours together.
    func featureShares(_ features: Int) -> Int { profile.splitsWork ? layerShares(units: features) : 1 }
}

extension Tunable {
    /// The most work-groups that share the work of a layer on a tile.
    static let layerShares = Tunable(
        "layer_shares",
        of: ["gather_samples", "linear_forward", "linear_input_gradient", "linear_weight_gradients", "relu_backward"]
    ) { $0.splitsWork ? [[16], [4], [64]] : [[4], [1], [16]] }
}
