/// Squared distances of all points to ``GreedyOrder/target``, and the point of each block that pick `step` wants: of the
/// points left the nearest one (the first pick, and herding) or the one whose nearest pick is furthest away
/// (``GreedyRule/kCenter``), where the states become the smaller of what they are and the distances. Ties go to the lower
/// index. An infinite or NaN distance changes no state, and counts as the largest number where the nearest is wanted.
package struct GreedyDistances: Operation {
    package static let kernel = "greedy_distances"
    package let order: GreedyOrder
    package let points: Points
    package let step: Int

    /// Distances for pick `step`, counted from 0.
    package init(_ order: GreedyOrder, of points: Points, step: Int) {
        self.order = order
        self.points = points
        self.step = step
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(order, of: points, step: step, in: layout)
    }

    /// Three operations per dimension and point; points and states are read, and the states written where they change.
    package var cost: OperationCost {
        OperationCost(
            operations: Double(points.count * 3 * points.dimensions),
            bytes: Double(4 * points.count * (points.dimensions + (order.isFarthest(step) ? 2 : 1))))
    }
}
