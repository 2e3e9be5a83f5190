import Compute
import Datasets

/// PCA of a matrix with fewer rows than columns: from the products of rows, [count][count], instead of columns.
///
/// With X the rows less their mean, an eigenvector u of X Xᵀ for eigenvalue λ gives Xᵀ u / √λ as an eigenvector of Xᵀ X
/// for the same eigenvalue; the others of Xᵀ X have eigenvalue 0.
struct GramPCA {
    let matrix: FeatureMatrix
    /// Mean of every column of the matrix, its shift not added.
    let mean: [Double]
    /// The columns that vary, in their order.
    private let varying: [Int]

    init(_ matrix: FeatureMatrix) throws(ClusteringError) {
        self.matrix = matrix
        var sums = [Double](repeating: 0, count: matrix.dimensions)
        var first = sums
        var varies = [Bool](repeating: false, count: matrix.dimensions)
        try forEachRow(of: matrix) { row, values in
            for column in sums.indices {
                let value = values(column)
                sums[column] += value
                if row == 0 { first[column] = value } else if value != first[column] { varies[column] = true }
            }
        }
        varying = varies.indices.filter { varies[$0] }
        mean = sums.map { $0 / Double(matrix.count) }
    }

    /// The components with the largest variances, in rows, their variances, and the variance of all columns together.
    func fit(_ components: Int, on backend: any Backend) throws(ClusteringError)
        -> (components: [Double], variances: [Double], total: Double)
    {
        let divisor = Double(max(matrix.count - 1, 1))
        let gram = try matrix.isBytes ? byteGram(on: backend) : floatGram(on: backend)
        let count = matrix.count
        var total = 0.0
        for row in 0..<count { total += gram[row * count + row] / divisor }
        let (values, vectors) = try largestEigenpairs(of: gram, order: count, count: components)
        let rows = try combinations(vectors, components)
        var basis = Basis(dimensions: matrix.dimensions, capacity: components)
        var variances: [Double] = []
        // What is left of the variance once it is known to so many digits counts as none: the direction would be noise.
        let least = max(values.first ?? 0, 0) * (matrix.isBytes ? 1e-13 : 1e-10)
        var missing = 0
        for component in 0..<components {
            let row = rows[component * matrix.dimensions..<(component + 1) * matrix.dimensions]
            let square = row.reduce(0) { $0 + $1 * $1 }
            if square > least, basis.add(Array(row)) { variances.append(square / divisor) } else { missing += 1 }
        }
        // Rounding may have swapped two that are almost the same.
        let order = variances.indices.sorted { (-variances[$0], $0) < (-variances[$1], $1) }
        var result = order.flatMap { basis.vectors[$0] }
        // A column that does not vary has no part in any component, unless fewer vary than were wanted.
        let axes = varying.count < components ? Array(0..<matrix.dimensions) : varying
        for _ in 0..<missing { result += basis.addAnother(among: axes) }
        return (result, order.map { variances[$0] } + [Double](repeating: 0, count: missing), total)
    }

    /// X Xᵀ, the upper triangle, from products of bytes that are exact.
    private func byteGram(on backend: any Backend) throws(ClusteringError) -> [Double] {
        let count = matrix.count
        let columns = FeatureMatrix(
            unchecked: Transposed(matrix: matrix, mean: []), count: matrix.dimensions, dimensions: count)
        let sums = try byteSums(of: columns, on: backend)
        var totals = [Int128](repeating: 0, count: count)
        for row in 0..<count {
            for other in 0..<count { totals[row] += Int128(sums.product(min(row, other), max(row, other))) }
        }
        let total = totals.reduce(0, +)
        let wide = Int128(count)
        var gram = [Double](repeating: 0, count: count * count)
        for row in 0..<count {
            for other in row..<count {
                let product = wide * (wide * Int128(sums.product(row, other)) - totals[row] - totals[other]) + total
                gram[row * count + other] = Double(product) / (Double(count) * Double(count))
            }
        }
        return gram
    }

    /// X Xᵀ, the upper triangle, from float32 products of what is left once the mean is subtracted.
    private func floatGram(on backend: any Backend) throws(ClusteringError) -> [Double] {
        let count = matrix.count
        let columns = FeatureMatrix(
            unchecked: Transposed(matrix: matrix, mean: mean), count: matrix.dimensions, dimensions: count)
        let sums = try floatSums(of: columns, less: [Float](repeating: 0, count: count), on: backend)
        var gram = [Double](repeating: 0, count: count * count)
        for row in 0..<count {
            for other in row..<count { gram[row * count + other] = sums.product(row, other) }
        }
        return gram
    }

