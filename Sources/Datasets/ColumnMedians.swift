/// What a column's values are like among the rows that ``ValueType/columnFigures(count:dimensions:read:)`` takes.
struct ColumnFigures {
    /// The lower median of the finite values; 0 without any.
    let median: Double
    /// The difference of the third and the first quartile; 0 where half of the values or more are one.
    let interquartileRange: Double
    /// If ``interquartileRange`` is 0, the lower median of the distances from ``median``, over the values that differ
    /// from it; 0 if all values are equal, or if the range is not 0.
    let nearby: Double
    /// True if float32 represents exactly every value between the quartiles, and within ``nearby`` of the median.
    let fitsFloat: Bool

    /// The spread of the values in the middle of the column: the interquartile range, or ``nearby`` if that range is 0.
    var spread: Double { interquartileRange > 0 ? interquartileRange : nearby }

    /// - Parameter values: the column's values, in any order.
    init(_ values: some Sequence<Double>) {
        let finite = values.filter(\.isFinite).sorted()
        func quantile(_ quarters: Int) -> Double { finite.isEmpty ? 0 : finite[(finite.count - 1) * quarters / 4] }
        let middle = quantile(2)
        median = middle
        var (low, high) = (quantile(1), quantile(3))
        interquartileRange = high - low
        let distances = low < high ? [] : finite.map { abs($0 - middle) }.filter { $0 > 0 }.sorted()
        nearby = distances.isEmpty ? 0 : distances[(distances.count - 1) / 2]
        (low, high) = (min(low, middle - nearby), max(high, middle + nearby))
        fitsFloat = finite.drop { $0 < low }.prefix { $0 <= high }.allSatisfy { Double(Float($0)) == $0 }
    }
}

