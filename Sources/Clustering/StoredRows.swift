import Compute

/// The product, or -1 where it is beyond an `Int`: no matrix has so many elements.
func product(_ count: Int, _ dimensions: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: dimensions)
    return overflow ? -1 : product
}

/// Hands the stored values of rows to `body`: a function that gives value number i in double precision, and one that gives
/// it less a number, exactly, as float32.
@inline(__always)
func withStored(
    _ reader: any RowReader, _ rows: Range<Int>, _ dimensions: Int,
    _ body: (_ value: (Int) -> Double, _ less: (Int, Double) -> Float) -> Void
) throws(ClusteringError) {
    let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: rows.count * dimensions * reader.type.byteCount, alignment: 16)
    defer { room.deallocate() }
    try reader.read(rows, into: room)
    switch reader.type {
    case .uint8:
        let values = room.assumingMemoryBound(to: UInt8.self)
        body({ Double(values[$0]) }, { Float(Double(values[$0]) - $1) })
    case .float32:
        let values = room.assumingMemoryBound(to: Float.self)
        body({ Double(values[$0]) }, { Float(Double(values[$0]) - $1) })
    case .float64:
        let values = room.assumingMemoryBound(to: Double.self)
        body({ values[$0] }, { Float(values[$0] - $1) })
    case .int32:
        let values = room.assumingMemoryBound(to: Int32.self)
        body({ Double(values[$0]) }, { Float(Double(values[$0]) - $1) })
    case .int64:
        let values = room.assumingMemoryBound(to: Int64.self)
        body({ Double(values[$0]) }, { difference(of: values[$0], and: $1) })
    }
}

/// `value` less `shift`, as float32: exact before that rounding, beyond 2^53 too.
func difference(of value: Int64, and shift: Double) -> Float {
    let whole = shift.rounded(.towardZero)
    guard let subtrahend = Int64(exactly: whole) else { return Float(Double(value) - shift) }
    let (difference, overflow) = value.subtractingReportingOverflow(subtrahend)
    return overflow ? Float(Double(value) - shift) : Float(Double(difference) - (shift - whole))
}

/// Reads rows as float32, less a number per column, some at a time.
func readFloats(
    _ reader: any RowReader, _ rows: Range<Int>, less shift: [Double],
    into destination: UnsafeMutableBufferPointer<Float>
) throws(ClusteringError) {
    let dimensions = shift.count
    let most = max(1, (1 << 18) / dimensions)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: most) {
        let piece = first..<min(first + most, rows.upperBound)
        let start = (first - rows.lowerBound) * dimensions
        try withStored(reader, piece, dimensions) { _, less in
            shift.withUnsafeBufferPointer { shift in
                var element = 0
                for _ in piece {
                    for column in 0..<dimensions {
                        destination[start + element] = less(element, shift[column])
                        element += 1
                    }
                }
            }
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
        try withStored(reader, row..<row + 1, dimensions) { value, _ in
            for column in 0..<dimensions { values[column * samples + sample] = value(column) }
        }
    }
    return (0..<dimensions).map { column in
        let finite = values[column * samples..<(column + 1) * samples].filter(\.isFinite).sorted()
        return finite.isEmpty ? 0 : finite[(finite.count - 1) / 2]
    }
}
