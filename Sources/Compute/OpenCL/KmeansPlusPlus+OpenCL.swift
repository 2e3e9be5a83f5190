extension OpenCLBackend {
    package func plusPlusDistances(
        _ start: PlusPlusStart, of points: Points, previous: DeviceBuffer<Float>, next: DeviceBuffer<Float>
    ) throws(ComputeError) {
        try check(points, "kmeans_plus_plus_distances")
        let elements = start.trials * points.tiles * points.lanes
        try require(
            previous.count >= elements && next.count >= elements, "kmeans_plus_plus_distances",
            "too little room for the distances")
        try launchTiles(
            "kmeans_plus_plus_distances",
            [
                "D": points.dimensions, "P": points.lanes, "U": pointVectors, "TRIALS": start.trials,
                "BLOCK": ClusteringShape.blockUnit,
            ],
            [
                points.buffer.argument, start.coordinates.argument, start.state.argument, previous.argument,
                next.argument, start.blockSums.argument, points.count.argument, points.tiles.argument,
            ], groups: (start.blocks, 1, 1))
    }

    package func plusPlusPick(
        _ start: PlusPlusStart, of points: Points, distances: DeviceBuffer<Float>, step: Int, first: Int
    ) throws(ComputeError) {
        try check(points, "kmeans_plus_plus_pick")
        try require(
            step >= -1 && step < start.count && first >= 0 && first < points.count, "kmeans_plus_plus_pick",
            "step \(step) of \(start.count), first point \(first) of \(points.count)")
        try launch(
            "kmeans_plus_plus_pick",
            [
                "D": points.dimensions, "P": points.lanes, "TRIALS": start.trials, "BLOCK": ClusteringShape.blockUnit,
                "GROUP": profile.group,
            ],
            [
                points.buffer.argument, distances.argument, start.blockSums.argument, start.uniforms.argument,
                start.state.argument, start.chosen.argument, start.candidates.argument, start.coordinates.argument,
                points.count.argument, points.tiles.argument, start.blocks.argument, start.count.argument,
                step.argument, first.argument,
            ], global: [profile.group], local: [profile.group])
    }
}
