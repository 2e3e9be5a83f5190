/// Makes the best point of all blocks pick `step` of a greedy order, the lowest of several, marks it as picked, and moves
/// the target: to the picked point or, in herding, by the mean less the picked point.
package struct GreedyPick: Operation {
    package static let kernel = "greedy_pick"
    package let order: GreedyOrder
    package let points: Points
    package let step: Int

    /// Pick `step`, counted from 0, of which ``GreedyDistances`` has looked at the points.
    package init(_ order: GreedyOrder, of points: Points, step: Int) {
        self.order = order
        self.points = points
        self.step = step
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(order, of: points, step: step, in: layout)
    }

    /// None: it looks at the blocks' best and at one point.
    package var cost: OperationCost { OperationCost(operations: 0, bytes: 0) }
}
