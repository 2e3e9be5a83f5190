import Compute
import Datasets
import Ranks

/// The place of this rank's rows among those of all ranks. Each rank has a range of whole chunks, in the order of ranks.
package struct RowSpread {
    package let communicator: Communicator
    /// This rank's rows, by their numbers among all rows.
    package let rows: Range<Int>
    /// The number of rows of all ranks.
    package let total: Int

    /// Rows per chunk. A chunk is a part of a covariance, and its size is a multiple of every block of points; the sums of
    /// parts and blocks are rounded to units.
    package static let chunkRows = CovarianceShape.partRows

    /// Spreads `total` rows over the ranks of `communicator`. Collective.
    /// - Throws: ``ClusteringError/tooManyRanks(ranks:rows:accepted:)`` if a rank would have none, and
    ///   ``ClusteringError/ranks(_:)`` if the ranks have different numbers of rows.
    package init(_ total: Int, over communicator: Communicator) throws(ClusteringError) {
        try acrossRanks { () throws(RanksError) in
            try communicator.agree(on: [Agreement("the number of samples", "\(total)")])
        }
        let chunks = Self.chunks(total)
        guard communicator.size <= max(1, chunks) else {
            throw .tooManyRanks(ranks: communicator.size, rows: total, accepted: chunks)
        }
        self.communicator = communicator
        self.total = total
        rows = Self.rows(ofRank: communicator.rank, of: communicator.size, total: total)
    }

    /// The number of chunks of a number of rows.
    package static func chunks(_ total: Int) -> Int { (total + chunkRows - 1) / chunkRows }

    /// The rows of a rank. The numbers of chunks of two ranks differ by at most one.
    package static func rows(ofRank rank: Int, of ranks: Int, total: Int) -> Range<Int> {
        let chunks = chunks(total)
        let first = chunks * rank / ranks * chunkRows
        let end = min(total, chunks * (rank + 1) / ranks * chunkRows)
        return first..<max(first, end)
    }
}

/// The rows of another reader, from `first` on.
struct RowsFrom: RowReader {
    let reader: any RowReader
    let first: Int
    var type: ValueType { reader.type }

    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError) {
        try reader.read(rows.lowerBound + first..<rows.upperBound + first, into: destination)
    }

    func read(rowsAt numbers: [Int], into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError) {
        try reader.read(rowsAt: numbers.map { $0 + first }, into: destination)
    }
}

/// Runs `body` and turns a ``RanksError`` into a ``ClusteringError``.
func acrossRanks<Result>(_ body: () throws(RanksError) -> Result) throws(ClusteringError) -> Result {
    do { return try body() } catch { throw .ranks(error) }
}
