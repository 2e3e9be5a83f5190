import Support

/// Reasons why a sum cannot be exact. Each description is one sentence.
package enum ExactSumError: Equatable, CategorizedError {
    /// No scale fits the bound and the number of rows.
    case noScale(bound: Double, rows: Int)
    /// A chunk has more rows than one float32 sum may have.
    case chunkTooLong(rows: Int, accepted: Int)
    /// More rows than the scale was made for.
    case tooManyRows(rows: Int, accepted: Int)
    /// A chunk's sum is not finite, or larger than its rows can make it.
    case outOfBounds(element: Int, value: Double, limit: Double)
    /// Sums of different numbers of elements, or with different scales.
    case different(String)

    package var category: ErrorCategory {
        switch self {
        case .noScale, .outOfBounds: .badData
        case .chunkTooLong, .tooManyRows, .different: .software
        }
    }

    package var description: String {
        switch self {
        case .noScale(let bound, let rows):
            return
                "no exact sum of \(describeCount(rows, "row")) of values up to \(bound) can be made; the product must be "
                + "at most 2^900"
        case .chunkTooLong(let rows, let accepted):
            return
                "a chunk of \(describeCount(rows, "row")) is too long for an exact sum, which takes up to \(accepted)"
        case .tooManyRows(let rows, let accepted):
            return "an exact sum made for \(describeCount(accepted, "row")) was given \(rows)"
        case .outOfBounds(let element, let value, let limit):
            return
                "the sum of a chunk is \(value) in element \(element), and must be finite and at most \(limit) in size: "
                + "the rows have a value that is not finite, or one larger than the largest that was found before"
        case .different(let what):
            return "exact sums that differ in \(what) cannot be added"
        }
    }
}
