import Compute
import Support

extension KMeans {
    /// The rows of `matrix` as points of this k-means, through PCA where `components` says so.
    ///
    /// - Parameter memory: bytes that the process may take, this clustering included. Where all points do not fit, or are
    ///   more than one buffer of the device holds, they are streamed: every pass brings them to the backend again, and projects them again.
    ///   Without it that is what the system has left.
    /// - Throws: ``ClusteringError/memory(what:needed:allowed:)`` or ``ClusteringError/noMemory(what:needed:least:)``
    ///   where streaming does not help either, and what PCA and reading throw.
    package func source(
        of matrix: FeatureMatrix, components: Int? = nil, memory: Int? = nil, on backend: any Backend
    ) throws(ClusteringError) -> PointSource {
        let need = ClusteringMemory(matrix: matrix, components: components, kmeans: self)
        let taken = ClusteringMemory.ofProcess
        let unit = need.pieceUnit
        if let memory, taken + need.streamed(pieceCount: unit) > memory {
            throw .memory(
                what: "a clustering of \(matrix.count) samples of \(matrix.dimensions) features, k \(k),",
                needed: taken + need.streamed(pieceCount: unit), allowed: memory)
        }
        let least = backend.isInHostMemory ? need.streamed(pieceCount: unit) : need.hostResident
        if let available = AvailableMemory.shortage(of: least) {
            throw .noMemory(
                what: "a clustering of \(matrix.count) samples of \(matrix.dimensions) features, k \(k),",
                needed: least, least: available)
        }
        // What there is now, before PCA takes some of it for a while.
        let allowed = min(
            memory ?? .max, backend.isInHostMemory ? AvailableMemory.now.map { taken + $0.bytes } ?? .max : .max)
        let pca = try components.map { count throws(ClusteringError) in
            try PCA.fit(matrix, components: count, on: backend)
        }
        let fits = allowed == .max || taken + need.resident <= allowed
        // A device may have less for one buffer than for all of them.
        if fits, need.largestBuffer <= backend.largestBuffer {
            return PointSource(
                try matrix.points(through: pca, atMost: FeatureMatrix.streamedRows, on: backend), through: pca,
                less: pca == nil ? matrix.shift : nil, isDirect: !matrix.isBytes)
        }
        var pieceCount = unit
        while pieceCount < FeatureMatrix.streamedRows,
            allowed == .max || taken + need.streamed(pieceCount: pieceCount + unit) <= allowed
        { pieceCount += unit }
        return PointSource(streaming: matrix, through: pca, pieceCount: pieceCount)
    }
}
