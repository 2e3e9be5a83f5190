extension GreedyPick {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        let group = backend.profile.group
        try backend.launch(
            Self.kernel,
            [
                "D": points.dimensions, "P": points.lanes, "GROUP": group, "HERDING": order.rule == .herding ? 1 : 0,
            ],
            [
                points.buffer.argument, order.blockKeys.argument, order.blockBest.argument, order.mean.argument,
                order.target.argument, order.state.argument, order.picks.argument, points.count.argument,
                order.blocks.argument, step.argument,
            ], global: [group], local: [group])
    }
}
