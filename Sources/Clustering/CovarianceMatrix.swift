import Compute
import Ranks

/// Parts of rows whose covariance a backend sums at once, so that its sums stay below 64 MiB or so.
func partsAtOnce(_ dimensions: Int) -> Int {
    let tile = CovarianceShape(count: 1, dimensions: dimensions).tileElements
    return max(1, min(FeatureMatrix.streamedRows / CovarianceShape.partRows, (1 << 24) / tile))
}

/// Means of all columns, and the covariance of those that vary.
struct CovarianceMatrix {
    let mean: [Double]
    /// Number of columns.
    var dimensions: Int { mean.count }
    /// The columns that vary, in their order; all columns where fewer vary than were wanted.
    let columns: [Int]
    /// Their covariance, [columns][columns], the upper triangle alone; divisor count - 1.
    let values: [Double]
}

/// The covariance of 8-bit values, from sums that are exact: count · Σxy - Σx · Σy in whole numbers.
/// - Parameters:
///   - least: so many columns are kept, whether they vary or not.
///   - spread: the rows that this rank reads; nil for all.
func byteCovariance(of matrix: FeatureMatrix, least: Int, spread: RowSpread?, on backend: any Backend)
    throws(ClusteringError) -> CovarianceMatrix
{
    let total = try byteSums(of: matrix, spread: spread, on: backend)
    let count = Int64(matrix.count)
    let divisor = Double(count) * Double(max(count - 1, 1))
    // Both terms are at most count² · 255², which passes 64 bits beyond ten million rows; the wide type is slow.
    let mean = total.sums.map { Double($0) / Double(matrix.count) }
    return count < 10_000_000
        ? total.covariance(mean, least: least) { product, a, b in Double(count * product - a * b) / divisor }
        : total.covariance(mean, least: least) { product, a, b in
            Double(Int128(count) * Int128(product) - Int128(a) * Int128(b)) / divisor
        }
}

/// Sums of products of columns of 8-bit values, and of the columns: exact.
/// - Parameter spread: the rows that this rank reads, the sums being those of all ranks; nil for all rows.
func byteSums(of matrix: FeatureMatrix, spread: RowSpread? = nil, on backend: any Backend) throws(ClusteringError)
    -> PairSums<Int64>
{
    let range = spread?.rows ?? 0..<matrix.count
    let total = PairSums<Int64>(matrix)
    // The backend adds to its sums for as long as 32 bits hold them.
    let most = CovarianceShape.mostByteRows / CovarianceShape.partRows
    var added = 0
    // What the first of the pieces since the last reading wrote; the last piece of all may have fewer parts.
    var written = total.shape
    let room = try computing { () throws(ComputeError) in
        (
            tiles: try backend.makeBuffer(of: Int32.self, count: total.shape.tileElements, label: "covariance"),
            sums: try backend.makeBuffer(of: Int32.self, count: total.shape.sumElements, label: "column sums")
        )
    }
    try matrix.stream(range, to: backend, atMost: total.shape.count) { rows, first throws(ComputeError) in
        guard case .bytes(let buffer) = rows.storage else { return }
        let shape = CovarianceShape(count: rows.count, dimensions: matrix.dimensions)
        try backend.run(
            Covariance(of: buffer, shape: shape, adding: added > 0, tiles: room.tiles, sums: room.sums))
        if added == 0 { written = shape }
        added += 1
        guard added == most || first + rows.count == range.count else { return }
        added = 0
        total.add(
            try backend.read(room.tiles, count: written.tileElements),
            try backend.read(room.sums, count: written.sumElements), written
        ) { Int64($0) }
    }
    if let spread { try acrossRanks { () throws(RanksError) in try total.combine(over: spread.communicator) } }
    return total
}

/// The covariance of float32 values. A shift near the mean is subtracted first, so that nothing cancels; what it missed
/// is corrected exactly.
/// - Parameters:
///   - least: so many columns are kept, whether they vary or not.
///   - spread: the rows that this rank reads; nil for all.
func floatCovariance(of matrix: FeatureMatrix, least: Int, spread: RowSpread?, on backend: any Backend)
    throws(ClusteringError) -> CovarianceMatrix
{
    var shift = try sampledMean(matrix)
    // All ranks use the shift of rank 0: it is sampled from all rows, and each rank has checked only some of these.
    if let spread { try acrossRanks { () throws(RanksError) in try spread.communicator.broadcast(&shift) } }
    let total = try exactFloatSums(of: matrix, less: shift, spread: spread, on: backend)
    let count = Double(matrix.count)
    let mean = zip(shift, total.sums).map { Double($0) + $1 / count }
    return total.covariance(mean, least: least) { product, a, b in (product - a * b / count) / max(count - 1, 1) }
}

