extension Conv2dBlockForward {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        let (shape, norm) = (block.shape, block.norm)
        let isTraining = pass == .training
        var arguments: [(String, KernelArgument)]
        let gathers: Bool
        var isAugmented = false
        switch source {
        case .images(let gather):
            gathers = true
            arguments = [
                ("images", gather.images.argument), ("labels", gather.labels.argument),
                ("order", gather.order.argument), ("order_stride", gather.orderStride.argument),
            ]
            if let augmentation = gather.augmentation {
                isAugmented = true
                arguments.append(("changes", augmentation.changes.argument))
            }
            arguments += [
                ("scaling", gather.scaling.argument),
                ("batches", gather.schedule.batches.argument), ("rows", gather.schedule.rows.argument),
                ("cursor", gather.schedule.cursor.argument),
                ("current", gather.schedule.current.argument), ("batch_labels", gather.batchLabels.argument),
            ]
        case .block(let source):
            gathers = false
            let before = source.norm
            arguments = [
                ("source", before.pooled.argument),
                ("source_positions", (before.shape.height * before.shape.width).argument),
                ("source_gamma", before.gamma.offset.argument), ("source_beta", before.beta.offset.argument),
                ("source_running", before.running.argument), ("current", before.current.argument),
            ]
            if isTraining {
                arguments += [
                    ("source_partials", before.partials.argument), ("source_saved", before.saved.argument),
                ]
            }
        }
        arguments += [
            ("parameters", block.weights.argument), ("stride", block.weights.stride.argument),
            ("weights", block.weights.offset.argument), ("bias", block.bias.offset.argument),
            ("gamma", norm.gamma.offset.argument), ("input", block.input.argument), ("pooled", norm.pooled.argument),
        ]
        if isTraining {
            arguments += [
                ("convolved", block.convolved.argument), ("winners", norm.winners.argument),
                ("partials", norm.partials.argument),
            ]
        }
        return NamedLaunch(
            Self.kernel,
            [
                ("GATHER", gathers ? 1 : 0), ("AUGMENT", isAugmented ? 1 : 0), ("TRAINING", isTraining ? 1 : 0),
                ("IN_CHANNELS", shape.inChannels),
                ("OUT_CHANNELS", shape.outChannels), ("HEIGHT", shape.height), ("WIDTH", shape.width),
                ("KERNEL", shape.kernel), ("OB", divisor(of: shape.outChannels, atMost: channels(sizes))),
            ], arguments, teams: shape.batch.tiles, replicas: shape.batch.replicas, sizes.profile)
    }

    private func channels(_ sizes: BlockSizes) -> Int {
        let rowPairs = (block.shape.outHeight + 1) / 2
        return min(
            sizes[.forwardChannels][0],
            sizes.profile.splitsWork ? max(1, block.shape.outChannels * rowPairs / sizes.profile.team) : .max)
    }
}

extension Tunable {
    /// The most channels of which a member holds 2x2 outputs, on a GPU few enough for the whole team.
    static let forwardChannels = Tunable("forward_channels", of: [Conv2dBlockForward.kernel]) { profile in
        switch profile.vectorWidth {
        case 16: [[4], [2], [3], [6]]
        case 1: [[2], [1], [4]]
        default: [[2], [1], [3], [4]]
        }
    }
}
