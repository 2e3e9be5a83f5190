extension GreedyDistances {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(
            NamedLaunch(
                Self.kernel,
                [
                    ("D", points.dimensions), ("P", points.lanes), ("U", backend.sizes.pointVectors),
                    ("FARTHEST", order.isFarthest(step) ? 1 : 0),
                ],
                [
                    ("points", points.buffer.argument), ("target", order.target.argument),
                    ("state", order.state.argument), ("block_keys", order.blockKeys.argument),
                    ("block_points", order.blockBest.argument), ("tiles", points.tiles.argument),
                    ("block_tiles", (order.blockPoints / points.lanes).argument),
                ], teams: order.blocks, replicas: 1, backend.profile))
    }
}
