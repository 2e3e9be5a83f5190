import Datasets

/// The product, or -1 where it is beyond an `Int`: no matrix has so many elements.
func product(_ count: Int, _ dimensions: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: dimensions)
    return overflow ? -1 : product
}

/// Hands rows as they are stored to `body`.
private func withStored(
    _ reader: any RowReader, _ rows: Range<Int>, _ dimensions: Int, _ body: (UnsafeRawPointer) -> Void
) throws(ClusteringError) {
    let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: rows.count * dimensions * reader.type.byteCount, alignment: 16)
    defer { room.deallocate() }
    try reader.read(rows, into: room)
    if let base = room.baseAddress { body(UnsafeRawPointer(base)) }
}

/// Rows in double precision, [row][column].
func doubles(
    _ reader: any RowReader, _ rows: Range<Int>, _ dimensions: Int
) throws(ClusteringError) -> [Double] {
    var values = [Double](repeating: 0, count: rows.count * dimensions)
    try withStored(reader, rows, dimensions) { stored in
        values.withUnsafeMutableBufferPointer { reader.type.convert(stored, to: $0) }
    }
    return values
}

/// Reads rows as float32, less a number per column, some at a time.
func readFloats(
    _ reader: any RowReader, _ rows: Range<Int>, less shift: [Double],
    into destination: UnsafeMutableBufferPointer<Float>
) throws(ClusteringError) {
    let dimensions = shift.count
    guard let base = destination.baseAddress else { return }
    // What was read is still in the cache when it is converted.
    let most = max(1, (1 << 17) / dimensions)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: most) {
        let piece = first..<min(first + most, rows.upperBound)
        try withStored(reader, piece, dimensions) { stored in
            reader.type.convert(
                stored, rows: piece.count, less: shift, to: base + (first - rows.lowerBound) * dimensions)
        }
    }
}

/// A number per column that lies among its values: the median over rows spread over the matrix, 0 where none is finite.
/// Unlike a mean it stays there whatever single values are far away. Which rows are taken depends on the matrix's shape
/// alone.
func columnMedians(of reader: any RowReader, count: Int, dimensions: Int) throws(ClusteringError) -> [Double] {
    // At most 16 MiB of values.
    let samples = max(1, min(count, 1024, (1 << 21) / dimensions))
    var values = [Double](repeating: 0, count: samples * dimensions)
    for sample in 0..<samples {
        let row = sample * count / samples
        for (column, value) in try doubles(reader, row..<row + 1, dimensions).enumerated() {
            values[column * samples + sample] = value
        }
    }
    return (0..<dimensions).map { column in
        let finite = values[column * samples..<(column + 1) * samples].filter(\.isFinite).sorted()
        return finite.isEmpty ? 0 : finite[(finite.count - 1) / 2]
    }
}
