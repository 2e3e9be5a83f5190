extension KmeansPlusPlusDistances {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        // A processor takes a tile at a time; on a GPU a work-item has two points of the block.
        let items = backend.profile.splitsWork ? ClusteringShape.blockUnit / 2 : backend.profile.lanes
        try backend.launch(
            Self.kernel,
            [
                "D": points.dimensions, "P": points.lanes, "U": backend.sizes.pointVectors, "TRIALS": start.trials,
                "BLOCK": ClusteringShape.blockUnit,
            ],
            [
                points.buffer.argument, start.coordinates.argument, start.state.argument, previous.argument,
                next.argument, start.blockSums.argument, points.count.argument, points.tiles.argument,
            ], global: [start.blocks * items], local: [items])
    }
}
