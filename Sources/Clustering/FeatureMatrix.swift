import Compute

/// Rows that stay where they are, in a file as a rule, and are read when they are wanted.
public protocol RowReader: Sendable {
    /// Whether a value is an 8-bit one; else it is float32.
    var isBytes: Bool { get }
    /// Fills `destination` with rows, one after the other.
    /// - Throws: ``ClusteringError/unreadable(reason:)``.
    func read(_ rows: Range<Int>, into destination: UnsafeMutableRawBufferPointer) throws(ClusteringError)
}

/// A row-major matrix [count][dimensions]: one row a sample.
public struct FeatureMatrix: Sendable {
    enum Storage {
        case bytes([UInt8])
        case floats([Float])
        case stored(any RowReader)
    }
    let storage: Storage
    /// Number of rows.
    public let count: Int
    /// Number of columns.
    public let dimensions: Int

    /// A matrix of 8-bit values, as images have them. The array is shared, not copied.
    /// - Throws: ``ClusteringError/badMatrix(elements:count:dimensions:)``.
    public init(bytes: [UInt8], count: Int, dimensions: Int) throws(ClusteringError) {
        try Self.check(bytes.count, count, dimensions)
        storage = .bytes(bytes)
        self.count = count
        self.dimensions = dimensions
    }

    /// A matrix of float32 values. The array is shared, not copied.
    /// - Throws: ``ClusteringError/badMatrix(elements:count:dimensions:)`` or
    ///   ``ClusteringError/notFinite(row:column:)`` or ``ClusteringError/tooLarge(row:column:value:limit:)``.
    public init(floats: [Float], count: Int, dimensions: Int) throws(ClusteringError) {
        try Self.check(floats.count, count, dimensions)
        storage = .floats(floats)
        self.count = count
        self.dimensions = dimensions
        try floats.withUnsafeBufferPointer { values throws(ClusteringError) in try checkFinite(values, from: 0) }
    }

    /// A matrix whose rows `reader` reads whenever they are wanted; float32 values are read once here, to be checked.
    /// - Throws: ``ClusteringError/badMatrix(elements:count:dimensions:)``,
    ///   ``ClusteringError/notFinite(row:column:)`` or ``ClusteringError/unreadable(reason:)``.
    public init(reader: any RowReader, count: Int, dimensions: Int) throws(ClusteringError) {
        try Self.check(count * dimensions, count, dimensions)
        storage = .stored(reader)
        self.count = count
        self.dimensions = dimensions
        guard !reader.isBytes else { return }
        let limit = max(1, (1 << 20) / dimensions)
        for first in stride(from: 0, to: count, by: limit) {
            let rows = first..<min(first + limit, count)
            try withRows(rows, of: Float.self) { values throws(ClusteringError) in
                try checkFinite(values, from: first)
            }
        }
    }

    private static func check(_ elements: Int, _ count: Int, _ dimensions: Int) throws(ClusteringError) {
        guard count > 0, dimensions > 0, elements == count * dimensions else {
            throw .badMatrix(elements: elements, count: count, dimensions: dimensions)
        }
    }

    private func checkFinite(_ values: UnsafeBufferPointer<Float>, from first: Int) throws(ClusteringError) {
        // No squared distance overflows: differences are at most twice as large, and there are so many of them.
        let limit = (Float.greatestFiniteMagnitude / (8 * Float(dimensions))).squareRoot()
        guard let bad = values.firstIndex(where: { !($0.magnitude <= limit) }) else { return }
        let (row, column) = (first + bad / dimensions, bad % dimensions)
        guard values[bad].isFinite else { throw .notFinite(row: row, column: column) }
        throw .tooLarge(row: row, column: column, value: values[bad], limit: limit)
    }

    /// Whether values are 8-bit ones; else they are float32.
    var isBytes: Bool {
        switch storage {
        case .bytes: true
        case .floats: false
        case .stored(let reader): reader.isBytes
        }
    }

    /// Bytes a row takes.
    var rowBytes: Int { dimensions * (isBytes ? 1 : MemoryLayout<Float>.stride) }

