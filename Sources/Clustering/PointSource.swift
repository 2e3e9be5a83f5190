import Compute

/// The points that k-means reads: all of them in the backend's memory, or brought there piece by piece in every pass.
package struct PointSource {
    private enum Storage {
        case resident(Points)
        case streamed(FeatureMatrix)
    }
    private let storage: Storage
    /// What the points were projected by; nil where they are the rows themselves.
    package let pca: PCA?
    /// Number of points.
    package let count: Int
    /// Number of coordinates.
    package let dimensions: Int
    /// Most points a piece.
    let pieceCount: Int

    /// What was subtracted from every coordinate, [dimensions]; nil where nothing was.
    package let shift: [Double]?
    /// Whether nearest centroids are compared by direct distances where rounding may have put their products in the wrong
    /// order, and sums keep what float32 drops: for points that may lie in groups far from each other.
    package let isDirect: Bool

    /// Points in a backend's memory, which came through `pca`.
    /// - Parameters:
    ///   - shift: what was subtracted from every coordinate.
    ///   - isDirect: false for what comes of 8-bit values, whose products do not cancel.
    package init(_ points: Points, through pca: PCA? = nil, less shift: [Double]? = nil, isDirect: Bool) {
        storage = .resident(points)
        self.pca = pca
        self.shift = shift
        self.isDirect = isDirect
        count = points.count
        dimensions = points.dimensions
        pieceCount = points.count
    }

    /// The rows of a matrix, or what a PCA makes of them, brought to the backend `pieceCount` at a time: a multiple of
    /// ``ClusteringMemory/pieceUnit``, so that sums have the bits that they have over all points at once.
    init(streaming matrix: FeatureMatrix, through pca: PCA?, pieceCount: Int) {
        storage = .streamed(matrix)
        self.pca = pca
        shift = pca == nil ? matrix.shift : nil
        isDirect = !matrix.isBytes
        count = matrix.count
        dimensions = pca?.count ?? matrix.dimensions
        self.pieceCount = min(pieceCount, matrix.count)
    }

    /// These points for another k-means, of no more clusters than the one that they were made for: streamed ones come in
    /// pieces that its sums are cut into.
    package func pieces(for kmeans: KMeans) -> PointSource {
        guard case .streamed(let matrix) = storage else { return self }
        let unit = ClusteringMemory(matrix: matrix, components: pca?.count, kmeans: kmeans).pieceUnit
        return PointSource(streaming: matrix, through: pca, pieceCount: max(unit, pieceCount / unit * unit))
    }

    /// Whether every pass brings the points to the backend again.
    package var isStreamed: Bool {
        if case .streamed = storage { return true }
        return false
    }

    /// Hands all points in their order to `body`, piece by piece, each with the number of its first point.
    func forEachPiece(
        on backend: any Backend, _ body: (Points, Int) throws(ComputeError) -> Void
    ) throws(ClusteringError) {
        switch storage {
        case .resident(let points): try computing { () throws(ComputeError) in try body(points, 0) }
        case .streamed(let matrix):
            let room = try computing { () throws(ComputeError) in
                try backend.makePoints(count: pieceCount, dimensions: dimensions)
            }
            let projection = try pca.map { pca throws(ClusteringError) in
                try pca.projection(less: matrix.shift, on: backend)
            }
            try matrix.stream(0..<count, to: backend, atMost: pieceCount) { rows, first throws(ComputeError) in
                let piece = Points(
                    buffer: room.buffer, count: rows.count, dimensions: dimensions, lanes: room.lanes)
                if let projection {
                    try backend.run(PcaProject(rows, through: projection, into: piece))
                } else {
                    try backend.run(PointsPack(rows, into: piece))
                }
                try body(piece, first)
            }
        }
    }

    /// The points of `indices`, in that order.
    func points(at indices: [Int32], on backend: any Backend) throws(ClusteringError) -> Points {
        switch storage {
        case .resident(let points):
            try computing { () throws(ComputeError) in
                let gathered = try backend.makePoints(count: indices.count, dimensions: dimensions)
                try backend.run(
                    PointsGather(backend.makeBuffer(indices, label: "indices"), of: points, into: gathered))
                return gathered
            }
        case .streamed(let matrix):
            try matrix.rows(at: indices).points(through: pca, atMost: pieceCount, on: backend)
        }
    }

    /// All points, where they are resident.
    package var resident: Points? {
        if case .resident(let points) = storage { return points }
        return nil
    }
}
