extension KmeansPlusPlusDistances {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launchTiles(
            Self.kernel,
            [
                "D": points.dimensions, "P": points.lanes, "U": backend.sizes.pointVectors, "TRIALS": start.trials,
                "BLOCK": ClusteringShape.blockUnit,
            ],
            [
                points.buffer.argument, start.coordinates.argument, start.state.argument, previous.argument,
                next.argument, start.blockSums.argument, points.count.argument, points.tiles.argument,
            ], groups: (start.blocks, 1, 1))
    }
}
