import Compute
import Datasets

/// Rows that stay where they are, in a file as a rule, and are read when they are wanted.
package protocol RowReader: Sendable {
    /// The type of the values.
    var type: ValueType { get }
    /// Fills `destination` with values of that type, rows one after the other.
    /// - Throws: ``ClusteringError/unreadable(reason:category:)``.
    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError)
    /// Fills `destination` with the rows of these numbers, none of which is less than the one before it.
    /// - Throws: ``ClusteringError/unreadable(reason:category:)``.
    func read(rowsAt numbers: [Int], into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError)
}

extension RowReader {
    package func read(
        rowsAt numbers: [Int], into destination: UnsafeMutableRawBufferPointer
    ) throws(ClusteringError) {
        let rowBytes = destination.count / max(1, numbers.count)
        for (place, row) in numbers.enumerated() {
            let bytes = place * rowBytes..<(place + 1) * rowBytes
            try read(row..<row + 1, into: UnsafeMutableRawBufferPointer(rebasing: destination[bytes]))
        }
    }
}

/// A row-major matrix [count][dimensions]: one row a sample.
///
/// Stored values that are not 8-bit ones become float32 after a number per column was subtracted, ``shift``, so that they
/// keep their digits and products of them do not cancel, however far from the origin they are.
package struct FeatureMatrix: Sendable {
    enum Storage {
        case bytes([UInt8])
        case floats([Float])
        case stored(any RowReader)
    }
    let storage: Storage
    /// Number of rows.
    package let count: Int
    /// Number of columns.
    package let dimensions: Int
    /// What was subtracted from every column, [dimensions]; nil where nothing was.
    package let shift: [Double]?
    /// The largest magnitude of all values less the shift, and where it is; 0 for 8-bit values.
    let largest: (magnitude: Float, row: Int, column: Int)

    /// Most rows: kernels number points in an int, and tiles and blocks may end after the last one.
    package static let mostRows = Int(Int32.max) - (1 << 16)
    /// Most columns: kernels number the values of a tile of at most 256 rows in an int.
    package static let mostColumns = Int(Int32.max) / 256

    /// Makes a matrix of known values without checks.
    init(
        _ storage: Storage, _ count: Int, _ dimensions: Int, shift: [Double]? = nil,
        largest: (magnitude: Float, row: Int, column: Int) = (0, 0, 0)
    ) {
        self.storage = storage
        self.count = count
        self.dimensions = dimensions
        self.shift = shift
        self.largest = largest
    }

    /// A matrix of 8-bit values, as images have them. The array is shared, not copied.
    /// - Throws: ``ClusteringError/badMatrix(elements:count:dimensions:)``.
    package init(bytes: [UInt8], count: Int, dimensions: Int) throws(ClusteringError) {
        try Self.check(bytes.count, count, dimensions)
        self.init(.bytes(bytes), count, dimensions)
    }

    /// A matrix of float32 values, which are taken as they are. The array is shared, not copied.
    /// - Parameter shift: what was subtracted from every column before, [dimensions]; nil where nothing was.
    /// - Throws: ``ClusteringError/badMatrix(elements:count:dimensions:)``, and ``ClusteringError/notFinite(row:column:)``,
    ///   ``ClusteringError/tooLarge(row:column:value:limit:)`` and ``ClusteringError/tooSmall(value:limit:)`` for values.
    package init(
        floats: [Float], count: Int, dimensions: Int, shift: [Double]? = nil
    ) throws(ClusteringError) {
        try Self.check(floats.count, count, dimensions)
        self = try FeatureMatrix(.floats(floats), count, dimensions, shift: shift).checked()
    }

    /// A matrix whose rows `reader` reads whenever they are wanted. Values other than 8-bit ones are read once here: to be
    /// checked, and for the shift.
    /// - Parameter forComponents: whether PCA is to follow, which takes smaller values.
    /// - Throws: what ``init(floats:count:dimensions:)`` throws, and ``ClusteringError/unreadable(reason:category:)``.
    package init(
        reader: any RowReader, count: Int, dimensions: Int, forComponents: Bool = false
    ) throws(ClusteringError) {
        try Self.check(product(count, dimensions), count, dimensions)
        let plain = FeatureMatrix(.stored(reader), count, dimensions)
        guard !plain.isBytes else {
            self = plain
            return
        }
        let shift = try columnMedians(of: reader, count: count, dimensions: dimensions)
        self = try FeatureMatrix(.stored(reader), count, dimensions, shift: shift).checked(forComponents: forComponents)
    }

    /// A matrix of bytes or float32 values that need no check and no shift.
    init(unchecked reader: any RowReader, count: Int, dimensions: Int) {
        self.init(.stored(reader), count, dimensions)
    }

    static func check(_ elements: Int, _ count: Int, _ dimensions: Int) throws(ClusteringError) {
        guard count > 0, dimensions > 0, elements == product(count, dimensions) else {
            throw .badMatrix(elements: elements, count: count, dimensions: dimensions)
        }
        guard count <= mostRows, dimensions <= mostColumns else {
            throw .tooManyValues(count: count, dimensions: dimensions)
        }
    }

    /// The largest magnitude, less the shift, that clustering takes: no squared distance overflows, since differences are
    /// at most twice as large, and there are so many of them.
    static func limit(_ dimensions: Int) -> Float {
        (Float.greatestFiniteMagnitude / (8 * Float(dimensions))).squareRoot()
    }

    /// The largest magnitude, less the shift, that PCA takes: its largest sum is of a part's products, each of two
    /// differences of at most twice this magnitude, and what is projected is a sum over all columns.
    static func componentsLimit(_ dimensions: Int) -> Float {
        (Float.greatestFiniteMagnitude / Float(16 * max(dimensions, CovarianceShape.partRows / 4))).squareRoot()
    }

    /// Values whose largest is below this, less the shift, have squares that float32 does not hold.
    static let least: Float = 0x1p-50

    /// The largest magnitude, less the shift, that is accepted.
    static func largestTaken(_ dimensions: Int, forComponents: Bool) -> Float {
        forComponents ? componentsLimit(dimensions) : limit(dimensions)
    }

    /// The same matrix, its values checked and the largest known.
    private func checked(forComponents: Bool = false) throws(ClusteringError) -> FeatureMatrix {
        try known(
            largest: try largest(in: 0..<count, limit: Self.largestTaken(dimensions, forComponents: forComponents)))
    }

    /// The largest magnitude of the values of some rows, and its place; 0 for 8-bit values. The values must be finite and at
    /// most `limit`.
    /// - Parameter seen: called with the rows as they are clustered, a piece at a time.
    func largest(
        in rows: Range<Int>, limit: Float, _ seen: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws(ClusteringError) -> (magnitude: Float, row: Int, column: Int) {
        var largest = (magnitude: Float(0), row: 0, column: 0)
        let most = max(1, (1 << 22) / dimensions)
        if isBytes {
            try forEachPiece(of: rows, atMost: most, as: UInt8.self) { values, _ throws(ClusteringError) in
                seen(UnsafeRawBufferPointer(values))
            }
            return largest
        }
        try forEachPiece(of: rows, atMost: most, as: Float.self) { values, rows throws(ClusteringError) in
            seen(UnsafeRawBufferPointer(values))
            guard limit < .infinity,
                let place = firstLargest(of: values, above: largest.magnitude, limit: limit)
            else { return }
            largest = (values[place].magnitude, rows.lowerBound + place / dimensions, place % dimensions)
            if !(largest.magnitude <= limit) { try refuse(largest.row, largest.column, limit) }
        }
        return largest
    }

    /// The same matrix with the largest of its values, unless that is too small.
    func known(largest: (magnitude: Float, row: Int, column: Int)) throws(ClusteringError) -> FeatureMatrix {
        if !isBytes, largest.magnitude < Self.least {
            // Of float64 values the differences may be too small for a float32 of their own.
            let difference = largest.magnitude > 0 ? Double(largest.magnitude) : try largestDifference()
            if difference > 0 { throw .tooSmall(value: difference, limit: Self.least) }
        }
        return FeatureMatrix(storage, count, dimensions, shift: shift, largest: largest)
    }

    /// The largest difference of a stored float64 value from its column's shift; 0 for other types, whose differences are
    /// as large as their float32 ones.
    private func largestDifference() throws(ClusteringError) -> Double {
        guard case .stored(let reader) = storage, reader.type == .float64, let shift else { return 0 }
        var largest = 0.0
        let most = max(1, (1 << 18) / dimensions)
        for first in stride(from: 0, to: count, by: most) {
            let rows = first..<min(first + most, count)
            let values = try doubles(reader, rows, dimensions)
            for (element, value) in values.enumerated() {
                largest = max(largest, abs(value - shift[element % dimensions]))
            }
        }
        return largest
    }

    /// Says what is wrong with a value that is no number or too large.
    func refuse(_ row: Int, _ column: Int, _ limit: Float) throws(ClusteringError) -> Never {
        var value = 0.0
        switch storage {
        case .bytes: break
        case .floats(let values): value = Double(values[row * dimensions + column]) + (shift?[column] ?? 0)
        case .stored(let reader): value = try doubles(reader, row..<row + 1, dimensions)[column]
        }
        guard value.isFinite else { throw .notFinite(row: row, column: column) }
        throw .tooLarge(row: row, column: column, value: value, limit: limit)
    }

    /// Whether values are 8-bit ones; else they are float32.
    package var isBytes: Bool {
        switch storage {
        case .bytes: true
        case .floats: false
        case .stored(let reader): reader.type == .uint8
        }
    }

    /// The smallest known bound of the magnitude of all values, less the shift.
    var bound: Double { isBytes ? 255 : Double(largest.magnitude) }

    /// The same bound for the coordinates that `pca` computes from the rows, without reading these: components have unit
    /// length, so a coordinate is at most as large as a row less the mean. Twice that leaves room for rounding in float32.
    func bound(through pca: PCA?) -> Double {
        guard pca != nil else { return bound }
        return 2 * (isBytes ? 1 : 2) * bound * Double(dimensions).squareRoot()
    }

    /// The rows of a range as a matrix of their own, with the shift and the ``bound`` of the whole.
    package func part(_ rows: Range<Int>) -> FeatureMatrix {
        if rows == 0..<count { return self }
        let elements = rows.lowerBound * dimensions..<rows.upperBound * dimensions
        let part: Storage =
            switch storage {
            case .bytes(let values): .bytes(Array(values[elements]))
            case .floats(let values): .floats(Array(values[elements]))
            case .stored(let reader): .stored(RowsFrom(reader: reader, first: rows.lowerBound))
            }
        return FeatureMatrix(part, rows.count, dimensions, shift: shift, largest: largest)
    }

    /// Bytes a row takes.
    var rowBytes: Int { Self.rowBytes(dimensions, isBytes: isBytes) }

    static func rowBytes(_ dimensions: Int, isBytes: Bool) -> Int {
        dimensions * (isBytes ? 1 : MemoryLayout<Float>.stride)
    }

    /// Bytes a row takes in memory while it is on its way to a backend: its copy there, and where it is read from a file
    /// one here, and that of the row which is read meanwhile.
    var travellingBytes: Int {
        if case .stored = storage { return Self.travellingBytes(ofStored: rowBytes) }
        return rowBytes
    }

    static func travellingBytes(ofStored rowBytes: Int) -> Int { 3 * rowBytes }

    /// Hands rows to `body`, whose values must be of the type asked for: those of an array as they are, others read.
    func withRows<Element: BufferElement>(
        _ rows: Range<Int>, of type: Element.Type,
        _ body: (UnsafeBufferPointer<Element>) throws(ClusteringError) -> Void
    ) throws(ClusteringError) {
        let elements = rows.lowerBound * dimensions..<rows.upperBound * dimensions
        func slice<Stored>(_ values: [Stored]) throws(ClusteringError) {
            try values.withUnsafeBufferPointer { values throws(ClusteringError) in
                let bytes = UnsafeRawBufferPointer(
                    rebasing: UnsafeRawBufferPointer(values)[
                        elements.lowerBound * MemoryLayout<Stored>.stride..<elements.upperBound
                            * MemoryLayout<Stored>.stride])
                try body(bytes.assumingMemoryBound(to: Element.self))
            }
        }
        switch storage {
        case .bytes(let values): try slice(values)
        case .floats(let values): try slice(values)
        case .stored(let reader):
            let room = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
            defer { room.deallocate() }
            try fill(room, with: rows, from: reader)
            try body(UnsafeBufferPointer(room))
        }
    }

    /// Reads stored rows as they are clustered: bytes, or float32 less the shift.
    /// - Parameter room: as large as they are.
    func fill<Element: BufferElement>(
        _ room: UnsafeMutableBufferPointer<Element>, with rows: Range<Int>, from reader: any RowReader
    ) throws(ClusteringError) {
        if reader.type == .uint8 || (reader.type == .float32 && shift == nil) {
            return try reader.read(rows, into: UnsafeMutableRawBufferPointer(room))
        }
        let floats = UnsafeMutableRawBufferPointer(room).assumingMemoryBound(to: Float.self)
        try readFloats(reader, rows, less: shift ?? [Double](repeating: 0, count: dimensions), into: floats)
    }

    /// The rows of `indices`, in that order, as a matrix of its own.
    func rows(at indices: [Int32]) throws(ClusteringError) -> FeatureMatrix {
        let storage: Storage =
            isBytes
            ? .bytes(try gather(indices, of: UInt8.self, zero: 0))
            : .floats(try gather(indices, of: Float.self, zero: 0))
        return FeatureMatrix(storage, indices.count, dimensions, shift: shift)
    }

    private func gather<Element: BufferElement>(_ indices: [Int32], of type: Element.Type, zero: Element)
        throws(ClusteringError) -> [Element]
    {
        var gathered = [Element](repeating: zero, count: indices.count * dimensions)
        guard case .stored(let reader) = storage else {
            for (place, row) in indices.enumerated() {
                try withRows(Int(row)..<Int(row) + 1, of: type) { values throws(ClusteringError) in
                    for column in 0..<dimensions { gathered[place * dimensions + column] = values[column] }
                }
            }
            return gathered
        }
        let isStoredSo = reader.type == .uint8 || (reader.type == .float32 && shift == nil)
        let subtracted = isStoredSo ? nil : shift ?? [Double](repeating: 0, count: dimensions)
        try gathered.withUnsafeMutableBufferPointer { gathered throws(ClusteringError) in
            try gatherRows(
                reader, indices, dimensions, less: subtracted, into: UnsafeMutableRawBufferPointer(gathered))
        }
        return gathered
    }

    /// The rows as they are, in the backend's memory, in the layout of k-means.
    package func points(on backend: any Backend) throws(ClusteringError) -> Points {
        try points(through: nil, atMost: Self.streamedRows, on: backend)
    }

    /// The rows as they are, or what a PCA makes of them, with at most `limit` rows at a time on their way.
    func points(through pca: PCA?, atMost limit: Int, on backend: any Backend) throws(ClusteringError)
        -> Points
    {
        let points = try computing { () throws(ComputeError) in
            try backend.makePoints(count: count, dimensions: pca?.count ?? dimensions)
        }
        let projection = try pca.map { pca throws(ClusteringError) in try pca.projection(less: shift, on: backend) }
        try stream(0..<count, to: backend, atMost: limit) { rows, first throws(ComputeError) in
            if let projection {
                try backend.run(PcaProject(rows, through: projection, into: points, at: first))
            } else {
                try backend.run(PointsPack(rows, into: points, at: first))
            }
        }
        return points
    }

    /// Rows that are in a backend's memory at once: a multiple of every tile, and of a covariance's parts.
    static let streamedRows = 4 * CovarianceShape.partRows

    /// Brings at most `limit` rows of `range` at a time to the backend and hands each piece to `body` with the place of
    /// its first row in the range: in one buffer, or where they are if the device computes in this memory.
    func stream(
        _ range: Range<Int>, to backend: any Backend, atMost limit: Int,
        _ body: (Rows, Int) throws(ComputeError) -> Void
    ) throws(ClusteringError) {
        if isBytes {
            try stream(range, of: UInt8.self, to: backend, limit, { .bytes($0) }, body)
        } else {
            try stream(range, of: Float.self, to: backend, limit, { .floats($0) }, body)
        }
    }

    private func stream<Element: BufferElement>(
        _ range: Range<Int>, of type: Element.Type, to backend: any Backend, _ limit: Int,
        _ storage: (DeviceBuffer<Element>) -> Rows.Storage, _ body: (Rows, Int) throws(ComputeError) -> Void
    ) throws(ClusteringError) {
        var room: DeviceBuffer<Element>?
        try forEachPiece(of: range, atMost: limit, as: type) { piece, rows throws(ClusteringError) in
            try computing { () throws(ComputeError) in
                func hand(_ buffer: DeviceBuffer<Element>) throws(ComputeError) {
                    try body(
                        Rows(storage(buffer), count: rows.count, dimensions: dimensions),
                        rows.lowerBound - range.lowerBound)
                }
                if let borrowed = try backend.hostBuffer(over: piece, label: "rows of the data set") {
                    do throws(ComputeError) { try hand(borrowed) } catch {
                        // What was queued may still read the rows.
                        try? backend.finish()
                        throw error
                    }
                    return try backend.finish()
                }
                if room == nil {
                    room = try backend.makeBuffer(
                        of: type, count: min(limit, range.count) * dimensions, label: "rows of the data set")
                }
                guard let room else { return }
                try backend.write(piece, to: room, at: 0)
                try hand(room)
            }
        }
    }
}
