import Compute
import Foundation
import Ranks
import Support

/// What can go wrong in PCA and k-means. Each description is one sentence: what is wrong and what would be accepted.
package enum ClusteringError: CategorizedError, SharedError {
    /// A matrix without rows or columns, or whose elements are not rows times columns.
    case badMatrix(elements: Int, count: Int, dimensions: Int)
    /// An input value that is NaN or infinite; rows and columns count from zero.
    case notFinite(row: Int, column: Int)
    /// An input value whose squared distances would overflow; rows and columns count from zero. `limit` is for a value
    /// less its column's median.
    case tooLarge(row: Int, column: Int, value: Double, limit: Float)
    /// Values so near to each other that the squares of their differences underflow; `value` is the largest difference.
    case tooSmall(value: Double, limit: Float)
    /// More rows or columns than kernels number.
    case tooManyValues(count: Int, dimensions: Int)
    /// More clusters than points.
    case tooManyClusters(k: Int, count: Int)
    /// More principal components than dimensions or rows.
    case tooManyComponents(components: Int, count: Int, dimensions: Int)
    /// Rows of one width where another is needed.
    case dimensionMismatch(what: String, found: Int, wanted: Int)
    /// A setting outside its range.
    case badSetting(name: String, value: String, accepted: String)
    /// Rows that could not be read; `reason` is a sentence that names the file.
    case unreadable(reason: String, category: ErrorCategory = .noInput)
    /// More bytes than are allowed, though samples are streamed.
    case memory(what: String, needed: Int, allowed: Int)
    /// More bytes than the system leaves.
    case noMemory(what: String, needed: Int, least: AvailableMemory)
    /// LAPACK's dsyevr gave up; `info` is what it returned.
    case eigensolver(info: Int)
    /// The backend failed.
    case compute(ComputeError)
    /// More ranks than chunks of rows.
    case tooManyRanks(ranks: Int, rows: Int, accepted: Int)
    /// Two ranks read the same rows and found different values. All ranks have this same error.
    case differentRows(name: String, rows: Range<Int>, owner: Int, other: Int)
    /// A value is so far from the others that exact sums would lose these: its size and the usual one, less the columns'
    /// medians if these were subtracted. Row and column count from zero. All ranks have this same error.
    case farValue(row: Int, column: Int, size: Double, usual: Double)
    /// The ranks have different settings, or cannot reach each other.
    case ranks(RanksError)
    /// The state of the iterations could not be kept.
    case file(FileError)
    /// The iterations were stopped; their state is kept. All ranks have this same error.
    case interrupted(iterations: Int)

    package var description: String {
        switch self {
        case .badMatrix(let elements, let count, let dimensions):
            "\(elements) elements do not make a matrix of \(count) rows and \(dimensions) columns; "
                + "at least one row and one column are needed"
        case .notFinite(let row, let column):
            "row \(row), column \(column) (counted from 0) is not a finite number; PCA and k-means need finite numbers"
        case .tooLarge(let row, let column, let value, let limit):
            "row \(row), column \(column) (counted from 0) is \(shortest(value)), which is too large: its squares are beyond "
                + "float32; values may differ from the middle of their column by at most \(limit)"
        case .tooSmall(let value, let limit):
            "no value is further than \(shortest(value)) from the median of its column, and squares of such differences are below "
                + "float32's range; multiply the values by a constant so that some differ by \(limit) or more"
        case .tooManyValues(let count, let dimensions):
            "\(count) rows of \(dimensions) columns are too many; at most \(FeatureMatrix.mostRows) rows and "
                + "\(FeatureMatrix.mostColumns) columns are accepted"
        case .tooManyClusters(let k, let count):
            "k is \(k), but there are only \(count) points; k may be 1 to \(count)"
        case .tooManyComponents(let components, let count, let dimensions):
            "\(components) principal components of \(count) rows and \(dimensions) columns; "
                + "1 to \(min(count, dimensions)) are possible"
        case .dimensionMismatch(let what, let found, let wanted):
            "\(what) have \(found) columns where \(wanted) are needed"
        case .badSetting(let name, let value, let accepted): "\(name) is \(value); \(accepted) would be accepted"
        case .unreadable(let reason, _): reason
        case .memory(let what, let needed, let allowed):
            "\(what) needs \(mebibytes(needed)), the program itself included, even when its samples are streamed; "
                + "\(mebibytes(allowed)) are allowed"
        case .noMemory(let what, let needed, let least):
            "\(what) needs \(mebibytes(needed)) of memory, and \(least.source) leaves \(mebibytes(least.bytes))"
        case .eigensolver(let info): "LAPACK's dsyevr could not find the principal components (info \(info))"
        case .compute(let error): error.description
        case .tooManyRanks(let ranks, let rows, let accepted):
            "\(ranks) ranks are too many for \(describeCount(rows, "row")), which are spread in chunks of \(RowSpread.chunkRows); "
                + "1 to \(accepted) are accepted"
        case .differentRows(let name, let rows, let owner, let other):
            "the ranks differ in \(name): rank \(owner) has other values in rows \(rows.lowerBound) to "
                + "\(rows.upperBound - 1) (counted from 0) than rank \(other); all ranks must have the same"
        case .farValue(let row, let column, let size, let usual):
            "row \(row), column \(column) (counted from 0) has a value \(Self.times(size / usual)) times as far from its "
                + "column's median as half of all values are, so that a sum of all rows loses these; samples without "
                + "such values are accepted, and --kmeans minibatch takes these"
        case .ranks(let error): error.description
        case .file(let error): error.description
        case .interrupted(let iterations):
            "stopped after \(describeCount(iterations, "iteration")); the same command with --resume goes on from there"
        }
    }

    /// A large ratio, as in messages.
    private static func times(_ ratio: Double) -> String { String(format: "%.0e", ratio) }

    /// True for errors that every rank has: those of settings, which all ranks have checked to be the same, and those that the
    /// ranks agreed on.
    package var isShared: Bool {
        switch self {
        case .badSetting, .tooManyClusters, .tooManyRanks, .differentRows, .farValue, .interrupted: true
        case .ranks(let error): error.isShared
        default: false
        }
    }

    /// Of what kind it is; a backend's error has a kind of its own.
    package var category: ErrorCategory {
        switch self {
        case .badSetting, .memory, .tooManyRanks: .usage
        case .ranks(let error): error.category
        case .file(let error): error.category
        case .interrupted: .cancelled
        case .unreadable(_, let category): category
        case .noMemory: .unavailable
        case .badMatrix, .notFinite, .tooLarge, .tooSmall, .tooManyValues, .tooManyClusters, .differentRows,
            .farValue, .tooManyComponents, .dimensionMismatch:
            .badData
        case .eigensolver: .software
        case .compute(let error): if case .invalidShape = error { .software } else { .unavailable }
        }
    }
}

/// A number in as few digits as its type needs: float32 where it is one.
private func shortest(_ value: Double) -> String { Double(Float(value)) == value ? "\(Float(value))" : "\(value)" }

/// Bytes in MiB, rounded up: what `--memory` takes, with an M behind it.
private func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20)M" }

/// Runs `body`, turning a backend's error into one of this module.
func computing<Result>(_ body: () throws(ComputeError) -> Result) throws(ClusteringError) -> Result {
    do { return try body() } catch { throw .compute(error) }
}
