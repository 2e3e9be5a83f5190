extension SampleSet {
    /// The samples of several sets, one set after the other, as vectors without labels. Values stay where they are.
    ///
    /// Where their types differ, all are float32 if that holds every value, else float64: exact, but for whole numbers beyond
    /// 2^53.
    /// - Throws: ``DatasetError/malformed(file:reason:)`` for a set of another width than the first.
    package static func joining(_ sets: [SampleSet]) throws(DatasetError) -> SampleSet {
        SampleSet(try JoinedRows.join(sets.map(\.stored)))
    }

    /// The values as those of a file.
    private var stored: any StoredValues {
        switch values {
        case .bytes(let bytes):
            MemoryRows(values: bytes, type: .uint8, rowCount: count, columnCount: shape.featureCount)
        case .floats(let floats):
            MemoryRows(values: floats, type: .float32, rowCount: count, columnCount: shape.featureCount)
        case .stored(let values): values
        }
    }
}

/// Rows that are in memory.
private struct MemoryRows<Element: BitwiseCopyable & Sendable>: StoredValues {
    /// [row][column].
    let values: [Element]
    let type: ValueType
    let rowCount: Int
    let columnCount: Int

    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) {
        values[rows.lowerBound * columnCount..<rows.upperBound * columnCount].withUnsafeBytes {
            destination.copyMemory(from: $0)
        }
    }

    func read(rowsAt numbers: [Int], into destination: UnsafeMutableRawBufferPointer) {
        for (place, row) in numbers.enumerated() {
            let bytes = place * rowBytes..<(place + 1) * rowBytes
            read(row..<row + 1, into: UnsafeMutableRawBufferPointer(rebasing: destination[bytes]))
        }
    }

    func origin(of row: Int) -> RowOrigin { RowOrigin(file: "samples in memory", row: row) }

    func checkUnchanged() {}
}
