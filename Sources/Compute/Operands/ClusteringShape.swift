/// Sizes that both implementations share.
package enum ClusteringShape {
    /// Points in the smallest block of a block sum.
    package static let blockUnit = 256
    /// The most points that are summed one after the other, in plain float32. Every block size divides it, so rows that are
    /// spread by multiples of it are cut into the same blocks.
    package static let blockLimit = 2048
    /// Most blocks in flight, and most numbers in their partial sums (64 MiB).
    static let maximumBlocks = 32
    static let maximumPartials = 1 << 24

    /// How the sums of `clusters` clusters over `points` points are cut: the points per block, and the most blocks in flight.
    /// The cut depends on these numbers alone; `points` are those of all ranks.
    package static func blocks(clusters: Int, dimensions: Int, points: Int) -> (blockPoints: Int, most: Int) {
        let most = max(1, min(maximumBlocks, maximumPartials / max(clusters * dimensions, 1)))
        let wanted = max(blockUnit, clusters / 4, (points + most - 1) / most)
        var blockPoints = blockUnit
        while blockPoints < min(wanted, blockLimit) { blockPoints *= 2 }
        return (blockPoints, most)
    }

    /// `value` rounded up to a multiple of `unit`.
    static func roundUp(_ value: Int, to unit: Int) -> Int { (value + unit - 1) / unit * unit }
}
