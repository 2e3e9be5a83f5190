/// How a greedy order picks one point after another.
package enum GreedyRule: Sendable {
    /// The point that is furthest from the picks, farthest-first traversal (Gonzalez, "Clustering to minimize the maximum
    /// intercluster distance", 1985; Sener & Savarese, "Active learning for convolutional neural networks: a core-set
    /// approach", ICLR 2018). The first pick is the point nearest to the mean.
    case kCenter
    /// The point x for which the mean of the picks comes nearest to the mean of all, argmin ||(t + 1) mean - sum - x||, t
    /// points having been picked before, which add up to `sum` (Welling, "Herding dynamical weights to learn", ICML 2009).
    case herding
}

/// The memory of a greedy order of points. A pick is two launches: ``GreedyDistances``, then ``GreedyPick``.
package struct GreedyOrder {
    /// The rule.
    package let rule: GreedyRule
    /// Of each point, [tile][lane]: its squared distance to the nearest pick (``GreedyRule/kCenter``), or a number of at
    /// least 0; -1 once it was picked, and in lanes beyond the last point.
    package let state: DeviceBuffer<Float>
    /// What distances are taken to, [2][dimension], a float and what it drops: the mean at first, then the last pick or,
    /// in herding, (t + 1) mean - sum.
    package let target: DeviceBuffer<Float>
    /// The mean of all points, [2][dimension], likewise.
    package let mean: DeviceBuffer<Float>
    /// How much the best point of each block is wanted, [block], more where it is larger.
    package let blockKeys: DeviceBuffer<Float>
    /// That point, [block].
    package let blockBest: DeviceBuffer<Int32>
    /// The points in the order in which they are picked, [count].
    package let picks: DeviceBuffer<Int32>
    /// Picks that there is room for.
    package let count: Int
    /// Points per block, a multiple of ``ClusteringShape/blockUnit``. No pick depends on it.
    package let blockPoints: Int
    /// Number of blocks.
    package let blocks: Int

    /// Names what the buffers hold.
    package init(
        _ rule: GreedyRule, state: DeviceBuffer<Float>, target: DeviceBuffer<Float>, mean: DeviceBuffer<Float>,
        blockKeys: DeviceBuffer<Float>, blockBest: DeviceBuffer<Int32>, picks: DeviceBuffer<Int32>, count: Int,
        blockPoints: Int, blocks: Int
    ) {
        self.rule = rule
        self.state = state
        self.target = target
        self.mean = mean
        self.blockKeys = blockKeys
        self.blockBest = blockBest
        self.picks = picks
        self.count = count
        self.blockPoints = blockPoints
        self.blocks = blocks
    }

    /// Whether pick `step` is the furthest point, and not the nearest one.
    func isFarthest(_ step: Int) -> Bool { rule == .kCenter && step > 0 }
}

extension Backend {
    /// The memory for `count` picks from `points`, whose mean is `mean`, [dimension].
    package func makeGreedyOrder(_ rule: GreedyRule, count: Int, of points: Points, mean: [Double])
        throws(ComputeError) -> GreedyOrder
    {
        let unit = ClusteringShape.blockUnit
        // A processor has few cores, and looks at less of a large block; a GPU has many work-groups to fill.
        let isWide = (self as? OpenCLBackend)?.profile.splitsWork ?? false
        let blockPoints = isWide ? unit : ClusteringShape.roundUp(max(1, points.count / 16), to: unit)
        let blocks = (points.count + blockPoints - 1) / blockPoints
        let states =
            [Float](repeating: .infinity, count: points.count)
            + [Float](repeating: -1, count: points.tiles * points.lanes - points.count)
        let floats = mean.map { Float($0) }
        let parts = floats + zip(mean, floats).map { Float($0 - Double($1)) }
        return GreedyOrder(
            rule, state: try makeBuffer(states, label: "distances to picks"),
            target: try makeBuffer(parts, label: "target of a greedy order"),
            mean: try makeBuffer(parts, label: "mean of the points"),
            blockKeys: try makeBuffer(of: Float.self, count: blocks, label: "best keys"),
            blockBest: try makeBuffer(of: Int32.self, count: blocks, label: "best points"),
            picks: try makeBuffer(of: Int32.self, count: count, label: "picks"), count: count,
            blockPoints: blockPoints, blocks: blocks)
    }

    /// Queues pick `step`; those before must have been made.
    package func runPick(_ step: Int, _ order: GreedyOrder, of points: Points) throws(ComputeError) {
        try run(GreedyDistances(order, of: points, step: step))
        try run(GreedyPick(order, of: points, step: step))
    }

    /// The mean of each coordinate, [dimension]: sums in double, in the order of the points.
    package func mean(of points: Points) throws(ComputeError) -> [Double] {
        let (dimensions, lanes) = (points.dimensions, points.lanes)
        var sums = [Double](repeating: 0, count: dimensions)
        // About 4 MiB at a time.
        let most = max(1, (1 << 20) / (dimensions * lanes))
        for first in stride(from: 0, to: points.tiles, by: most) {
            let tiles = min(most, points.tiles - first)
            let values = try read(
                points.buffer, at: first * dimensions * lanes, count: tiles * dimensions * lanes)
            values.withUnsafeBufferPointer { values in
                for tile in 0..<tiles {
                    let valid = min(lanes, points.count - (first + tile) * lanes)
                    for dimension in 0..<dimensions {
                        let row = (tile * dimensions + dimension) * lanes
                        var sum = sums[dimension]
                        for lane in row..<row + valid { sum += Double(values[lane]) }
                        sums[dimension] = sum
                    }
                }
            }
        }
        return sums.map { $0 / Double(points.count) }
    }
}
