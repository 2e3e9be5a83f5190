extension LinearWeightGradients {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        let (rows, tile) = (sizes[.linearRows][0], sizes.profile.tile)
        let pairs = (shape.outputStride + 2 * tile - 1) / (2 * tile)
        return NamedLaunch(
            Self.kernel, [("ROWS_AT_ONCE", rows), ("BIASES", trainsBiases ? 1 : 0)],
            [
                ("input", input.argument), ("transposed_delta", transposedDelta.argument),
                ("inputs", shape.inputs.argument), ("outputs", shape.outputs.argument),
                ("tiles", shape.batch.tiles.argument), ("stride", weights.stride.argument),
                ("offset", weights.offset.argument), ("gradients", gradients.values.argument),
            ], teams: 1, shares: sizes.layerShares(units: pairs * ((shape.inputs + rows - 1) / rows + 1)),
            replicas: shape.batch.replicas, sizes.profile)
    }
}

extension Tunable {
    /// Rows of a linear layer's weights whose gradients a member holds as running sums, of two vectors each; on a processor
    /// twice as many of the single vector in which rows may end.
    static let linearRows = Tunable("linear_rows", of: ["linear_weight_gradients"]) { profile in
        profile.splitsWork ? [[8], [4], [12]] : profile.vectorWidth == 16 ? [[8]] : [[4]]
    }
}
