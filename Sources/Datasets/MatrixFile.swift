import Support

/// A matrix that lies in one piece in a file: in C or Fortran order, little- or big-endian.
package final class MatrixFile: StoredValues {
    package let type: ValueType
    package let rowCount: Int
    package let columnCount: Int
    /// The matrix, as errors name it: the file, and the array's name where there are several in it.
    package let name: String
    private let file: OpenFile
    /// Bytes before the first value.
    private let start: Int
    private let isBigEndian: Bool
    private let isFortranOrder: Bool
    private let copy = Locked(RowMajorCopy())

    /// A matrix whose values begin at byte `start`; the file has been held against that, and against the shape.
    /// - Throws: ``DatasetError`` `.malformed` for other dimensions than two, or for none of rows or columns.
    init(
        in file: OpenFile, at start: Int, name: String, shape: [Int], type: ValueType, isBigEndian: Bool = false,
        isFortranOrder: Bool = false
    ) throws(DatasetError) {
        func malformed(_ needed: String) -> DatasetError {
            .malformed(file: name, reason: "its shape is \(excerpt("\(shape)")); \(needed)")
        }
        guard shape.count == 2 else { throw malformed("two dimensions are needed, samples and their features") }
        guard shape.allSatisfy({ $0 > 0 }) else { throw malformed("a sample and a feature at least are needed") }
        (rowCount, columnCount) = (shape[0], shape[1])
        self.type = type
        self.name = name
        self.file = file
        self.start = start
        self.isBigEndian = isBigEndian && type.byteCount > 1
        // A single row, or column, is the same in both orders.
        self.isFortranOrder = isFortranOrder && rowCount > 1 && columnCount > 1
    }

    /// A matrix in NumPy's format, which takes all of `part`.
    /// - Throws: ``DatasetError``: those of the header, and of ``init(in:at:name:shape:type:isBigEndian:isFortranOrder:)``.
    convenience init(numPy part: FilePart, in file: OpenFile, at start: Int) throws(DatasetError) {
        let header = try NumPyHeader(part)
        try header.check(part)
        try self.init(
            in: file, at: start + header.byteCount, name: part.path, shape: header.shape, type: header.type,
            isBigEndian: header.isBigEndian, isFortranOrder: header.isFortranOrder)
    }

    package func origin(of row: Int) -> RowOrigin { RowOrigin(file: name, row: row) }

    package func checkUnchanged() throws(DatasetError) { try file.checkUnchanged() }

    package func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        guard !rows.isEmpty else { return }
        if let copy = rowMajorCopy() {
            try copy.read(at: rows.lowerBound * rowBytes, into: destination)
        } else if isFortranOrder {
            try readColumns(rows, into: destination)
        } else {
            try file.read(at: start + rows.lowerBound * rowBytes, into: destination)
        }
        try finish(destination)
    }

    package func read(
        rowsAt numbers: [Int], into destination: UnsafeMutableRawBufferPointer
    ) throws(DatasetError) {
        let copy = rowMajorCopy(for: numbers.count)
        if isFortranOrder, copy == nil {
            switch type.byteCount {
            case 1: try gatherColumns(of: UInt8.self, numbers, into: destination)
            case 2: try gatherColumns(of: UInt16.self, numbers, into: destination)
            case 4: try gatherColumns(of: UInt32.self, numbers, into: destination)
            default: try gatherColumns(of: UInt64.self, numbers, into: destination)
            }
        } else {
            let (file, start) = copy.map { ($0, 0) } ?? (file, start)
            for (place, row) in numbers.enumerated() {
                let bytes = place * rowBytes..<(place + 1) * rowBytes
                try file.read(
                    at: start + row * rowBytes, into: UnsafeMutableRawBufferPointer(rebasing: destination[bytes]))
            }
        }
        try finish(destination)
    }

    /// Of a matrix in Fortran order: how many rows were asked for one by one, and the copy that is made once they are many.
    private struct RowMajorCopy {
        var asked = 0
        var file: OpenFile?
        var hasFailed = false
    }

    /// The values with one row after the other, in a temporary file: in Fortran order each value of a single row is far from
    /// the next. It is made when a quarter of all rows have been asked for one by one; nil before that, where there is no
    /// room for it, and in C order.
    private func rowMajorCopy(for count: Int = 0) -> OpenFile? {
        guard isFortranOrder else { return nil }
        return copy.withLock { copy in
            copy.asked += count
            guard copy.file == nil, !copy.hasFailed, copy.asked > rowCount / 4 else { return copy.file }
            do throws(DatasetError) { copy.file = try makeRowMajorCopy() } catch { copy.hasFailed = true }
            return copy.file
        }
    }

    private func makeRowMajorCopy() throws(DatasetError) -> OpenFile {
        let temporary = try TemporaryFile()
        let most = max(1, min(rowCount, (1 << 22) / rowBytes))
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: most * rowBytes, alignment: 16)
        defer { room.deallocate() }
        for first in stride(from: 0, to: rowCount, by: most) {
            let rows = first..<min(first + most, rowCount)
            let piece = UnsafeMutableRawBufferPointer(rebasing: room[..<(rows.count * rowBytes)])
            try readColumns(rows, into: piece)
            try temporary.append(UnsafeRawBufferPointer(piece))
        }
        return try OpenFile(temporary.release(), path: name)
    }

    private func readColumns(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        switch type.byteCount {
        case 1: try readColumns(of: UInt8.self, rows, into: destination)
        case 2: try readColumns(of: UInt16.self, rows, into: destination)
        case 4: try readColumns(of: UInt32.self, rows, into: destination)
        default: try readColumns(of: UInt64.self, rows, into: destination)
        }
    }

    /// Checks that what was just read is what the file had when it was opened, and turns its bytes round where that is needed.
    private func finish(_ destination: UnsafeMutableRawBufferPointer) throws(DatasetError) {
        // What was read before the file changed is what it was, and what comes now is not.
        try file.checkUnchanged()
        guard isBigEndian else { return }
        switch type.byteCount {
        case 2: swapBytes(destination.assumingMemoryBound(to: UInt16.self))
        case 4: swapBytes(destination.assumingMemoryBound(to: UInt32.self))
        default: swapBytes(destination.assumingMemoryBound(to: UInt64.self))
        }
    }

    private func swapBytes<Bits: FixedWidthInteger>(_ elements: UnsafeMutableBufferPointer<Bits>) {
        for index in elements.indices { elements[index] = elements[index].byteSwapped }
    }

    /// Reads rows of columns that follow each other in the file: pieces of some columns at a time, which are turned in tiles
    /// that stay in the cache.
    private func readColumns<Bits: FixedWidthInteger & BitwiseCopyable>(
        of bits: Bits.Type, _ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer
    ) throws(DatasetError) {
        let width = type.byteCount
        let (mostRows, mostColumns, tile) = (min(rows.count, 1 << 12), min(columnCount, 64), 16)
        let piece = UnsafeMutableBufferPointer<Bits>.allocate(capacity: mostRows * mostColumns)
        defer { piece.deallocate() }
        let target = destination.assumingMemoryBound(to: Bits.self)
        for top in stride(from: rows.lowerBound, to: rows.upperBound, by: mostRows) {
            let height = min(mostRows, rows.upperBound - top)
            for left in stride(from: 0, to: columnCount, by: mostColumns) {
                let columns = min(mostColumns, columnCount - left)
                for column in 0..<columns {
                    let place = UnsafeMutableBufferPointer(rebasing: piece[(column * height)..<((column + 1) * height)])
                    try file.read(
                        at: start + ((left + column) * rowCount + top) * width,
                        into: UnsafeMutableRawBufferPointer(place))
                }
                let corner = (top - rows.lowerBound) * columnCount + left
                for firstRow in stride(from: 0, to: height, by: tile) {
                    for firstColumn in stride(from: 0, to: columns, by: tile) {
                        for row in firstRow..<min(firstRow + tile, height) {
                            for column in firstColumn..<min(firstColumn + tile, columns) {
                                target[corner + row * columnCount + column] = piece[column * height + row]
                            }
                        }
                    }
                }
            }
        }
    }

    /// Reads rows that rise, column by column. Values that are near to each other in the file are read at once, with what is
    /// between them: a call of the system costs as much as some pages.
    private func gatherColumns<Bits: FixedWidthInteger & BitwiseCopyable>(
        of bits: Bits.Type, _ numbers: [Int], into destination: UnsafeMutableRawBufferPointer
    ) throws(DatasetError) {
        let (width, gap, longest) = (type.byteCount, 1 << 12, 1 << 18)
        var spans: [Range<Int>] = []
        var first = 0
        for place in numbers.indices {
            let isLast = place + 1 == numbers.count
            if !isLast, (numbers[place + 1] - numbers[place]) * width <= gap,
                (numbers[place + 1] - numbers[first] + 1) * width <= longest
            {
                continue
            }
            spans.append(first..<place + 1)
            first = place + 1
        }
        let room = UnsafeMutableBufferPointer<Bits>.allocate(capacity: longest / width)
        defer { room.deallocate() }
        let target = destination.assumingMemoryBound(to: Bits.self)
        for column in 0..<columnCount {
            for span in spans {
                let top = numbers[span.lowerBound]
                let piece = UnsafeMutableBufferPointer(rebasing: room[..<(numbers[span.upperBound - 1] - top + 1)])
                try file.read(
                    at: start + (column * rowCount + top) * width, into: UnsafeMutableRawBufferPointer(piece))
                for place in span { target[place * columnCount + column] = piece[numbers[place] - top] }
            }
        }
    }
}
