import Compute
import Ranks
import Support

extension KMeans {
    /// The rows of `matrix` as points of this k-means, through PCA where `components` says so.
    ///
    /// - Parameters:
    ///   - memory: bytes that the process may take, this clustering included. If the points do not all fit, or are more than
    ///     one buffer of the device holds, they are streamed: every pass brings them to the backend and projects them again.
    ///     Nil for the memory that the system has left.
    ///   - spread: this rank's rows of `matrix`; nil for all of them. Collective if given.
    /// - Throws: ``ClusteringError/memory(what:needed:allowed:)`` or ``ClusteringError/noMemory(what:needed:least:)``
    ///   where streaming does not help either, and what PCA and reading throw.
    package func source(
        of matrix: FeatureMatrix, components: Int? = nil, memory: Int? = nil, spread: RowSpread? = nil,
        on backend: any Backend
    ) throws(ClusteringError) -> PointSource {
        let own = spread.map { matrix.part($0.rows) } ?? matrix
        // Ranks of one host share its memory.
        let sharing = try spread.map { spread throws(ClusteringError) in
            try acrossRanks { () throws(RanksError) in try spread.communicator.ranksOnHost().count }
        }
        let need = ClusteringMemory(
            matrix: own, analysed: matrix, components: components, kmeans: self, total: spread?.total)
        let taken = ClusteringMemory.ofProcess
        let unit = need.pieceUnit
        if let memory, taken + need.streamed(pieceCount: unit) > memory {
            throw .memory(
                what: "a clustering of \(matrix.count) samples of \(matrix.dimensions) features, k \(k),",
                needed: taken + need.streamed(pieceCount: unit), allowed: memory)
        }
        let least = backend.isInHostMemory ? need.streamed(pieceCount: unit) : need.hostResident
        if let available = AvailableMemory.shortage(of: least * (sharing ?? 1)) {
            throw .noMemory(
                what: "a clustering of \(matrix.count) samples of \(matrix.dimensions) features, k \(k),",
                needed: least * (sharing ?? 1), least: available)
        }
        // What there is now, before PCA takes some of it for a while.
        let available = AvailableMemory.now.map { taken + $0.bytes / (sharing ?? 1) }
        let allowed = min(memory ?? .max, backend.isInHostMemory ? available ?? .max : .max)
        let pca = try components.map { count throws(ClusteringError) in
            try PCA.fit(matrix, components: count, spread: spread, on: backend)
        }
        let fits = allowed == .max || taken + need.resident <= allowed
        // A device may have less for one buffer than for all of them.
        if fits, need.largestBuffer <= backend.largestBuffer {
            var source = PointSource(
                try own.points(through: pca, atMost: FeatureMatrix.streamedRows, on: backend), through: pca,
                less: pca == nil ? matrix.shift : nil, isDirect: !matrix.isBytes, bound: matrix.bound(through: pca),
                spread: spread)
            source.farthest = (matrix.largest.row, matrix.largest.column)
            return source
        }
        var pieceCount = unit
        while pieceCount < FeatureMatrix.streamedRows,
            allowed == .max || taken + need.streamed(pieceCount: pieceCount + unit) <= allowed
        { pieceCount += unit }
        var source = PointSource(streaming: own, through: pca, pieceCount: pieceCount, spread: spread)
        source.farthest = (matrix.largest.row, matrix.largest.column)
        return source
    }
}
