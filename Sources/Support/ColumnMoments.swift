/// The means of columns, and the squared distances of rows from them, summed row by row in double precision.
package struct ColumnMoments: Sendable {
    /// Number of rows so far.
    package private(set) var count = 0
    /// The first row, [column]. Sums are of differences from it, which keep their precision if a column is far from 0.
    private var first: [Double]
    private var sums, squares: [Double]

    /// Sums of no row yet.
    package init(width: Int) {
        first = [Double](repeating: 0, count: width)
        (sums, squares) = (first, first)
    }

    /// Adds a row of as many values as there are columns.
    package mutating func add(_ row: ArraySlice<Float>) {
        if count == 0 { first = row.map(Double.init) }
        count += 1
        for (column, value) in row.enumerated() {
            let difference = Double(value) - first[column]
            sums[column] += difference
            squares[column] += difference * difference
        }
    }

    /// The columns' means, [column]; 0 without rows.
    package var means: [Double] { first.indices.map { first[$0] + sums[$0] / Double(max(count, 1)) } }

    /// The sum of the rows' squared distances from the columns' means: count - 1 times the variance of all columns.
    package var squaredDistances: Double {
        var total = 0.0
        for (sum, square) in zip(sums, squares) { total += max(0, square - sum * sum / Double(max(count, 1))) }
        return total
    }

    /// The sum of the rows' squared distances from another point.
    /// - Parameter center: [column].
    package func squaredDistances(from center: [Double]) -> Double {
        var total = squaredDistances
        for (mean, other) in zip(means, center) { total += Double(count) * (mean - other) * (mean - other) }
        return total
    }
}