/// Sums of products of columns of float32 values, each column less a number, and sums of the columns, in double precision and
/// in the order of the rows.
func floatSums(of matrix: FeatureMatrix, less shiftValues: [Float], on backend: any Backend)
    throws(ClusteringError) -> PairSums<Double>
{
    let total = PairSums<Double>(matrix)
    try forEachFloatSums(of: matrix, 0..<matrix.count, less: shiftValues, total.shape, on: backend) {
        tiles, sums, shape in
        total.add(tiles, sums, shape) { Double($0) }
    }
    return total
}

/// The same sums, with those of the parts added exactly, so that they have the same bits for any number of ranks.
/// - Parameter spread: the rows that this rank reads, the sums being those of all ranks; nil for all rows.
private func exactFloatSums(
    of matrix: FeatureMatrix, less shiftValues: [Float], spread: RowSpread?, on backend: any Backend
) throws(ClusteringError) -> PairSums<Double> {
    let shape = PairSums<Double>.shape(of: matrix)
    let elements = shape.pairs * CovarianceShape.width * CovarianceShape.width
    let dimensions = matrix.dimensions
    // The subtracted number lies within the range of the column's values.
    let bound = 2 * matrix.bound
    var products = WideSums(elements: elements, try scale(bound: bound * bound, rows: matrix.count))
    var columns = WideSums(elements: dimensions, try scale(bound: bound, rows: matrix.count))
    let used = shape.usedElements
    let range = spread?.rows ?? 0..<matrix.count
    try forEachFloatSums(of: matrix, range, less: shiftValues, shape, on: backend) { tiles, sums, shape in
        for part in 0..<shape.parts {
            tiles.withUnsafeBufferPointer { tiles in
                products.add(
                    UnsafeBufferPointer(rebasing: tiles[part * elements..<(part + 1) * elements]),
                    rows: CovarianceShape.partRows, in: used)
            }
            sums.withUnsafeBufferPointer { sums in
                columns.add(
                    UnsafeBufferPointer(rebasing: sums[part * dimensions..<(part + 1) * dimensions]),
                    rows: CovarianceShape.partRows)
            }
        }
    }
    if let spread {
        try acrossRanks { () throws(RanksError) in
            try products.combine(over: spread.communicator)
            try columns.combine(over: spread.communicator)
        }
    }
    return PairSums(shape, products: products.values, sums: columns.values)
}

extension CovarianceShape {
    /// The elements of a part's tiles that belong to two columns, row by row of a tile; the others are not always written.
    fileprivate var usedElements: [Range<Int>] {
        (0..<pairs).flatMap { pair -> [Range<Int>] in
            let (rowBlock, columnBlock) = blocks(ofPair: pair)
            let rows = min(Self.width, dimensions - rowBlock * Self.width)
            let columns = min(Self.width, dimensions - columnBlock * Self.width)
            return (0..<rows).map { row in
                let start = (pair * Self.width + row) * Self.width
                return start..<start + columns
            }
        }
    }
}

private func scale(bound: Double, rows: Int) throws(ClusteringError) -> FixedPoint {
    do { return try FixedPoint(bound: bound, rows: rows) } catch { throw .ranks(.sums(error)) }
}

/// Calls `body` with the sums of products and of columns over the rows of `range`, for at most `most` rows at a time, and with
/// their shape.
private func forEachFloatSums(
    of matrix: FeatureMatrix, _ range: Range<Int>, less shiftValues: [Float], _ most: CovarianceShape,
    on backend: any Backend, _ body: ([Float], [Float], CovarianceShape) -> Void
) throws(ClusteringError) {
    let room = try computing { () throws(ComputeError) in
        (
            shift: try backend.makeBuffer(shiftValues, label: "shift"),
            tiles: try backend.makeBuffer(of: Float.self, count: most.tileElements, label: "covariance"),
            sums: try backend.makeBuffer(of: Float.self, count: most.sumElements, label: "column sums")
        )
    }
    try matrix.stream(range, to: backend, atMost: most.count) { rows, _ throws(ComputeError) in
        guard case .floats(let buffer) = rows.storage else { return }
        let shape = CovarianceShape(count: rows.count, dimensions: matrix.dimensions)
        try backend.run(
            Covariance(
                of: buffer, shape: shape, shift: room.shift, adding: false, tiles: room.tiles, sums: room.sums))
        body(
            try backend.read(room.tiles, count: shape.tileElements),
            try backend.read(room.sums, count: shape.sumElements), shape)
    }
}

