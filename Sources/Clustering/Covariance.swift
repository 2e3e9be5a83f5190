import Compute

/// Rows whose covariance a backend sums at once, so that its partial sums stay below 64 MiB or so.
private func rowsAtOnce(_ dimensions: Int) -> Int {
    let tile = CovarianceShape(count: 1, dimensions: dimensions).tileElements
    return CovarianceShape.partRows * max(1, min(8, (1 << 24) / tile))
}

/// Means and covariance [dimensions][dimensions] (upper triangle; divisor count - 1) of 8-bit values, from sums that
/// are exact: count · Σxy - Σx · Σy in whole numbers.
func byteCovariance(of matrix: FeatureMatrix, on backend: any ClusteringOperations) throws(ComputeError)
    -> (mean: [Double], covariance: [Double])
{
    let dimensions = matrix.dimensions
    let limit = rowsAtOnce(dimensions)
    let largest = CovarianceShape(count: min(limit, matrix.count), dimensions: dimensions)
    let tiles = try backend.makeBuffer(of: Int32.self, count: largest.tileElements, label: "covariance")
    let sums = try backend.makeBuffer(of: Int32.self, count: largest.sumElements, label: "column sums")
    let total = PairSums<Int64>(largest)
    try matrix.stream(to: backend, atMost: limit) { rows, _ throws(ComputeError) in
        guard case .bytes(let buffer) = rows.storage else { return }
        let shape = CovarianceShape(count: rows.count, dimensions: dimensions)
        try backend.covariance(of: buffer, shape: shape, tiles: tiles, sums: sums)
        total.add(
            try backend.read(tiles, count: shape.tileElements), try backend.read(sums, count: shape.sumElements), shape
        ) { Int64($0) }
    }
    let count = Int128(matrix.count)
    let divisor = Double(matrix.count) * Double(max(matrix.count - 1, 1))
    let covariance = total.matrix { product, a, b in
        // At most count² · 255² · 2: beyond 64 bits only for more than eight million rows, hence the wide type.
        Double(count * Int128(product) - Int128(a) * Int128(b)) / divisor
    }
    return (total.sums.map { Double($0) / Double(matrix.count) }, covariance)
}

/// Means and covariance [dimensions][dimensions] (upper triangle; divisor count - 1) of float32 values. A shift near the
/// mean is subtracted first, so that nothing cancels; what it missed is corrected exactly.
func floatCovariance(of matrix: FeatureMatrix, _ values: [Float], on backend: any ClusteringOperations)
    throws(ComputeError) -> (mean: [Double], covariance: [Double])
{
    let dimensions = matrix.dimensions
    let limit = rowsAtOnce(dimensions)
    let largest = CovarianceShape(count: min(limit, matrix.count), dimensions: dimensions)
    let shiftValues = sampledMean(values, count: matrix.count, dimensions: dimensions)
    let shift = try backend.makeBuffer(shiftValues, label: "shift")
    let tiles = try backend.makeBuffer(of: Float.self, count: largest.tileElements, label: "covariance")
    let sums = try backend.makeBuffer(of: Float.self, count: largest.sumElements, label: "column sums")
    let total = PairSums<Double>(largest)
    try matrix.stream(to: backend, atMost: limit) { rows, _ throws(ComputeError) in
        guard case .floats(let buffer) = rows.storage else { return }
        let shape = CovarianceShape(count: rows.count, dimensions: dimensions)
        try backend.covariance(of: buffer, shape: shape, shift: shift, tiles: tiles, sums: sums)
        total.add(
            try backend.read(tiles, count: shape.tileElements), try backend.read(sums, count: shape.sumElements), shape
        ) { Double($0) }
    }
    let count = Double(matrix.count)
    let covariance = total.matrix { product, a, b in (product - a * b / count) / max(count - 1, 1) }
    return (zip(shiftValues, total.sums).map { Double($0) + $1 / count }, covariance)
}

/// Column means over at most 1024 rows spread over the matrix: near enough to the mean to keep sums of squares from
/// cancelling.
private func sampledMean(_ values: [Float], count: Int, dimensions: Int) -> [Float] {
    let rows = min(count, 1024)
    var sums = [Double](repeating: 0, count: dimensions)
    for sample in 0..<rows {
        let start = sample * count / rows * dimensions
        for column in 0..<dimensions { sums[column] += Double(values[start + column]) }
    }
    return sums.map { Float($0 / Double(rows)) }
}

/// Sums over all parts of a covariance, in the order of the parts.
private final class PairSums<Sum: Numeric> {
    private var products: [Sum]
    private(set) var sums: [Sum]
    private let shape: CovarianceShape

    init(_ shape: CovarianceShape) {
        let width = CovarianceShape.width
        products = Array(repeating: 0, count: shape.pairs * width * width)
        sums = Array(repeating: 0, count: shape.dimensions)
        self.shape = shape
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

    /// The upper triangle of a matrix from every (Σxy, Σx, Σy).
    func matrix(_ value: (Sum, Sum, Sum) -> Double) -> [Double] {
        let width = CovarianceShape.width
        let dimensions = shape.dimensions
        var result = [Double](repeating: 0, count: dimensions * dimensions)
        for pair in 0..<shape.pairs {
            let (blockA, blockB) = shape.blocks(ofPair: pair)
            for row in blockA * width..<min((blockA + 1) * width, dimensions) {
                for column in max(row, blockB * width)..<max(row, min((blockB + 1) * width, dimensions)) {
                    let product = products[(pair * width + row - blockA * width) * width + column - blockB * width]
                    result[row * dimensions + column] = value(product, sums[row], sums[column])
                }
            }
        }
        return result
    }
}
