import Compute
import Dispatch
import Support

extension FeatureMatrix {
    /// Hands the rows of `range` to `body` in their order, at most `limit` at a time, with their numbers. Where they are
    /// stored, another thread reads the next piece while `body` has one.
    /// - Throws: what reading throws, before `body` sees any row of that piece, and what `body` throws.
    func forEachPiece<Element: BufferElement>(
        of range: Range<Int>, atMost limit: Int, as type: Element.Type,
        _ body: (UnsafeBufferPointer<Element>, Range<Int>) throws(ClusteringError) -> Void
    ) throws(ClusteringError) {
        let pieces = stride(from: range.lowerBound, to: range.upperBound, by: limit).map {
            $0..<min($0 + limit, range.upperBound)
        }
        guard case .stored(let reader) = storage, pieces.count > 1 else {
            for rows in pieces {
                try withRows(rows, of: type) { piece throws(ClusteringError) in try body(piece, rows) }
            }
            return
        }
        let ahead = ReadAhead<Element>(self, from: reader, pieces: pieces)
        defer { ahead.free() }
        for rows in pieces { try body(try ahead.next(), rows) }
    }
}

/// Pieces of a stored matrix, each of which is read by another thread while the one before it is in use.
private final class ReadAhead<Element: BufferElement> {
    private let matrix: FeatureMatrix
    private let reader: any RowReader
    private let pieces: [Range<Int>]
    /// Two, in turn: the pages of a large piece cost more to get than to fill.
    private let rooms: [UnsafeMutableBufferPointer<Element>]
    private let thread = DispatchQueue(label: "rows")
    private let reading = DispatchGroup()
    private let failure = Locked<ClusteringError?>(nil)
    private var position = 0

    /// Begins to read the first of `pieces`, none of which is longer.
    init(_ matrix: FeatureMatrix, from reader: any RowReader, pieces: [Range<Int>]) {
        (self.matrix, self.reader, self.pieces) = (matrix, reader, pieces)
        let capacity = (pieces.first?.count ?? 0) * matrix.dimensions
        rooms = (0..<2).map { _ in .allocate(capacity: capacity) }
        begin(0)
    }

    private func room(_ piece: Int) -> UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(rebasing: rooms[piece % 2][..<(pieces[piece].count * matrix.dimensions)])
    }

    private func begin(_ piece: Int) {
        guard piece < pieces.count else { return }
        // Nobody looks at this room until the group has been waited for.
        nonisolated(unsafe) let room = room(piece)
        let (matrix, reader, rows, failure) = (matrix, reader, pieces[piece], failure)
        thread.async(group: reading) {
            do throws(ClusteringError) { try matrix.fill(room, with: rows, from: reader) } catch {
                failure.withLock { $0 = error }
            }
        }
    }

    /// The next piece, which is there until the one after it is asked for.
    func next() throws(ClusteringError) -> UnsafeBufferPointer<Element> {
        reading.wait()
        if let failure = failure.withLock({ $0 }) { throw failure }
        let piece = position
        position += 1
        begin(position)
        return UnsafeBufferPointer(room(piece))
    }

    /// Waits for the thread; no piece may be used afterwards.
    func free() {
        reading.wait()
        for room in rooms { room.deallocate() }
    }
}

/// The place of the first of the largest magnitudes in `values`, where it is above `least`; of the first that is above
/// `limit` or no number, where there is one. Nil where none is above `least`.
func firstLargest(of values: UnsafeBufferPointer<Float>, above least: Float, limit: Float) -> Int? {
    var place: Int?
    var largest = least
    for first in stride(from: 0, to: values.count, by: 1 << 12) {
        let part = first..<min(first + (1 << 12), values.count)
        // Without their signs, floats are in the order of their bits, and what is no number comes last.
        var bits: UInt32 = 0
        for index in part { bits = max(bits, values[index].magnitude.bitPattern) }
        guard !(Float(bitPattern: bits) <= largest) else { continue }
        for index in part where !(values[index].magnitude <= largest) {
            (place, largest) = (index, values[index].magnitude)
            if !(largest <= limit) { return place }
        }
    }
    return place
}