    /// Vᵀ X in double precision, V being [components][count].
    private func combinations(_ vectors: [Double], _ components: Int) throws(ClusteringError) -> [Double] {
        let (count, dimensions) = (matrix.count, matrix.dimensions)
        var rows = [Double](repeating: 0, count: components * dimensions)
        var centred = [Double](repeating: 0, count: dimensions)
        try forEachRow(of: matrix) { index, values in
            for column in 0..<dimensions { centred[column] = values(column) - mean[column] }
            rows.withUnsafeMutableBufferPointer { rows in
                centred.withUnsafeBufferPointer { centred in
                    for component in 0..<components {
                        let factor = vectors[component * count + index]
                        let start = component * dimensions
                        for column in 0..<dimensions { rows[start + column] += factor * centred[column] }
                    }
                }
            }
        }
        return rows
    }

    /// Bytes that the fit takes at most, what the backend has in this memory included.
    static func memory(of matrix: FeatureMatrix, components: Int) -> Int {
        let (count, dimensions) = (matrix.count, matrix.dimensions)
        let piece = partsAtOnce(count) * CovarianceShape.partRows
        let shape = CovarianceShape(count: min(piece, dimensions), dimensions: count)
        let sums = shape.tileElements * 12 + shape.tileElements / shape.parts * 8
        let element = matrix.isBytes ? 1 : 4
        let travelling = 3 * element * min(piece, dimensions) * count + 4 * matrix.rowBytes
        return max(sums + travelling + 8 * count * count, 8 * count * (2 * count + 3 * components))
            + 8 * dimensions * (3 * components + 4)
    }
}

/// Hands every row to `body`: its number, and a function that gives its values in double precision.
private func forEachRow(
    of matrix: FeatureMatrix, _ body: (Int, (Int) -> Double) -> Void
) throws(ClusteringError) {
    for row in 0..<matrix.count {
        if matrix.isBytes {
            try matrix.withRows(row..<row + 1, of: UInt8.self) { values in body(row) { Double(values[$0]) } }
        } else {
            try matrix.withRows(row..<row + 1, of: Float.self) { values in body(row) { Double(values[$0]) } }
        }
    }
}

/// The columns of a matrix as rows, less the columns' means where they are float32.
private struct Transposed: RowReader {
    let matrix: FeatureMatrix
    let mean: [Double]
    var type: ValueType { matrix.isBytes ? .uint8 : .float32 }

    func read(_ columns: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError) {
        let count = matrix.count
        for row in 0..<count {
            if matrix.isBytes {
                let target = destination.assumingMemoryBound(to: UInt8.self)
                try matrix.withRows(row..<row + 1, of: UInt8.self) { values in
                    for column in columns { target[(column - columns.lowerBound) * count + row] = values[column] }
                }
            } else {
                let target = destination.assumingMemoryBound(to: Float.self)
                try matrix.withRows(row..<row + 1, of: Float.self) { values in
                    for column in columns {
                        target[(column - columns.lowerBound) * count + row] = Float(
                            Double(values[column]) - mean[column])
                    }
                }
            }
        }
    }
}

/// Orthonormal vectors (Gram and Schmidt's, each step done twice).
private struct Basis {
    let dimensions: Int
    private(set) var vectors: [[Double]] = []

    init(dimensions: Int, capacity: Int) {
        self.dimensions = dimensions
        vectors.reserveCapacity(capacity)
    }

    /// Adds what of `vector` the others do not span, as a unit vector; false where that is next to nothing.
    mutating func add(_ vector: [Double]) -> Bool {
        var rest = vector
        let before = length(rest)
        for _ in 0..<2 {
            for other in vectors {
                let factor = dot(rest, other)
                for index in 0..<dimensions { rest[index] -= factor * other[index] }
            }
        }
        let after = length(rest)
        guard after > 1e-6 * before else { return false }
        vectors.append(rest.map { $0 / after })
        return true
    }

    /// Adds a unit vector that is orthogonal to the others: what they leave of the axis, among more than there are
    /// vectors, of which they span least.
    mutating func addAnother(among axes: [Int]) -> [Double] {
        var spanned = [Double](repeating: 0, count: dimensions)
        for vector in vectors { for index in 0..<dimensions { spanned[index] += vector[index] * vector[index] } }
        let axis = axes.min { (spanned[$0], $0) < (spanned[$1], $1) } ?? 0
        var unit = [Double](repeating: 0, count: dimensions)
        unit[axis] = 1
        // Some axis is left at least in part.
        _ = add(unit)
        return vectors[vectors.count - 1]
    }

    private func length(_ vector: [Double]) -> Double { dot(vector, vector).squareRoot() }

    private func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in 0..<dimensions { sum += a[index] * b[index] }
        return sum
    }
}