/// Column means over at most 1024 rows spread over the matrix: near enough to the mean to keep sums of squares from
/// cancelling.
private func sampledMean(_ matrix: FeatureMatrix) throws(ClusteringError) -> [Float] {
    let rows = min(matrix.count, 1024)
    var sums = [Double](repeating: 0, count: matrix.dimensions)
    for sample in 0..<rows {
        let row = sample * matrix.count / rows
        try matrix.withRows(row..<row + 1, of: Float.self) { values throws(ClusteringError) in
            for (column, value) in values.enumerated() { sums[column] += Double(value) }
        }
    }
    return sums.map { Float($0 / Double(rows)) }
}

/// Sums over all parts of a covariance, in the order of the parts.
final class PairSums<Sum: Numeric> {
    fileprivate var products: [Sum]
    fileprivate(set) var sums: [Sum]
    /// The most rows that are summed at once.
    let shape: CovarianceShape

    /// The shape for the most rows of `matrix` that are summed at once.
    static func shape(of matrix: FeatureMatrix) -> CovarianceShape {
        let rows = partsAtOnce(matrix.dimensions) * CovarianceShape.partRows
        return CovarianceShape(count: min(rows, matrix.count), dimensions: matrix.dimensions)
    }

    /// Sums that are known: of products [pair][width][width], and of columns.
    init(_ shape: CovarianceShape, products: [Sum], sums: [Sum]) {
        self.shape = shape
        self.products = products
        self.sums = sums
    }

    /// Sums of nothing.
    init(_ matrix: FeatureMatrix) {
        let width = CovarianceShape.width
        shape = Self.shape(of: matrix)
        products = Array(repeating: 0, count: shape.pairs * width * width)
        sums = Array(repeating: 0, count: shape.dimensions)
    }

    /// Adds what a backend summed over the rows of `shape`.
    @inline(__always)
    func add<Part>(_ tiles: [Part], _ columns: [Part], _ shape: CovarianceShape, _ convert: (Part) -> Sum) {
        accumulate(tiles, into: &products, parts: shape.parts, convert)
        accumulate(columns, into: &sums, parts: shape.parts, convert)
    }

    @inline(__always)
    private func accumulate<Part>(_ source: [Part], into target: inout [Sum], parts: Int, _ convert: (Part) -> Sum) {
        let size = target.count
        source.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                for part in 0..<parts {
                    for element in 0..<size { target[element] += convert(source[part * size + element]) }
                }
            }
        }
    }

    /// The sum of products of columns a <= b.
    @inline(__always)
    func product(_ a: Int, _ b: Int) -> Sum {
        let width = CovarianceShape.width
        let pair = shape.pair(ofBlocks: a / width, b / width)
        return products[(pair * width + a % width) * width + b % width]
    }

    /// The covariance that `value` makes of every (Σxy, Σx, Σy).
    @inline(__always)
    func covariance(_ mean: [Double], least: Int, _ value: (Sum, Sum, Sum) -> Double) -> CovarianceMatrix {
        let dimensions = shape.dimensions
        let varying = (0..<dimensions).filter { column in
            value(product(column, column), sums[column], sums[column]) != 0
        }
        let columns = varying.count < least ? Array(0..<dimensions) : varying
        let order = columns.count
        var result = [Double](repeating: 0, count: order * order)
        for (row, a) in columns.enumerated() {
            for column in row..<order {
                let b = columns[column]
                result[row * order + column] = value(product(a, b), sums[a], sums[b])
            }
        }
        return CovarianceMatrix(mean: mean, columns: columns, values: result)
    }
}

extension PairSums<Int64> {
    /// Replaces the sums by those over the rows of all ranks. Collective.
    func combine(over communicator: Communicator) throws(RanksError) {
        try communicator.sum(&products)
        try communicator.sum(&sums)
    }
}
