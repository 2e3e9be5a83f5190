import Support

/// A matrix in files, a row per sample, any rows of which can be read: it need not fit into memory.
package protocol StoredValues: Sendable {
    /// The type of the values.
    var type: ValueType { get }
    /// How many rows there are.
    var rowCount: Int { get }
    /// How many values a row has.
    var columnCount: Int { get }

    /// Fills `destination`, whose size is theirs, with the values of `rows`: [row][column].
    /// - Throws: ``DatasetError``: `.file`, and `.changed` where a file is no longer what it was when it was opened.
    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(DatasetError)

    /// Where a row comes from.
    func origin(of row: Int) -> RowOrigin

    /// - Throws: ``DatasetError/changed(file:)`` where something has written to a file since it was opened.
    func checkUnchanged() throws(DatasetError)
}

/// Where a row of a matrix comes from.
package struct RowOrigin: Equatable, Sendable {
    /// The file, as errors name it.
    package let file: String
    /// The row's number in that file, from 0.
    package let row: Int
}

extension StoredValues {
    /// Bytes per row.
    package var rowBytes: Int { columnCount * type.byteCount }

    /// Hands all rows, some at a time, to `body` in double precision: the values, [row][column], and which rows they are of.
    func forEachPiece(
        _ body: (UnsafeMutableBufferPointer<Double>, Range<Int>) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        // Pieces depend on the width alone, so that sums over them have the same bits however the rows are stored.
        let most = max(1, (1 << 15) / columnCount)
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: min(most, rowCount) * rowBytes, alignment: 16)
        let values = UnsafeMutableBufferPointer<Double>.allocate(capacity: min(most, rowCount) * columnCount)
        defer {
            stored.deallocate()
            values.deallocate()
        }
        for first in stride(from: 0, to: rowCount, by: most) {
            let rows = first..<min(first + most, rowCount)
            let piece = UnsafeMutableRawBufferPointer(rebasing: stored[..<(rows.count * rowBytes)])
            try read(rows, into: piece)
            let numbers = UnsafeMutableBufferPointer(rebasing: values[..<(rows.count * columnCount)])
            if let base = piece.baseAddress { type.convert(UnsafeRawPointer(base), to: numbers) }
            try body(numbers, rows)
        }
    }

    /// One value, in double precision.
    /// - Throws: as ``read(_:into:)``.
    func value(row: Int, column: Int) throws(DatasetError) -> Double {
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: rowBytes, alignment: 16)
        let numbers = UnsafeMutableBufferPointer<Double>.allocate(capacity: columnCount)
        defer {
            stored.deallocate()
            numbers.deallocate()
        }
        try read(row..<row + 1, into: stored)
        if let base = stored.baseAddress { type.convert(UnsafeRawPointer(base), to: numbers) }
        return numbers[column]
    }

    /// The error that a value is no finite number. It names the first of the other rows that have such values, and counts
    /// them, for which all rows are read once more.
    /// - Parameter value: the value; where nil, that of the row as it is read again.
    package func notFinite(row: Int, column: Int, value: Double? = nil) -> DatasetError {
        let origin = origin(of: row)
        var value = value
        var others: [RowOrigin] = []
        var count = 0
        // A file that cannot be read any more leaves what was found so far.
        try? forEachPiece { piece, rows throws(DatasetError) in
            for (index, other) in rows.enumerated() {
                let values = piece[index * columnCount..<(index + 1) * columnCount]
                if other == row { value = value ?? values[values.startIndex + column] }
                guard other != row, values.contains(where: { !$0.isFinite }) else { continue }
                count += 1
                if others.count < Self.mostRowsNamed { others.append(self.origin(of: other)) }
            }
        }
        var reason = "row \(origin.row), column \(column) (counted from 0) is \(value ?? .nan), and not a finite number"
        if count > 0 {
            let named = others.map { $0.file == origin.file ? "\($0.row)" : "\($0.row) of \($0.file)" }
            reason += ", nor are all values of row\(count == 1 ? "" : "s") " + named.joined(separator: ", ")
            if count > others.count { reason += " and \(count - others.count) more" }
        }
        return .malformed(
            file: origin.file,
            reason: reason + "; remove such rows first, as X[numpy.isfinite(X).all(axis=1)] does")
    }

    /// Rows that an error names beside the first one.
    private static var mostRowsNamed: Int { 8 }

    /// All values in memory: bytes where they are uint8, else floats.
    /// - Throws: ``DatasetError`` of reading them; `.outOfMemory`.
    func inMemory() throws(DatasetError) -> SampleValues {
        let count = rowCount * columnCount
        let byteCount = count * (type == .uint8 ? 1 : MemoryLayout<Float>.stride)
        if let least = AvailableMemory.shortage(of: byteCount) {
            throw .outOfMemory(
                file: origin(of: 0).file, needed: byteCount, available: least.bytes, source: least.source)
        }
        if type == .uint8 {
            return .bytes(
                try filled(count) { bytes throws(DatasetError) in
                    try read(0..<rowCount, into: UnsafeMutableRawBufferPointer(bytes))
                })
        }
        return .floats(try filled(count) { floats throws(DatasetError) in try read(into: floats) })
    }

    /// Reads all rows as float32 numbers.
    private func read(into floats: UnsafeMutableBufferPointer<Float>) throws(DatasetError) {
        if type == .float32 { return try read(0..<rowCount, into: UnsafeMutableRawBufferPointer(floats)) }
        let most = max(1, (1 << 17) / columnCount)
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: min(most, rowCount) * rowBytes, alignment: 16)
        defer { stored.deallocate() }
        for first in stride(from: 0, to: rowCount, by: most) {
            let rows = first..<min(first + most, rowCount)
            let piece = UnsafeMutableRawBufferPointer(rebasing: stored[..<(rows.count * rowBytes)])
            try read(rows, into: piece)
            let elements = rows.lowerBound * columnCount..<rows.upperBound * columnCount
            if let base = piece.baseAddress {
                type.convert(UnsafeRawPointer(base), to: UnsafeMutableBufferPointer(rebasing: floats[elements]))
            }
        }
    }
}

/// An array of `count` elements that `fill` writes.
private func filled<Element: BitwiseCopyable>(
    _ count: Int, _ fill: (UnsafeMutableBufferPointer<Element>) throws(DatasetError) -> Void
) throws(DatasetError) -> [Element] {
    var failure: DatasetError?
    let elements = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
        do throws(DatasetError) {
            try fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return elements
}
