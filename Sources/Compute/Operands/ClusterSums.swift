/// Exact sums and counts of clusters: the same bits for any number of devices, pieces and ranks that the points are spread
/// over.
///
/// Points are cut into blocks of ``blockPoints`` by their numbers. The float32 sums of a block, made in the order of its
/// points, are rounded to whole units of 2^-``exponent``; these integers are added, which is exact in any order. A rounding is
/// off by at most half a unit. There is one per block, or two if the sums are compensated. Blocks are taken in rounds of at
/// most ``blocks``.
package struct ClusterSums {
    /// Sums in units, [k][d], then points per cluster, [k].
    package let totals: DeviceBuffer<Int64>
    /// Sums [block][k][d] of the round at hand; [block][2][k][d], sums and then corrections, where they are compensated.
    package let partials: DeviceBuffer<Float>
    /// Points per cluster, [block][k], of the round at hand.
    package let partialCounts: DeviceBuffer<Int32>
    /// k.
    package let count: Int
    /// d.
    package let dimensions: Int
    /// Blocks per round, and points per block.
    package let blocks: Int
    package let blockPoints: Int
    /// The unit is 2^-exponent. No sum over all points may reach 2^63 units.
    package let exponent: Int
    /// Whether the sums of a block have corrections.
    package let isCompensated: Bool

    /// Exponents for which float32 holds both the unit and its inverse.
    package static let exponents = -126...126

    /// Names what the buffers hold, for rounds of `blocks` blocks of `blockPoints` points.
    package init(
        totals: DeviceBuffer<Int64>, partials: DeviceBuffer<Float>, partialCounts: DeviceBuffer<Int32>, count: Int,
        dimensions: Int, blocks: Int, blockPoints: Int, exponent: Int, isCompensated: Bool = false
    ) {
        self.totals = totals
        self.partials = partials
        self.partialCounts = partialCounts
        self.count = count
        self.dimensions = dimensions
        self.blocks = blocks
        self.blockPoints = blockPoints
        self.exponent = exponent
        self.isCompensated = isCompensated
    }

    /// The number of elements of ``totals``.
    package var totalElements: Int { count * (dimensions + 1) }

    /// Sums of a round's blocks and their corrections: elements of ``partials`` for each block.
    var partialElements: Int { count * dimensions * (isCompensated ? 2 : 1) }

    /// 2^exponent.
    var unitsPerOne: Float { Float(sign: .plus, exponent: exponent, significand: 1) }

    /// 2^-exponent.
    var unit: Float { Float(sign: .plus, exponent: -exponent, significand: 1) }

    /// First points of the rounds that cover `points` points.
    func rounds(of points: Int) -> [Int] {
        Array(stride(from: 0, to: max(points, 1), by: max(blocks * blockPoints, 1)))
    }

    /// Blocks of the round that starts at `first`.
    func blocks(from first: Int, of points: Int) -> Int {
        min(blocks, max(0, points - first + blockPoints - 1) / blockPoints)
    }

    /// What ``Backend/accumulate(_:labels:into:adding:)`` runs, in its order.
    package func operations(accumulating points: Points, labels: DeviceBuffer<Int32>, adding: Bool)
        -> [any Operation]
    {
        rounds(of: points.count).flatMap { first -> [any Operation] in
            let blocks = KmeansAccumulate(points, labels: labels, into: self, from: first)
            return [blocks, KmeansReduce(self, blocks: blocks.blocks, adding: adding || first > 0)]
        }
    }
}

extension Backend {
    /// Room for the sums of `count` clusters over `points` points, in blocks of `blockPoints` where that is given.
    /// - Parameters:
    ///   - points: the points of all ranks, which determine the blocks.
    ///   - exponent: the unit is 2^-exponent.
    package func makeClusterSums(
        count: Int, dimensions: Int, points: Int, exponent: Int, blockPoints: Int? = nil, compensated: Bool = false
    ) throws(ComputeError) -> ClusterSums {
        let size = max(count * dimensions, 1)
        let shape = ClusteringShape.blocks(clusters: count, dimensions: dimensions, points: points)
        let blockPoints = blockPoints ?? shape.blockPoints
        let blocks = min(shape.most, max(1, (points + blockPoints - 1) / blockPoints))
        return ClusterSums(
            totals: try makeBuffer(of: Int64.self, count: size + count, label: "cluster sums"),
            partials: try makeBuffer(
                of: Float.self, count: blocks * size * (compensated ? 2 : 1), label: "partial cluster sums"),
            partialCounts: try makeBuffer(of: Int32.self, count: blocks * count, label: "partial cluster counts"),
            count: count, dimensions: dimensions, blocks: blocks, blockPoints: blockPoints, exponent: exponent,
            isCompensated: compensated)
    }

    /// Sums and counts of the points of every cluster, `labels` being [points]; they replace what `sums` held, or with
    /// `adding` are added to it: all points but the last ones may come in pieces of a multiple of
    /// ``ClusterSums/blockPoints``, in any order, with the same bits.
    package func accumulate(
        _ points: Points, labels: DeviceBuffer<Int32>, into sums: ClusterSums, adding: Bool
    ) throws(ComputeError) {
        for operation in sums.operations(accumulating: points, labels: labels, adding: adding) { try run(operation) }
    }
}
