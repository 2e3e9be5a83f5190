import Support

/// Rows of float32 in the host's memory, [count][dimensions], for what is computed there on all cores whatever the
/// backend: comparisons of rows with each other, of which few are kept.
package struct HostRows: Sendable {
    /// Number of rows.
    package let count: Int
    /// Number of columns.
    package let dimensions: Int
    /// The values, row by row.
    package private(set) var values: [Float]

    /// Rows of these values, [count][dimensions].
    package init(_ values: [Float], count: Int, dimensions: Int) {
        self.values = values
        self.count = count
        self.dimensions = dimensions
    }

    /// The rows of points that are in a backend's memory.
    /// - Throws: what reading throws.
    package init(_ points: Points, on backend: any BufferBackend) throws(ComputeError) {
        count = points.count
        dimensions = points.dimensions
        values = []
        values.reserveCapacity(count * dimensions)
        try Self.forEachPiece(of: points, on: backend) { piece, _ in values += piece.values }
    }

    /// Hands points to `body` as rows, some MiB at a time, each piece with the number of its first point.
    /// - Throws: what reading throws.
    package static func forEachPiece(
        of points: Points, on backend: any BufferBackend, _ body: (HostRows, Int) -> Void
    ) throws(ComputeError) {
        let (dimensions, lanes) = (points.dimensions, points.lanes)
        let tilesAtOnce = max(1, (1 << 22) / max(1, dimensions * lanes))
        for first in stride(from: 0, to: points.tiles, by: tilesAtOnce) {
            let tiles = first..<min(first + tilesAtOnce, points.tiles)
            let packed = try backend.read(
                points.buffer, at: first * dimensions * lanes, count: tiles.count * dimensions * lanes)
            let rows = first * lanes..<min(tiles.upperBound * lanes, points.count)
            var values = [Float](repeating: 0, count: rows.count * dimensions)
            packed.withUnsafeBufferPointer { packed in
                values.withUnsafeMutableBufferPointer { values in
                    for row in 0..<rows.count {
                        let from = row / lanes * dimensions * lanes + row % lanes
                        for dimension in 0..<dimensions {
                            values[row * dimensions + dimension] = packed[from + dimension * lanes]
                        }
                    }
                }
            }
            body(HostRows(values, count: rows.count, dimensions: dimensions), first * lanes)
        }
    }

    /// A row.
    package subscript(row: Int) -> ArraySlice<Float> { values[row * dimensions..<(row + 1) * dimensions] }

    /// The rows of `indices`, in that order.
    package func gathered(_ indices: [Int]) -> HostRows {
        var gathered: [Float] = []
        gathered.reserveCapacity(indices.count * dimensions)
        for index in indices { gathered += self[index] }
        return HostRows(gathered, count: indices.count, dimensions: dimensions)
    }

    /// The rows scaled to unit length, in double precision; rows of zeros stay as they are.
    /// - Parameter shift: what is added to every row first, [dimensions]; nil for nothing.
    package func normalised(adding shift: [Double]? = nil) -> HostRows {
        var scaled = self
        let noise = Self.noise(of: shift)
        let shift = shift ?? [Double](repeating: 0, count: dimensions)
        scaled.values.withUnsafeMutableBufferPointer { values in
            shift.withUnsafeBufferPointer { shift in
                for row in 0..<count {
                    let first = row * dimensions
                    var square = 0.0
                    for column in 0..<dimensions {
                        let value = Double(values[first + column]) + shift[column]
                        square += value * value
                    }
                    let factor = square > noise ? 1 / square.squareRoot() : 0
                    for column in 0..<dimensions {
                        values[first + column] = Float((Double(values[first + column]) + shift[column]) * factor)
                    }
                }
            }
        }
        return scaled
    }

    /// The largest squared length that a row of zeros can have once `shift`, less which it was rounded to float32, is added
    /// again, with room to spare: half a unit in the last place per coordinate, doubled. A row no longer than that has no
    /// direction that is its own.
    static func noise(of shift: [Double]?) -> Double { (shift ?? []).reduce(0) { $0 + $1 * $1 } * 0x1p-46 }

    /// The squared distance of two rows, summed directly: exact for small integers.
    package func squaredDistance(_ one: Int, _ other: Int) -> Float {
        values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return 0 }
            return Self.squaredDistance(base + one * dimensions, base + other * dimensions, dimensions)
        }
    }

    static func squaredDistance(_ one: UnsafePointer<Float>, _ other: UnsafePointer<Float>, _ dimensions: Int) -> Float
    {
        let width = Lanes.scalarCount
        var sums = Lanes.zero
        var dimension = 0
        let (a, b) = (UnsafeRawPointer(one), UnsafeRawPointer(other))
        while dimension + width <= dimensions {
            let difference =
                a.loadUnaligned(fromByteOffset: 4 * dimension, as: Lanes.self)
                - b.loadUnaligned(fromByteOffset: 4 * dimension, as: Lanes.self)
            sums += difference * difference
            dimension += width
        }
        var sum = sums.total
        while dimension < dimensions {
            let difference = one[dimension] - other[dimension]
            sum += difference * difference
            dimension += 1
        }
        return sum
    }
}

/// Rows of a block of queries, one per lane, whose products with other rows are taken a panel at a time.
struct QueryBlock {
    /// Most queries of a block: whole blocks of sums at every instruction set.
    static let most = 12 * Lanes.scalarCount
    /// Rows whose products with a block are taken at once.
    static let panel = 48

    private let loops: LaneLoops
    private let dimensions: Int
    private let memory: Scratch
    /// The queries' rows.
    let queries: Range<Int>
    /// Vectors of queries.
    let tiles: Int
    /// The products of a panel, [panel][tiles].
    let scores: UnsafeMutablePointer<Float>

    /// Packs rows of `base`, at most ``most`` of them.
    init(_ queries: Range<Int>, of base: UnsafePointer<Float>, dimensions: Int, loops: LaneLoops) {
        let lanes = Lanes.scalarCount
        self.queries = queries
        self.dimensions = dimensions
        self.loops = loops
        tiles = (queries.count + lanes - 1) / lanes
        memory = Scratch(count: tiles * lanes * (dimensions + Self.panel))
        scores = memory.floats + tiles * lanes * dimensions
        for tile in 0..<tiles {
            let first = queries.lowerBound + tile * lanes
            packTile(
                rows: min(lanes, queries.upperBound - first), columns: dimensions,
                into: memory.floats + tile * dimensions * lanes, row: { base + (first + $0) * dimensions },
                value: { value, _ in value })
        }
    }

    /// Fills ``scores`` with start[row] + row . query, `start` being 0 where it is nil.
    func multiply(_ rows: Range<Int>, of base: UnsafePointer<Float>, start: UnsafePointer<Float>?) {
        let shape = LaneProducts(
            planes: 1, rows: 1, taps: dimensions, outputs: rows.count, columns: tiles,
            x_plane: 0, x_row: 0, x_tap: 1, x_column: dimensions,
            w_plane: 0, w_row: 0, w_tap: 1, w_output: dimensions, y_output: tiles, y_column: 1)
        withExtendedLifetime(memory) {
            loops.products(
                shape, memory.floats, base + rows.lowerBound * dimensions,
                start: start.map { $0 + rows.lowerBound }, into: scores)
        }
    }
}

extension Range<Int> {
    /// Consecutive parts of at most `most`.
    func parts(of most: Int) -> [Range<Int>] {
        stride(from: lowerBound, to: upperBound, by: most).map { $0..<Swift.min($0 + most, upperBound) }
    }
}
