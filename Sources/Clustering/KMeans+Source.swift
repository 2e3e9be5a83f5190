import Compute
import Ranks
import Support

extension KMeans {
    /// The rows of `matrix` as points of this k-means, through PCA where `components` says so.
    ///
    /// - Parameters:
    ///   - memory: bytes that the process may take, this clustering included. Where all points do not fit, or are more than
    ///     one buffer of the device holds, they are streamed: every pass brings them to the backend again, and projects them
    ///     again. Without it that is what the system has left. Ranks of one process share it.
    ///   - spread: the rows of `matrix` that are this rank's; nil for all of them. Collective with it.
    /// - Throws: ``ClusteringError/memory(what:needed:allowed:)`` or ``ClusteringError/noMemory(what:needed:least:)``
    ///   where streaming does not help either, and what PCA and reading throw.
    package func source(
        of matrix: FeatureMatrix, components: Int? = nil, memory: Int? = nil, spread: RowSpread? = nil,
        on backend: any Backend
    ) throws(ClusteringError) -> PointSource {
        let own = spread.map { matrix.part($0.rows) } ?? matrix
        let need = ClusteringMemory(matrix: own, components: components, kmeans: self, total: spread?.total)
        // Ranks of one process share its memory.
        let sharers = spread?.communicator.ranksInProcess ?? 1
        let taken = ClusteringMemory.ofProcess
        let unit = need.pieceUnit
        if let memory, taken + sharers * need.streamed(pieceCount: unit) > memory {
            throw .memory(
                what: "a clustering of \(matrix.count) samples of \(matrix.dimensions) features, k \(k),",
                needed: taken + sharers * need.streamed(pieceCount: unit), allowed: memory)
        }
        let least = sharers * (backend.isInHostMemory ? need.streamed(pieceCount: unit) : need.hostResident)
        if let available = AvailableMemory.shortage(of: least) {
            throw .noMemory(
                what: "a clustering of \(matrix.count) samples of \(matrix.dimensions) features, k \(k),",
                needed: least, least: available)
        }
        // What there is now, before PCA takes some of it for a while.
        let allowed = min(
            memory ?? .max, backend.isInHostMemory ? AvailableMemory.now.map { taken + $0.bytes } ?? .max : .max)
        // None of them takes memory before all have looked.
        if sharers > 1, let spread { try acrossRanks { () throws(RanksError) in try spread.communicator.barrier() } }
        let pca = try components.map { count throws(ClusteringError) in
            try PCA.fit(matrix, components: count, spread: spread, on: backend)
        }
        let fits = allowed == .max || taken + sharers * need.resident <= allowed
        // A device may have less for one buffer than for all of them.
        if fits, need.largestBuffer <= backend.largestBuffer {
            return PointSource(
                try own.points(through: pca, atMost: FeatureMatrix.streamedRows, on: backend), through: pca,
                less: pca == nil ? matrix.shift : nil, isDirect: !matrix.isBytes, bound: matrix.bound(through: pca),
                spread: spread)
        }
        var pieceCount = unit
        while pieceCount < FeatureMatrix.streamedRows,
            allowed == .max || taken + sharers * need.streamed(pieceCount: pieceCount + unit) <= allowed
        { pieceCount += unit }
        return PointSource(streaming: own, through: pca, pieceCount: pieceCount, spread: spread)
    }
}
