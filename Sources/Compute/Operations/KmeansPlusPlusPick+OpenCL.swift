extension KmeansPlusPlusPick {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        let group = backend.profile.group
        try backend.launch(
            Self.kernel,
            [
                "D": points.dimensions, "P": points.lanes, "TRIALS": start.trials, "BLOCK": ClusteringShape.blockUnit,
                "GROUP": group,
            ],
            [
                points.buffer.argument, distances.argument, start.blockSums.argument, start.uniforms.argument,
                start.state.argument, start.chosen.argument, start.candidates.argument, start.coordinates.argument,
                points.count.argument, points.tiles.argument, start.blocks.argument, start.count.argument,
                step.argument, first.argument,
            ], global: [group], local: [group])
    }
}