extension ValueType {
    /// Medians of a matrix's columns, each over rows that are spread over the matrix: at most 1,024 of them, and 16 MiB of
    /// values. Unlike a mean, a median lies among the values wherever single ones are. Which rows are taken depends on the
    /// matrix's shape alone.
    /// - Parameters:
    ///   - count: the matrix's rows.
    ///   - dimensions: its columns.
    ///   - read: fills a buffer with the rows of these numbers, [place][column], in values of this type.
    /// - Returns: [column]; 0 for a column without a finite value among those rows.
    /// - Throws: what `read` throws.
    package func columnMedians<Failure: Error>(
        count: Int, dimensions: Int, read: ([Int], UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> [Double] {
        try columnFigures(count: count, dimensions: dimensions, read: read).map(\.median)
    }

    /// Figures of a matrix's columns over the rows that ``columnMedians(count:dimensions:read:)`` takes.
    /// - Returns: [column].
    /// - Throws: what `read` throws.
    func columnFigures<Failure: Error>(
        count: Int, dimensions: Int, read: ([Int], UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> [ColumnFigures] {
        let samples = max(1, min(count, 1024, (1 << 21) / dimensions))
        let atOnce = max(1, min(samples, (1 << 17) / dimensions))
        let stored = UnsafeMutableRawBufferPointer.allocate(
            byteCount: atOnce * dimensions * byteCount, alignment: 16)
        let rows = UnsafeMutableBufferPointer<Double>.allocate(capacity: atOnce * dimensions)
        defer {
            stored.deallocate()
            rows.deallocate()
        }
        var values = [Double](repeating: 0, count: samples * dimensions)
        for first in stride(from: 0, to: samples, by: atOnce) {
            let part = first..<min(first + atOnce, samples)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: stored[..<(part.count * dimensions * byteCount)])
            try read(part.map { $0 * count / samples }, bytes)
            if let base = bytes.baseAddress {
                convert(
                    UnsafeRawPointer(base), to: UnsafeMutableBufferPointer(rebasing: rows[..<(part.count * dimensions)])
                )
            }
            for sample in part {
                for column in 0..<dimensions {
                    values[column * samples + sample] = rows[(sample - first) * dimensions + column]
                }
            }
        }
        return (0..<dimensions).map { ColumnFigures(values[$0 * samples..<($0 + 1) * samples]) }
    }
}

extension StoredValues {
    /// The figures of the columns as ``ValueType/columnFigures(count:dimensions:read:)`` takes them.
    /// - Throws: as ``read(rowsAt:into:)``.
    func columnFigures() throws(DatasetError) -> [ColumnFigures] {
        try type.columnFigures(count: rowCount, dimensions: columnCount) { numbers, room throws(DatasetError) in
            try read(rowsAt: numbers, into: room)
        }
    }

    /// The first of some columns of int64 that has more than one value, compared as integers; nil where none has.
    /// - Throws: as ``read(_:into:)``.
    func firstVarying(_ columns: [Int]) throws(DatasetError) -> Int? {
        guard !columns.isEmpty else { return nil }
        let most = max(1, min(rowCount, (1 << 15) / columnCount))
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: most * rowBytes, alignment: 16)
        defer { stored.deallocate() }
        var firsts: [Int64] = []
        for first in stride(from: 0, to: rowCount, by: most) {
            let rows = first..<min(first + most, rowCount)
            let piece = UnsafeMutableRawBufferPointer(rebasing: stored[..<(rows.count * rowBytes)])
            try read(rows, into: piece)
            let values = piece.bindMemory(to: Int64.self)
            if firsts.isEmpty { firsts = columns.map { values[$0] } }
            for (column, value) in zip(columns, firsts)
            where (0..<rows.count).contains(where: { values[$0 * columnCount + column] != value }) {
                return column
            }
        }
        return nil
    }
}

extension Features {
    /// The rows as networks and the clusterings of studies take them. Where float32 cannot tell the values of a column apart,
    /// the median of every column is subtracted before they are rounded, as clusterings of files do with all features;
    /// other rows stay as they are. Standardized rows have had their means subtracted. One pass over rows of float64, int32
    /// and int64, and a second where a column of int64 has values from 2^53 on.
    ///
    /// A column is told apart where float32 numbers near its mean are at most a thousandth of the standard deviation apart.
    /// A few values far from all others widen that deviation, so the middle half of the values is held to the same, by the
    /// sample that medians are taken of; if all of these are equal, the nearer half of the other values is. Values
    /// there that float32 represents exactly are distinct in any case.
    /// - Throws: ``DatasetError``: those of reading the rows; `.malformed` for a column that float32 cannot tell apart even
    ///   after its median is subtracted, or whose rows are only normalized.
    package func lessMedians() throws(DatasetError) -> Features {
        // All values of the other types are float32 numbers.
        guard scaling?.columns == nil, [.float64, .int32, .int64].contains(unscaled.type) else { return self }
        let columns = try FeatureScaling.columns(of: unscaled)
        func isClose(_ index: Int, less shift: Double = 0) -> Bool {
            let column = columns[index]
            return column.std > 0 && Double(Float(column.mean - shift).ulp) > column.std / 1000
        }
        let figures = try unscaled.columnFigures()
        func isCrowded(_ index: Int) -> Bool {
            let column = figures[index]
            return !column.fitsFloat && column.spread > 0
                && Double(Float(column.median).ulp) > column.spread / 1000
        }
        var found = columns.indices.first { isClose($0) } ?? columns.indices.first(where: isCrowded)
        if found == nil, unscaled.type == .int64 {
            // Values of int64 may differ where float64, in which the figures are taken, has them as one.
            found = try unscaled.firstVarying(columns.indices.filter { columns[$0].mean.magnitude >= 0x1p53 })
        }
        guard let index = found else { return self }
        func values(of index: Int) -> String {
            let (column, figure) = (columns[index], figures[index])
            let spread =
                if !isCrowded(index) || isClose(index) {
                    "values about \(column.mean) with a standard deviation of \(column.std)"
                } else if figure.interquartileRange > 0 {
                    "values about \(figure.median) with an interquartile range of \(figure.interquartileRange)"
                } else {
                    "the value \(figure.median) in most rows and others only \(figure.nearby) away"
                }
            return "column \(index) (counted from 0) has \(spread), which float32 cannot tell apart"
        }
        if scaling != nil {
            throw .malformed(
                file: name,
                reason: values(of: index) + " once rows have length 1; standardize them too (--standardize, or "
                    + "standardize: true in a study), or subtract a constant")
        }
        let medians = figures.map(\.median)
        if let index = columns.indices.first(where: { isClose($0, less: medians[$0]) }) {
            throw .malformed(
                file: name,
                reason: values(of: index)
                    + ", even after subtracting their median; standardize them (--standardize, or standardize: "
                    + "true in a study), or multiply them by a constant")
        }
        var features = less(medians)
        features.mediansNote =
            "\(name): \(values(of: index)): the median of each column is subtracted first"
        return features
    }

    /// Throws where rows are only normalized and lie so far from the origin, for how far they are from one another, that float32
    /// cannot tell them apart once their length is 1: its numbers near the mean row are more than a thousandth of the standard
    /// deviation apart, over all columns. One pass over such rows of float64, int32 and int64.
    /// - Throws: ``DatasetError``: those of reading the rows, and `.malformed`.
    package func checkNormalized() throws(DatasetError) {
        guard let scaling, scaling.columns == nil, [.float64, .int32, .int64].contains(unscaled.type) else { return }
        let columns = try FeatureScaling.columns(of: unscaled)
        let spread = columns.reduce(0) { $0 + $1.std * $1.std }
        let spacing = columns.reduce(0.0) { sum, column in
            let ulp = Double(Float(column.mean).ulp)
            return sum + ulp * ulp
        }
        guard spread > 0, spacing > spread / 1_000_000 else { return }
        throw .malformed(
            file: name,
            reason:
                "its rows lie so far from the origin that float32 cannot tell them apart once they have length 1 (over all "
                + "columns, their standard deviation is \(Float(spread.squareRoot())), and float32 numbers near their mean are "
                + "\(Float(spacing.squareRoot())) apart); standardize them too (--standardize), or subtract a constant")
    }

    /// The same rows less a number per column, exact before they are rounded to float32.
    /// - Parameter medians: [column] of a training set; nil to subtract nothing.
    func less(_ medians: [Double]?) -> Features {
        guard let medians else { return self }
        var features = self
        features.values = RowsLess(source: values, shift: medians)
        features.medians = medians
        return features
    }
}

/// Rows less a number per column.
private struct RowsLess: StoredValues {
    let source: any StoredValues
    /// [column].
    let shift: [Double]

    var type: ValueType { .float32 }
    var rowCount: Int { source.rowCount }
    var columnCount: Int { source.columnCount }

    func origin(of row: Int) -> RowOrigin { source.origin(of: row) }

    func checkUnchanged() throws(DatasetError) { try source.checkUnchanged() }

    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        try subtract(rows.count, into: destination) { part, bytes throws(DatasetError) in
            try source.read(rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound, into: bytes)
        }
    }

    func read(rowsAt numbers: [Int], into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        try subtract(numbers.count, into: destination) { part, bytes throws(DatasetError) in
            try source.read(rowsAt: Array(numbers[part]), into: bytes)
        }
    }

    /// Fills `destination` with `count` rows, some of which `read` reads at a time.
    private func subtract(
        _ count: Int, into destination: UnsafeMutableRawBufferPointer,
        _ read: (Range<Int>, UnsafeMutableRawBufferPointer) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        guard let target = destination.assumingMemoryBound(to: Float.self).baseAddress else { return }
        let most = max(1, min(count, (1 << 15) / columnCount))
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: most * source.rowBytes, alignment: 16)
        defer { stored.deallocate() }
        for first in stride(from: 0, to: count, by: most) {
            let part = first..<min(first + most, count)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: stored[..<(part.count * source.rowBytes)])
            try read(part, bytes)
            if let base = bytes.baseAddress {
                source.type.convert(
                    UnsafeRawPointer(base), rows: part.count, less: shift, to: target + first * columnCount)
            }
        }
    }
}
