/// Copies points into rows: rows[i] = points[i], as [count][dimensions].
package struct PointsUnpack: Operation {
    package static let kernel = "points_unpack"
    package let points: Points
    package let rows: DeviceBuffer<Float>

    package init(_ points: Points, into rows: DeviceBuffer<Float>) {
        self.points = points
        self.rows = rows
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(points, in: layout)
        try require(
            rows.count >= points.count * points.dimensions,
            "\(rows.count) elements for \(points.count) rows of \(points.dimensions)")
    }

    package var cost: OperationCost {
        OperationCost(operations: 0, bytes: Double(8 * points.count * points.dimensions))
    }
}
