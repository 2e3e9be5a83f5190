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
        if isFortranOrder {
            switch type.byteCount {
            case 1: try readColumns(of: UInt8.self, rows, into: destination)
            case 2: try readColumns(of: UInt16.self, rows, into: destination)
            case 4: try readColumns(of: UInt32.self, rows, into: destination)
            default: try readColumns(of: UInt64.self, rows, into: destination)
            }
        } else {
            try file.read(at: start + rows.lowerBound * rowBytes, into: destination)
        }
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
}
