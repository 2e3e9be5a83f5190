import Compute
import Ranks

/// The points that k-means reads: all of them in the backend's memory, or brought there piece by piece in every pass.
package struct PointSource {
    private enum Storage {
        case resident(Points)
        case streamed(FeatureMatrix)
    }
    private let storage: Storage
    /// What the points were projected by; nil where they are the rows themselves.
    package let pca: PCA?
    /// The number of this rank's points.
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
    /// The bound of the magnitude of all coordinates, over all ranks; nil if not known yet.
    let bound: Double?
    /// The place of the largest value of the matrix that the points come from; nil if it is not known.
    var farthest: (row: Int, column: Int)?
    /// The place of these points among those of all ranks; nil if these are all points.
    package let spread: RowSpread?
    /// The number of points of all ranks.
    package var total: Int { spread?.total ?? count }

    /// Points in a backend's memory, which came through `pca`.
    /// - Parameters:
    ///   - shift: what was subtracted from every coordinate.
    ///   - isDirect: false for what comes of 8-bit values, whose products do not cancel.
    ///   - bound: the bound of the magnitude of all coordinates, the same on all ranks; if nil, a clustering looks at all
    ///     coordinates first.
    package init(
        _ points: Points, through pca: PCA? = nil, less shift: [Double]? = nil, isDirect: Bool, bound: Double? = nil,
        spread: RowSpread? = nil
    ) {
        storage = .resident(points)
        self.pca = pca
        self.shift = shift
        self.isDirect = isDirect
        self.bound = bound
        self.spread = spread
        count = points.count
        dimensions = points.dimensions
        pieceCount = points.count
    }

    /// The rows of a matrix, or what a PCA makes of them, brought to the backend `pieceCount` at a time: a multiple of
    /// ``ClusteringMemory/pieceUnit``, so that sums have the bits that they have over all points at once.
    package init(streaming matrix: FeatureMatrix, through pca: PCA?, pieceCount: Int, spread: RowSpread? = nil) {
        storage = .streamed(matrix)
        self.pca = pca
        shift = pca == nil ? matrix.shift : nil
        isDirect = !matrix.isBytes
        bound = matrix.bound(through: pca)
        self.spread = spread
        count = matrix.count
        dimensions = pca?.count ?? matrix.dimensions
        self.pieceCount = min(pieceCount, matrix.count)
    }

    /// These points for another k-means, of no more clusters than the one that they were made for: streamed ones come in
    /// pieces that its sums are cut into.
    package func pieces(for kmeans: KMeans) -> PointSource {
        guard case .streamed(let matrix) = storage else { return self }
        let unit = ClusteringMemory(matrix: matrix, components: pca?.count, kmeans: kmeans, total: total).pieceUnit
        var source = PointSource(
            streaming: matrix, through: pca, pieceCount: max(unit, pieceCount / unit * unit), spread: spread)
        source.farthest = farthest
        return source
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

    /// The points of `indices`, which count the points of all ranks, in that order. Collective: all ranks have the same
    /// indices, and all get all of these points.
    func points(at indices: [Int32], on backend: any Backend) throws(ClusteringError) -> Points {
        guard let spread, spread.communicator.size > 1 else { return try ownPoints(at: indices, on: backend) }
        let places = indices.indices.filter { spread.rows.contains(Int(indices[$0])) }
        var rows: [Float] = []
        if !places.isEmpty {
            let own = try ownPoints(
                at: places.map { Int32(Int(indices[$0]) - spread.rows.lowerBound) }, on: backend)
            rows = try computing { () throws(ComputeError) in try HostRows(own, on: backend).values }
        }
        let parts = rows
        let (all, allPlaces) = try acrossRanks { () throws(RanksError) in
            (
                try spread.communicator.gather(parts).values,
                try spread.communicator.gather(places.map { Int64($0) }).values
            )
        }
        var values = [Float](repeating: 0, count: indices.count * dimensions)
        for (row, place) in allPlaces.enumerated() {
            let start = Int(place) * dimensions
            values.replaceSubrange(start..<start + dimensions, with: all[row * dimensions..<(row + 1) * dimensions])
        }
        return try computing { () throws(ComputeError) in
            let gathered = try backend.makePoints(count: indices.count, dimensions: dimensions)
            let buffer = try backend.makeBuffer(values, label: "rows of all ranks")
            try backend.run(
                PointsPack(Rows(.floats(buffer), count: indices.count, dimensions: dimensions), into: gathered))
            return gathered
        }
    }

    /// The points of `indices`, which count this rank's points, in that order.
    private func ownPoints(at indices: [Int32], on backend: any Backend) throws(ClusteringError) -> Points {
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

    /// The largest magnitude of a coordinate, or a number above it, the same on all ranks. Collective.
    func knownBound(on backend: any Backend) throws(ClusteringError) -> Double {
        var bounds = [0.0]
        if let bound { bounds[0] = bound } else { bounds[0] = try largestCoordinate(on: backend) }
        if let spread { try acrossRanks { () throws(RanksError) in try spread.communicator.maximum(&bounds) } }
        return bounds[0]
    }

    /// The largest magnitude of a coordinate of resident points; NaN counts as larger than any number.
    private func largestCoordinate(on backend: any Backend) throws(ClusteringError) -> Double {
        guard let resident else { return 0 }
        return try computing { () throws(ComputeError) in
            // Floats without their signs are ordered as their bits are. Lanes past the last point are 0.
            var bits: UInt32 = 0
            let count = resident.tiles * resident.dimensions * resident.lanes
            for first in stride(from: 0, to: count, by: 1 << 22) {
                let values = try backend.read(resident.buffer, at: first, count: min(1 << 22, count - first))
                values.withUnsafeBufferPointer { values in
                    for index in 0..<values.count { bits = max(bits, values[index].magnitude.bitPattern) }
                }
            }
            return Double(Float(bitPattern: bits))
        }
    }

    /// The median size of the coordinates that are not 0 in at most 256 rows, which are spread over all; 0 where there are
    /// none. The same on all ranks. Collective.
    func usualCoordinate(on backend: any Backend) throws(ClusteringError) -> Double {
        let rows = min(total, 256)
        let indices = (0..<rows).map { Int32(rows == 1 ? 0 : $0 * (total - 1) / (rows - 1)) }
        let sample = try points(at: indices, on: backend)
        let values = try computing { () throws(ComputeError) in try HostRows(sample, on: backend).values }
        let sizes = values.map(\.magnitude).filter { $0 > 0 }.sorted()
        return sizes.isEmpty ? 0 : Double(sizes[sizes.count / 2])
    }

    /// The same points with their bound known, for several clusterings.
    package func bounded(on backend: any Backend) throws(ClusteringError) -> PointSource {
        guard let resident, bound == nil else { return self }
        var source = PointSource(
            resident, through: pca, less: shift, isDirect: isDirect, bound: try knownBound(on: backend),
            spread: spread)
        source.farthest = farthest
        return source
    }

    /// All points of this rank, if they are resident.
    package var resident: Points? {
        if case .resident(let points) = storage { return points }
        return nil
    }
}