    /// Bytes a row takes in memory while it is on its way to a backend: its copy there, and one here where it is read
    /// from a file.
    var travellingBytes: Int {
        if case .stored = storage { return 2 * rowBytes }
        return rowBytes
    }

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
            try reader.read(rows, into: UnsafeMutableRawBufferPointer(room))
            try body(UnsafeBufferPointer(room))
        }
    }

    /// The rows of `indices`, in that order, as a matrix of its own.
    func rows(at indices: [Int32]) throws(ClusteringError) -> FeatureMatrix {
        isBytes
            ? try FeatureMatrix(
                bytes: try gather(indices, of: UInt8.self, zero: 0), count: indices.count, dimensions: dimensions)
            : try FeatureMatrix(
                floats: try gather(indices, of: Float.self, zero: 0), count: indices.count, dimensions: dimensions)
    }

    private func gather<Element: BufferElement>(_ indices: [Int32], of type: Element.Type, zero: Element)
        throws(ClusteringError) -> [Element]
    {
        var gathered = [Element](repeating: zero, count: indices.count * dimensions)
        // In the order of the file, which is kinder to it.
        for place in indices.indices.sorted(by: { indices[$0] < indices[$1] }) {
            let row = Int(indices[place])
            try withRows(row..<row + 1, of: type) { values throws(ClusteringError) in
                for column in 0..<dimensions { gathered[place * dimensions + column] = values[column] }
            }
        }
        return gathered
    }

    /// The rows as they are, in the backend's memory, in the layout of k-means.
    public func points(on backend: any ClusteringOperations) throws(ClusteringError) -> Points {
        try points(through: nil, atMost: Self.streamedRows, on: backend)
    }

    /// The rows as they are, or what a PCA makes of them, with at most `limit` rows at a time on their way.
    func points(through pca: PCA?, atMost limit: Int, on backend: any ClusteringOperations) throws(ClusteringError)
        -> Points
    {
        let points = try computing { () throws(ComputeError) in
            try backend.makePoints(count: count, dimensions: pca?.count ?? dimensions)
        }
        let projection = try pca.map { pca throws(ClusteringError) in try pca.projection(on: backend) }
        try stream(0..<count, to: backend, atMost: limit) { rows, first throws(ComputeError) in
            if let projection {
                try backend.project(rows, through: projection, into: points, at: first)
            } else {
                try backend.packPoints(rows, into: points, at: first)
            }
        }
        return points
    }

    /// Rows that are in a backend's memory at once: a multiple of every tile, and of a covariance's parts.
    static let streamedRows = 4 * CovarianceShape.partRows

    /// Brings at most `limit` rows of `range` at a time to the backend and hands each piece to `body` with the place of
    /// its first row in the range: in one buffer, or where they are if the device computes in this memory.
    func stream(
        _ range: Range<Int>, to backend: any ClusteringOperations, atMost limit: Int,
        _ body: (Rows, Int) throws(ComputeError) -> Void
    ) throws(ClusteringError) {
        if isBytes {
            try stream(range, of: UInt8.self, to: backend, limit, { .bytes($0) }, body)
        } else {
            try stream(range, of: Float.self, to: backend, limit, { .floats($0) }, body)
        }
    }

    private func stream<Element: BufferElement>(
        _ range: Range<Int>, of type: Element.Type, to backend: any ClusteringOperations, _ limit: Int,
        _ storage: (DeviceBuffer<Element>) -> Rows.Storage, _ body: (Rows, Int) throws(ComputeError) -> Void
    ) throws(ClusteringError) {
        var room: DeviceBuffer<Element>?
        for first in stride(from: range.lowerBound, to: range.upperBound, by: limit) {
            let rows = first..<min(first + limit, range.upperBound)
            try withRows(rows, of: type) { piece throws(ClusteringError) in
                try computing { () throws(ComputeError) in
                    func hand(_ buffer: DeviceBuffer<Element>) throws(ComputeError) {
                        try body(
                            Rows(storage(buffer), count: rows.count, dimensions: dimensions),
                            first - range.lowerBound)
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
}
