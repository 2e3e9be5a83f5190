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
        return (0..<dimensions).map { column in
            let finite = values[column * samples..<(column + 1) * samples].filter(\.isFinite).sorted()
            return finite.isEmpty ? 0 : finite[(finite.count - 1) / 2]
        }
    }
}

extension StoredValues {
    /// The medians of the columns as ``ValueType/columnMedians(count:dimensions:read:)`` takes them.
    /// - Throws: as ``read(rowsAt:into:)``.
    func columnMedians() throws(DatasetError) -> [Double] {
        try type.columnMedians(count: rowCount, dimensions: columnCount) { numbers, room throws(DatasetError) in
            try read(rowsAt: numbers, into: room)
        }
    }
}

extension Features {
    /// The rows as networks and the clusterings of studies take them. Where float32 cannot tell the values of a column apart,
    /// the median of every column is subtracted before they are rounded, as clusterings of files do with all features;
    /// other rows stay as they are. Standardized rows have had their means subtracted. One pass over rows of float64, int32
    /// and int64.
    /// - Throws: ``DatasetError``: those of reading the rows; `.malformed` for a column that float32 cannot tell apart less its
    ///   median either, or whose rows are only normalized.
    package func lessMedians() throws(DatasetError) -> Features {
        // All values of the other types are float32 numbers.
        guard scaling?.columns == nil, [.float64, .int32, .int64].contains(unscaled.type) else { return self }
        let columns = try FeatureScaling.columns(of: unscaled)
        func unclear(less shift: [Double]?) -> Int? {
            columns.indices.first { index in
                let column = columns[index]
                let spacing = Double(Float(column.mean - (shift?[index] ?? 0)).ulp)
                return column.std > 0 && spacing > column.std / 1000
            }
        }
        // Values of int64 may differ where float64, in which the figures are taken, has them as one.
        let isWide = unscaled.type == .int64
        guard let index = unclear(less: nil) ?? columns.firstIndex(where: { isWide && $0.mean.magnitude >= 0x1p53 })
        else { return self }
        func values(of index: Int) -> String {
            "column \(index) (counted from 0) has values about \(columns[index].mean) with a standard deviation of "
                + "\(columns[index].std), which float32 cannot tell apart"
        }
        if scaling != nil {
            throw .malformed(
                file: name,
                reason: values(of: index) + " once rows have length 1; standardize them too (--standardize, or "
                    + "standardize: true in a study), or subtract a constant")
        }
        let medians = try unscaled.columnMedians()
        if let index = unclear(less: medians) {
            throw .malformed(
                file: name,
                reason: values(of: index) + ", nor less their median; standardize them (--standardize, or standardize: "
                    + "true in a study), or multiply them by a constant")
        }
        var features = less(medians)
        features.mediansNote =
            "\(name): \(values(of: index)): the median of each column is subtracted first"
        return features
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
