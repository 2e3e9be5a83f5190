/// What features are scaled by: a mean and a standard deviation per column, then the length of each row. The figures are those
/// of a training set; test rows take the same.
package struct FeatureScaling: Equatable, Sendable {
    /// What a column is standardized by.
    package struct Column: Equatable, Sendable {
        /// The mean, in double precision.
        package let mean: Double
        /// The standard deviation over all rows; 0 for a column of one value, which becomes 0.
        package let std: Double

        /// A column of this mean and standard deviation.
        package init(mean: Double, std: Double) {
            self.mean = mean
            self.std = std
        }
    }

    /// [column]: values become (value - mean) / std; nil where columns stay as they are.
    package let columns: [Column]?
    /// Whether each row is divided by its length afterwards. A row of zeros stays one.
    package let isNormalized: Bool

    /// Scaling by these figures.
    package init(columns: [Column]?, isNormalized: Bool) {
        self.columns = columns
        self.isNormalized = isNormalized
    }

    /// The figures of a training set; nil where neither is asked for. One pass where `standardize` is set (two over int64
    /// from 2^53 on), none otherwise.
    /// - Throws: ``DatasetError`` of reading the rows; `.malformed` with file, row and column for a value that is not a
    ///   finite number, and with the column where float64 cannot tell its values apart.
    package static func fit(
        _ values: any StoredValues, standardize: Bool, normalize: Bool
    ) throws(DatasetError) -> FeatureScaling? {
        guard standardize || normalize else { return nil }
        guard standardize else { return FeatureScaling(columns: nil, isNormalized: normalize) }
        let columns = try columns(of: values)
        try checkTold(columns, of: values)
        return FeatureScaling(columns: columns, isNormalized: normalize)
    }

    /// Throws where float64, in which values are standardized, cannot tell integers apart: its numbers near the mean are more
    /// than a thousandth of the standard deviation apart.
    private static func checkTold(_ columns: [Column], of values: any StoredValues) throws(DatasetError) {
        guard values.type == .int64 else { return }
        let large = columns.indices.filter { columns[$0].mean.magnitude >= 0x1p53 }
        let crowded = large.first { columns[$0].std > 0 && columns[$0].mean.ulp > columns[$0].std / 1000 }
        // Those whose values are one in float64, and yet may differ.
        let alike = large.filter { columns[$0].std == 0 }
        var found = crowded
        if found == nil { found = try values.firstVarying(alike) }
        guard let index = found else { return }
        throw .malformed(
            file: values.origin(of: 0).file,
            reason:
                "column \(index) (counted from 0) has values about \(columns[index].mean), which float64 cannot tell apart "
                + "to standardize them; subtract a constant first")
    }

    /// The rows scaled: float32, rounded once, computed again whenever rows are read.
    /// - Throws: ``DatasetError/malformed(file:reason:)`` where they have another width than the training set.
    package func applied(to values: any StoredValues) throws(DatasetError) -> any StoredValues {
        if let columns, columns.count != values.columnCount {
            throw .malformed(
                file: values.origin(of: 0).file,
                reason: "its rows have \(values.columnCount) values, and those of the training set \(columns.count)")
        }
        return ScaledRows(source: values, scaling: self)
    }

    /// Means and deviations, joined piece by piece (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
    /// computing sample variances", 1979).
    static func columns(of values: any StoredValues) throws(DatasetError) -> [Column] {
        let width = values.columnCount
        var sums = ColumnSums(width)
        defer { sums.free() }
        try values.forEachPiece { piece, rows throws(DatasetError) in
            if !sums.add(piece, rows.count) { try refuse(piece, of: values, rows) }
        }
        func malformed(_ column: Int, _ reason: String) -> DatasetError {
            .malformed(file: values.origin(of: 0).file, reason: "column \(column) (counted from 0) \(reason)")
        }
        var columns: [Column] = []
        for column in 0..<width {
            let (mean, square, range) = sums[column]
            guard mean.isFinite, square.isFinite else {
                throw malformed(
                    column,
                    "has values from \(range.lowerBound) to \(range.upperBound), whose squares are beyond float64")
            }
            let isConstant = range.lowerBound == range.upperBound
            let std = isConstant ? 0 : (square / Double(values.rowCount)).squareRoot()
            guard isConstant || (1 / std).isFinite else {
                throw malformed(
                    column,
                    "has values from \(range.lowerBound) to \(range.upperBound), whose differences have squares "
                        + "too small for float64; multiply it by a constant")
            }
            columns.append(Column(mean: isConstant ? range.lowerBound : mean, std: std))
        }
        return columns
    }

    /// Names the first value of a piece that is not a finite number; returns where all are.
    fileprivate static func refuse(
        _ piece: UnsafeMutableBufferPointer<Double>, of values: any StoredValues, _ rows: Range<Int>
    ) throws(DatasetError) {
        guard let place = piece.firstIndex(where: { !$0.isFinite }) else { return }
        let (row, column) = place.quotientAndRemainder(dividingBy: values.columnCount)
        throw values.notFinite(row: rows.lowerBound + row, column: column, value: piece[place])
    }
}

