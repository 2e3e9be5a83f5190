/// Copies rows into points; lanes beyond the last row of the last tile become zero.
package struct PointsPack: Operation {
    package static let kernel = "points_pack"
    package let rows: Rows
    package let points: Points
    package let first: Int

    /// - Parameter first: the point that the first row becomes, a multiple of ``DataLayout/pointLanes``.
    package init(_ rows: Rows, into points: Points, at first: Int = 0) {
        self.rows = rows
        self.points = points
        self.first = first
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(rows, into: points, at: first, in: layout)
        try require(
            rows.dimensions == points.dimensions,
            "rows of \(rows.dimensions) columns for points of \(points.dimensions) dimensions")
    }

    package var cost: OperationCost {
        OperationCost(operations: 0, bytes: Double(rows.count * rows.dimensions * (rows.elementSize + 4)))
    }
}
