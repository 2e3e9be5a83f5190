/// The rows of several matrices of one width, one matrix after the other.
///
/// Where the types of their values differ, all are read as float32 if that holds every value, else as float64.
struct JoinedRows: StoredValues {
    let type: ValueType
    let rowCount: Int
    let columnCount: Int
    private let parts: [any StoredValues]
    /// The number of each part's first row.
    private let starts: [Int]

    /// - Throws: ``DatasetError/malformed(file:reason:)`` for a part of another width than the first's, or more rows than
    ///   can be indexed.
    static func join(_ parts: [any StoredValues]) throws(DatasetError) -> any StoredValues {
        guard let first = parts.first, parts.count > 1 else {
            guard let only = parts.first else { throw .empty(file: "no features") }
            return only
        }
        var (starts, rowCount, type) = ([Int](), 0, first.type)
        for part in parts {
            guard part.columnCount == first.columnCount else {
                throw .malformed(
                    file: part.origin(of: 0).file,
                    reason: "its rows have \(part.columnCount) values, and those of \(first.origin(of: 0).file) have "
                        + "\(first.columnCount); rows of one width are needed")
            }
            starts.append(rowCount)
            guard let next = sum([rowCount, part.rowCount]) else { throw tooMany(rowCount, part) }
            rowCount = next
            type = type.joined(with: part.type)
        }
        // Whoever reads them in double precision counts the bytes of that.
        guard product([rowCount, first.columnCount, ValueType.float64.byteCount]) != nil else {
            throw tooMany(starts.last ?? 0, parts.last ?? first)
        }
        return JoinedRows(
            type: type, rowCount: rowCount, columnCount: first.columnCount, parts: parts, starts: starts)
    }

    /// The error that the rows of a part come on top of too many.
    private static func tooMany(_ before: Int, _ part: any StoredValues) -> DatasetError {
        .malformed(
            file: part.origin(of: 0).file,
            reason:
                "its \(part.rowCount) rows of \(part.columnCount) values, after \(before) of other files, are too many to "
                + "index; give fewer files")
    }

    /// The part that a row is in.
    private func part(of row: Int) -> Int {
        var range = 0..<starts.count
        while range.count > 1 {
            let middle = range.lowerBound + range.count / 2
            range = starts[middle] <= row ? middle..<range.upperBound : range.lowerBound..<middle
        }
        return range.lowerBound
    }

    func origin(of row: Int) -> RowOrigin {
        let part = part(of: row)
        return parts[part].origin(of: row - starts[part])
    }

    func checkUnchanged() throws(DatasetError) { for part in parts { try part.checkUnchanged() } }

    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        var (row, part) = (rows.lowerBound, part(of: rows.lowerBound))
        while row < rows.upperBound {
            let (start, source) = (starts[part], parts[part])
            let end = min(start + source.rowCount, rows.upperBound)
            let bytes = (row - rows.lowerBound) * rowBytes..<(end - rows.lowerBound) * rowBytes
            let target = UnsafeMutableRawBufferPointer(rebasing: destination[bytes])
            try read(end - row, of: source, into: target) { room throws(DatasetError) in
                try source.read(row - start..<end - start, into: room)
            }
            row = end
            part += 1
        }
        // The end of a pass: parts that were read before may have changed since.
        if rows.upperBound == rowCount { try checkUnchanged() }
    }

    func read(rowsAt numbers: [Int], into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        var first = 0
        while first < numbers.count {
            let part = part(of: numbers[first])
            let (start, source) = (starts[part], parts[part])
            let end = numbers[first...].firstIndex { $0 >= start + source.rowCount } ?? numbers.count
            let target = UnsafeMutableRawBufferPointer(rebasing: destination[first * rowBytes..<end * rowBytes])
            let mine = numbers[first..<end].map { $0 - start }
            try read(mine.count, of: source, into: target) { room throws(DatasetError) in
                try source.read(rowsAt: mine, into: room)
            }
            first = end
        }
    }

    /// Fills `destination` with `count` rows of `source` that `read` reads, converted where their type is another one.
    private func read(
        _ count: Int, of source: any StoredValues, into destination: UnsafeMutableRawBufferPointer,
        _ read: (UnsafeMutableRawBufferPointer) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        guard source.type != type else { return try read(destination) }
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: count * source.rowBytes, alignment: 16)
        defer { stored.deallocate() }
        try read(stored)
        guard let base = stored.baseAddress else { return }
        if type == .float32 {
            source.type.convert(UnsafeRawPointer(base), to: destination.assumingMemoryBound(to: Float.self))
        } else {
            source.type.convert(UnsafeRawPointer(base), to: destination.assumingMemoryBound(to: Double.self))
        }
    }
}