/// Count, means, sums of squared differences from them and extremes of columns, joined piece by piece.
private struct ColumnSums {
    private let width: Int
    private var count = 0.0
    /// [column] of each.
    private let means, squares, lowest, highest, pieceMeans, pieceSquares: UnsafeMutablePointer<Double>

    init(_ width: Int) {
        self.width = width
        func column(_ value: Double) -> UnsafeMutablePointer<Double> {
            let numbers = UnsafeMutablePointer<Double>.allocate(capacity: width)
            numbers.initialize(repeating: value, count: width)
            return numbers
        }
        (means, squares, pieceMeans, pieceSquares) = (column(0), column(0), column(0), column(0))
        (lowest, highest) = (column(.infinity), column(-.infinity))
    }

    func free() { for numbers in [means, squares, lowest, highest, pieceMeans, pieceSquares] { numbers.deallocate() } }

    subscript(column: Int) -> (mean: Double, squares: Double, range: ClosedRange<Double>) {
        (means[column], squares[column], lowest[column]...highest[column])
    }

    /// Adds rows, [row][column]; false where a value is not a finite number, after which the sums are of no use.
    mutating func add(_ piece: UnsafeMutableBufferPointer<Double>, _ rows: Int) -> Bool {
        guard let base = piece.baseAddress else { return true }
        pieceMeans.update(repeating: 0, count: width)
        pieceSquares.update(repeating: 0, count: width)
        for row in 0..<rows {
            let values = base + row * width
            for column in 0..<width { pieceMeans[column] += values[column] }
            for column in 0..<width {
                lowest[column] = values[column] < lowest[column] ? values[column] : lowest[column]
            }
            for column in 0..<width {
                highest[column] = values[column] > highest[column] ? values[column] : highest[column]
            }
        }
        // A NaN is in the sum, an infinity in the extremes.
        for column in 0..<width
        where pieceMeans[column].isNaN || lowest[column] == -.infinity || highest[column] == .infinity {
            return false
        }
        let added = Double(rows)
        for column in 0..<width { pieceMeans[column] /= added }
        for row in 0..<rows {
            let values = base + row * width
            for column in 0..<width {
                let difference = values[column] - pieceMeans[column]
                pieceSquares[column] += difference * difference
            }
        }
        for column in 0..<width {
            let difference = pieceMeans[column] - means[column]
            means[column] += difference * added / (count + added)
            squares[column] += pieceSquares[column] + difference * difference * count * added / (count + added)
        }
        count += added
        return true
    }
}

/// Rows that are scaled whenever they are read.
private struct ScaledRows: StoredValues {
    let source: any StoredValues
    /// [column]: what is subtracted, and what is multiplied by; none where columns stay as they are.
    let means: [Double]
    let factors: [Double]
    let isNormalized: Bool

    var type: ValueType { .float32 }
    var rowCount: Int { source.rowCount }
    var columnCount: Int { source.columnCount }

    init(source: any StoredValues, scaling: FeatureScaling) {
        self.source = source
        means = scaling.columns?.map(\.mean) ?? []
        factors = scaling.columns?.map { $0.std > 0 ? 1 / $0.std : 0 } ?? []
        isNormalized = scaling.isNormalized
    }

    func origin(of row: Int) -> RowOrigin { source.origin(of: row) }

