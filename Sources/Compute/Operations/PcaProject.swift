/// Projects rows onto principal components: points[first + i] = W (rows[i] - mean); lanes beyond the last row of the last
/// tile become zero.
package struct PcaProject: Operation {
    package static let kernel = "pca_project"
    package let rows: Rows
    package let projection: Projection
    package let points: Points
    package let first: Int

    /// - Parameter first: the point that the first row becomes, a multiple of ``DataLayout/pointLanes``.
    package init(_ rows: Rows, through projection: Projection, into points: Points, at first: Int = 0) {
        self.rows = rows
        self.projection = projection
        self.points = points
        self.first = first
    }

    package func validate(for layout: DataLayout) throws(ComputeError) {
        try require(rows, into: points, at: first, in: layout)
        try require(
            rows.dimensions == projection.dimensions && points.dimensions == projection.components
                && projection.panelWidth == layout.panelWidth,
            "a projection from \(projection.dimensions) to \(projection.components) dimensions for rows of "
                + "\(rows.dimensions) columns and points of \(points.dimensions) dimensions")
        try require(projection.mean, holds: projection.dimensions)
        try require(
            projection.panels, holds: projection.panelCount * (1 + projection.dimensions) * projection.panelWidth)
    }

    /// That of a matrix [rows][columns]: a subtraction per element, and a multiply-add per component.
    /// - Parameter elementSize: bytes per element.
    package static func cost(rows: Int, columns: Int, components: Int, elementSize: Int) -> OperationCost {
        OperationCost(
            operations: Double(rows) * Double(columns * (2 * components + 1)),
            bytes: Double(rows * (elementSize * columns + 4 * components) + 4 * columns * components))
    }

    package var cost: OperationCost {
        Self.cost(
            rows: rows.count, columns: rows.dimensions, components: projection.components,
            elementSize: rows.elementSize)
    }
}
