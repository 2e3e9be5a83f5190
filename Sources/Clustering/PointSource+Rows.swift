import Compute

extension PointSource {
    /// Numbers of the rows that are on their way at once in ``rows(at:on:)``.
    private static let numbersAtOnce = 1 << 20

    private static func rowsAtOnce(_ columns: Int) -> Int { max(1, numbersAtOnce / columns) }

    /// Columns of the matrix that points are brought from.
    private var columns: Int { isStreamed ? pca?.dimensions ?? dimensions : dimensions }

    /// Bytes that ``rows(at:on:)`` takes beside the rows it returns, for any number of them: those on their way, here and in
    /// the backend's memory.
    /// - Parameters:
    ///   - columns: those of the matrix that points are brought from.
    ///   - dimensions: the points' coordinates.
    package static func bytesOnTheWay(columns: Int, dimensions: Int) -> Int {
        (3 * columns + 4 * dimensions) * rowsAtOnce(columns) * MemoryLayout<Float>.stride
    }

    /// The same for these points.
    package var bytesOnTheWay: Int { Self.bytesOnTheWay(columns: columns, dimensions: dimensions) }

    /// The points of `indices`, in that order, as rows in the host's memory, less the ``shift``. They are brought in the
    /// order of their numbers, which is that of a file.
    /// - Throws: ``ClusteringError/unreadable(reason:)``, ``ClusteringError/compute(_:)``.
    package func rows(at indices: [Int32], on backend: any Backend) throws(ClusteringError) -> HostRows {
        let rising = indices.indices.sorted { indices[$0] < indices[$1] }
        var values = [Float](repeating: 0, count: indices.count * dimensions)
        let most = Self.rowsAtOnce(columns)
        for first in stride(from: 0, to: rising.count, by: most) {
            let places = rising[first..<min(first + most, rising.count)]
            let points = try points(at: places.map { indices[$0] }, on: backend)
            try computing { () throws(ComputeError) in
                try HostRows.forEachPiece(of: points, on: backend) { piece, start in
                    values.withUnsafeMutableBufferPointer { values in
                        piece.values.withUnsafeBufferPointer { source in
                            guard let values = values.baseAddress, let source = source.baseAddress else { return }
                            for row in 0..<piece.count {
                                (values + places[first + start + row] * dimensions).update(
                                    from: source + row * dimensions, count: dimensions)
                            }
                        }
                    }
                }
            }
        }
        return HostRows(values, count: indices.count, dimensions: dimensions)
    }
}
