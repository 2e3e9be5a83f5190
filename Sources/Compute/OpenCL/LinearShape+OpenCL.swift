extension LinearShape {
    /// The launch of a kernel that takes tiles from one side of a layer to the other, in blocks of `values` values.
    func launch(
        _ kernel: String, _ source: [(String, KernelArgument)], _ weights: ReplicaTensor,
        _ target: [(String, KernelArgument)], values: Int, _ sizes: BlockSizes, defines: [(String, Int)] = []
    ) -> NamedLaunch {
        let tilesAtOnce = sizes[.linearBlock][1]
        let block = Self.block(of: values, sizes)
        return NamedLaunch(
            kernel, [("BLOCK", block), ("TILES_AT_ONCE", tilesAtOnce)] + defines,
            source + [
                ("parameters", weights.argument), ("stride", weights.stride.argument),
                ("offset", weights.offset.argument), ("inputs", inputs.argument), ("outputs", outputs.argument),
                ("tiles", batch.tiles.argument),
            ] + target, teams: (batch.tiles + tilesAtOnce - 1) / tilesAtOnce,
            shares: sizes.layerShares(units: (values + block - 1) / block), replicas: batch.replicas, sizes.profile)
    }
}

extension LinearShape {
    /// The number of values per block for a layer of `values`. With vectors of 16 samples, a CPU has registers for a
    /// quarter more than the tunable sets: ten instead of eight, which suits the usual ten classes. The larger block is
    /// used if the blocks then cover no more values.
    private static func block(of values: Int, _ sizes: BlockSizes) -> Int {
        let block = sizes[.linearBlock][0]
        let more = block + block / 4
        func rounded(_ step: Int) -> Int { (values + step - 1) / step * step }
        return sizes.profile.vectorWidth == 16 && rounded(more) <= rounded(block) ? more : block
    }
}

extension Tunable {
    /// The values of a linear layer's output, or of its input's gradient, that a member holds as running sums, and the
    /// tiles that share its weights. If vectors hold 16 samples, 8 means 8 or 10, depending on the layer's width; other
    /// sizes divide 16.
    static let linearBlock = Tunable("linear_block", of: [LinearForward.kernel, LinearInputGradient.kernel]) {
        profile in
        switch profile.vectorWidth {
        case 16: [[8, 2]]
        case 1: [[4, 1], [8, 1], [4, 2]]
        default: [[4, 2]]
        }
    }
}
