import Datasets
import Dispatch
import Support

/// The product, or -1 where it is beyond an `Int`: no matrix has so many elements.
func product(_ count: Int, _ dimensions: Int) -> Int {
    let (product, overflow) = count.multipliedReportingOverflow(by: dimensions)
    return overflow ? -1 : product
}

/// Hands `count` rows as they are stored, which `read` reads, to `body`.
private func withStored(
    _ count: Int, _ dimensions: Int, _ reader: any RowReader,
    _ read: (UnsafeMutableRawBufferPointer) throws(ClusteringError) -> Void, _ body: (UnsafeRawPointer) -> Void
) throws(ClusteringError) {
    let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: count * dimensions * reader.type.byteCount, alignment: 16)
    defer { room.deallocate() }
    try read(room)
    if let base = room.baseAddress { body(UnsafeRawPointer(base)) }
}

/// The same for rows that follow each other.
private func withStored(
    _ reader: any RowReader, _ rows: Range<Int>, _ dimensions: Int, _ body: (UnsafeRawPointer) -> Void
) throws(ClusteringError) {
    try withStored(
        rows.count, dimensions, reader, { room throws(ClusteringError) in try reader.read(rows, into: room) }, body)
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

/// Rows that one thread reads at a time: what was read is still in its cache when it is converted.
private func rowsAtOnce(_ dimensions: Int) -> Int { max(1, (1 << 17) / dimensions) }

/// Reads rows as float32, less a number per column, on all cores.
/// - Throws: ``ClusteringError/unreadable(reason:category:)`` for the first row that cannot be read.
func readFloats(
    _ reader: any RowReader, _ rows: Range<Int>, less shift: [Double],
    into destination: UnsafeMutableBufferPointer<Float>
) throws(ClusteringError) {
    let dimensions = shift.count
    guard let base = destination.baseAddress else { return }
    // Each piece writes its own rows.
    nonisolated(unsafe) let target = base
    try onAllCores(rows, atMost: rowsAtOnce(dimensions)) { piece throws(ClusteringError) in
        try withStored(reader, piece, dimensions) { stored in
            reader.type.convert(
                stored, rows: piece.count, less: shift, to: target + (piece.lowerBound - rows.lowerBound) * dimensions)
        }
    }
}

/// Reads the rows of `indices` in that order, on all cores: as they are stored, or, with a shift, as float32 less that.
/// - Parameter destination: as large as they are.
/// - Throws: ``ClusteringError/unreadable(reason:category:)``.
func gatherRows(
    _ reader: any RowReader, _ indices: [Int32], _ dimensions: Int, less shift: [Double]?,
    into destination: UnsafeMutableRawBufferPointer
) throws(ClusteringError) {
    guard let base = destination.baseAddress else { return }
    nonisolated(unsafe) let target = base
    // In the order of the file, which is kinder to it.
    let places = indices.indices.sorted { indices[$0] < indices[$1] }
    let row = destination.count / max(1, indices.count)
    try onAllCores(0..<places.count, atMost: rowsAtOnce(dimensions)) { part throws(ClusteringError) in
        func place(_ rows: UnsafeRawPointer) {
            for (number, place) in places[part].enumerated() {
                (target + place * row).copyMemory(from: rows + number * row, byteCount: row)
            }
        }
        let numbers = places[part].map { Int(indices[$0]) }
        try withStored(
            part.count, dimensions, reader,
            { room throws(ClusteringError) in try reader.read(rowsAt: numbers, into: room) }
        ) { stored in
            guard let shift else { return place(stored) }
            let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: part.count * dimensions)
            defer { floats.deallocate() }
            guard let base = floats.baseAddress else { return }
            reader.type.convert(stored, rows: part.count, less: shift, to: base)
            place(UnsafeRawPointer(base))
        }
    }
}

/// Hands `rows`, at most `most` at a time, to `body` on all cores, in no order.
/// - Throws: the error of the first piece that has one; others have been handed to `body` all the same.
func onAllCores(
    _ rows: Range<Int>, atMost most: Int, _ body: @Sendable (Range<Int>) throws(ClusteringError) -> Void
) throws(ClusteringError) {
    guard rows.count > most else { return try body(rows) }
    let failures = Locked<[Int: ClusteringError]>([:])
    DispatchQueue.concurrentPerform(iterations: (rows.count + most - 1) / most) { piece in
        let first = rows.lowerBound + piece * most
        do throws(ClusteringError) { try body(first..<min(first + most, rows.upperBound)) } catch {
            failures.withLock { $0[piece] = error }
        }
    }
    let first = failures.withLock { failures in failures.min { $0.key < $1.key }?.value }
    if let first { throw first }
}

/// A number per column that lies among its values, as ``ValueType/columnMedians(count:dimensions:read:)`` takes it.
/// - Throws: ``ClusteringError/unreadable(reason:category:)``.
func columnMedians(of reader: any RowReader, count: Int, dimensions: Int) throws(ClusteringError) -> [Double] {
    try reader.type.columnMedians(count: count, dimensions: dimensions) { numbers, room throws(ClusteringError) in
        try reader.read(rowsAt: numbers, into: room)
    }
}
