import Compute

/// A row-major matrix [count][dimensions] in the host's memory: one row a sample.
public struct FeatureMatrix: Sendable {
    enum Storage {
        case bytes([UInt8])
        case floats([Float])
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
    ///   ``ClusteringError/notFinite(row:column:)``.
    public init(floats: [Float], count: Int, dimensions: Int) throws(ClusteringError) {
        try Self.check(floats.count, count, dimensions)
        let bad = floats.withUnsafeBufferPointer { values in values.firstIndex { !$0.isFinite } }
        if let bad { throw .notFinite(row: bad / dimensions, column: bad % dimensions) }
        storage = .floats(floats)
        self.count = count
        self.dimensions = dimensions
    }

    private static func check(_ elements: Int, _ count: Int, _ dimensions: Int) throws(ClusteringError) {
        guard count > 0, dimensions > 0, elements == count * dimensions else {
            throw .badMatrix(elements: elements, count: count, dimensions: dimensions)
        }
    }

    /// The rows as they are, in the backend's memory, in the layout of k-means.
    public func points(on backend: any ClusteringOperations) throws(ClusteringError) -> Points {
        try computing { () throws(ComputeError) in
            let points = try backend.makePoints(count: count, dimensions: dimensions)
            try stream(to: backend, atMost: Self.streamedRows) { rows, first throws(ComputeError) in
                try backend.packPoints(rows, into: points, at: first)
            }
            return points
        }
    }

    /// Rows that are in a backend's memory at once: a multiple of every tile, and of a covariance's parts.
    static let streamedRows = 8 * CovarianceShape.partRows

    /// Uploads at most `limit` rows at a time into one buffer and hands each piece to `body` with its first row.
    func stream(
        to backend: any ClusteringOperations, atMost limit: Int, _ body: (Rows, Int) throws(ComputeError) -> Void
    ) throws(ComputeError) {
        switch storage {
        case .bytes(let values): try stream(values, to: backend, limit, { .bytes($0) }, body)
        case .floats(let values): try stream(values, to: backend, limit, { .floats($0) }, body)
        }
    }

    private func stream<Element: BufferElement>(
        _ values: [Element], to backend: any ClusteringOperations, _ limit: Int,
        _ storage: (DeviceBuffer<Element>) -> Rows.Storage, _ body: (Rows, Int) throws(ComputeError) -> Void
    ) throws(ComputeError) {
        let buffer = try backend.makeBuffer(
            of: Element.self, count: min(limit, count) * dimensions, label: "rows of the data set")
        try values.withUnsafeBufferPointer { source throws(ComputeError) in
            for first in stride(from: 0, to: count, by: limit) {
                let rows = min(limit, count - first)
                let piece = UnsafeBufferPointer(rebasing: source[first * dimensions..<(first + rows) * dimensions])
                try backend.write(piece, to: buffer, at: 0)
                try body(Rows(storage(buffer), count: rows, dimensions: dimensions), first)
            }
        }
    }
}
