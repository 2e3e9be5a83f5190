/// What a covariance adds up. Columns are cut into blocks of ``width``; pairs of blocks (a, b), a <= b, are numbered
/// row by row; rows are cut into parts. Tiles are [part][pair][width][width]: the sum over the part's rows of
/// x[a·width + i] x[b·width + j]; sums are [part][dimensions]. Columns beyond the last count as zero.
package struct CovarianceShape: Sendable {
    /// Columns per block.
    package static let width = 112
    /// Rows per part.
    package static let partRows = 4096
    /// Most rows whose products of bytes a 32-bit sum holds.
    package static let mostByteRows = Int(Int32.max) / (255 * 255)
    /// Rows that float32 sums run over at once.
    package static let chunkRows = 128
    /// Number of rows.
    package let count: Int
    /// Number of columns.
    package let dimensions: Int

    /// The shape for a matrix [count][dimensions].
    package init(count: Int, dimensions: Int) {
        self.count = count
        self.dimensions = dimensions
    }
    /// Number of column blocks.
    package var blocks: Int { (dimensions + Self.width - 1) / Self.width }
    /// Number of pairs of column blocks.
    package var pairs: Int { blocks * (blocks + 1) / 2 }
    /// Number of row parts.
    package var parts: Int { (count + Self.partRows - 1) / Self.partRows }
    /// Elements of the tiles.
    package var tileElements: Int { parts * pairs * Self.width * Self.width }
    /// Elements of the sums.
    package var sumElements: Int { parts * dimensions }

    /// The pair of the column blocks `row` <= `column`.
    package func pair(ofBlocks row: Int, _ column: Int) -> Int { row * blocks - row * (row - 1) / 2 + column - row }

    /// The two column blocks of a pair.
    package func blocks(ofPair pair: Int) -> (row: Int, column: Int) {
        var row = 0
        var left = pair
        while left >= blocks - row {
            left -= blocks - row
            row += 1
        }
        return (row, row + left)
    }
}