    func checkUnchanged() throws(DatasetError) { try source.checkUnchanged() }

    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        try scale(rows.count, into: destination, number: { rows.lowerBound + $0 }) { part, bytes throws(DatasetError) in
            try source.read(rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound, into: bytes)
        }
    }

    func read(rowsAt numbers: [Int], into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        try scale(numbers.count, into: destination, number: { numbers[$0] }) { part, bytes throws(DatasetError) in
            try source.read(rowsAt: Array(numbers[part]), into: bytes)
        }
    }

    /// Fills `destination` with `count` scaled rows, some of which `read` reads at a time.
    /// - Parameter number: the number of the row at a place.
    private func scale(
        _ count: Int, into destination: UnsafeMutableRawBufferPointer, number: (Int) -> Int,
        _ read: (Range<Int>, UnsafeMutableRawBufferPointer) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        let floats = destination.assumingMemoryBound(to: Float.self)
        let width = columnCount
        let most = max(1, min(count, (1 << 15) / width))
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: most * source.rowBytes, alignment: 16)
        let numbers = UnsafeMutableBufferPointer<Double>.allocate(capacity: most * width)
        defer {
            stored.deallocate()
            numbers.deallocate()
        }
        for first in stride(from: 0, to: count, by: most) {
            let part = first..<min(first + most, count)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: stored[..<(part.count * source.rowBytes)])
            try read(part, bytes)
            let piece = UnsafeMutableBufferPointer(rebasing: numbers[..<(part.count * width)])
            if let base = bytes.baseAddress { source.type.convert(UnsafeRawPointer(base), to: piece) }
            for row in 0..<part.count {
                let values = UnsafeMutableBufferPointer(rebasing: piece[(row * width)..<((row + 1) * width)])
                standardize(values)
                let length = isNormalized ? Self.length(of: values) : 1
                if !length.isFinite { try refuse(number(first + row)) }
                let target = (first + row) * width
                let divisor = length > 0 ? length : 1
                for column in 0..<width { floats[target + column] = Float(values[column] / divisor) }
            }
        }
    }

    private func standardize(_ values: UnsafeMutableBufferPointer<Double>) {
        guard !means.isEmpty else { return }
        means.withUnsafeBufferPointer { means in
            factors.withUnsafeBufferPointer { factors in
                for column in 0..<values.count { values[column] = (values[column] - means[column]) * factors[column] }
            }
        }
    }

    /// The Euclidean length; not finite only where a value is not.
    private static func length(of values: UnsafeMutableBufferPointer<Double>) -> Double {
        let square = squares(of: values, times: 1)
        if square >= 0x1p-900, square < .infinity { return square.squareRoot() }
        // Squares that are beyond the range of float64, or too near to 0 for all their digits.
        let largest = values.reduce(0) { $1.isNaN ? .nan : max($0, abs($1)) }
        guard largest > 0, largest.isFinite else { return largest }
        let scale = Double(sign: .plus, exponent: -largest.exponent, significand: 1)
        return squares(of: values, times: scale).squareRoot() / scale
    }

    /// The sum of the squares of values times `scale`, in eight sums side by side.
    private static func squares(of values: UnsafeMutableBufferPointer<Double>, times scale: Double) -> Double {
        var sums = SIMD8<Double>.zero
        var index = 0
        while index + 8 <= values.count {
            var part = SIMD8<Double>.zero
            for lane in 0..<8 { part[lane] = values[index + lane] * scale }
            sums += part * part
            index += 8
        }
        var sum = sums.sum()
        while index < values.count {
            sum += values[index] * scale * (values[index] * scale)
            index += 1
        }
        return sum
    }

    /// Names the value of a row that is not a finite number.
    private func refuse(_ row: Int) throws(DatasetError) {
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: source.rowBytes, alignment: 16)
        let numbers = UnsafeMutableBufferPointer<Double>.allocate(capacity: columnCount)
        defer {
            stored.deallocate()
            numbers.deallocate()
        }
        try source.read(row..<row + 1, into: stored)
        if let base = stored.baseAddress { source.type.convert(UnsafeRawPointer(base), to: numbers) }
        try FeatureScaling.refuse(numbers, of: source, row..<row + 1)
    }
}
