import Compute
import Foundation
import Support

/// What a clustering holds at once, in bytes: the host's and the backend's memory together.
struct ClusteringMemory {
    let matrix: FeatureMatrix
    /// Principal components; nil without PCA.
    let components: Int?
    let kmeans: KMeans

    private var dimensions: Int { components ?? matrix.dimensions }
    private static let number = MemoryLayout<Float>.stride

    /// Points in the smallest piece that can be streamed.
    var pieceUnit: Int {
        ClusteringShape.blocks(clusters: kmeans.k, dimensions: dimensions, points: matrix.count).blockPoints
    }

    /// The points' coordinates, where all are in the backend's memory.
    var largestBuffer: Int { matrix.count * dimensions * Self.number }

    /// A point: its coordinates, label and distance.
    private var point: Int { Self.number * (dimensions + 2) }

    /// With all points in the backend's memory; a mini-batch takes them from rows of their own.
    var resident: Int {
        let rows = kmeans.batch(of: matrix.count) > 0 ? matrix.count * dimensions * Self.number : 0
        return max(analysis, constant + matrix.count * point + rows) + travelling(FeatureMatrix.streamedRows)
    }

    /// What of it is here where the backend has memory of its own.
    var hostResident: Int { max(analysis, 2 * Self.number * matrix.count) + travelling(FeatureMatrix.streamedRows) }

    /// With at most `pieceCount` points there.
    func streamed(pieceCount: Int) -> Int {
        max(analysis, constant + pieceCount * point + batches) + travelling(pieceCount)
    }

    private func travelling(_ rows: Int) -> Int { min(rows, matrix.count) * matrix.travellingBytes }

    /// PCA.
    private var analysis: Int { components.map { PCA.memory(of: matrix, components: $0) } ?? 0 }

    /// What does not depend on the pieces: the result, centroids in three forms, sums, and the start.
    private var constant: Int {
        let (k, d) = (kmeans.k, dimensions)
        let batch = kmeans.batch(of: matrix.count)
        let points = batch > 0 ? 1 : matrix.count
        let (blockPoints, most) = ClusteringShape.blocks(clusters: k, dimensions: d, points: points)
        let blocks = min(most, (points + blockPoints - 1) / blockPoints)
        let sums = (2 + blocks * (matrix.isBytes ? 1 : 2)) * k * (d + 1) * Self.number
        let queued = 3 * KMeans.stepsAtOnce * batch * Self.number
        return 2 * Self.number * matrix.count + 3 * k * (d + 2) * Self.number + sums + queued + start
    }

    private var start: Int {
        guard case .plusPlus = kmeans.start else { return kmeans.k * (matrix.travellingBytes + dimensions) }
        let count = kmeans.startCount(of: matrix.count)
        // For each candidate the distances before and after.
        return count * (Self.number * (dimensions + 2 * kmeans.startCandidates) + 2 * matrix.rowBytes)
    }

    /// Rows of mini-batches on their way, then as tiles and as rows again.
    private var batches: Int {
        KMeans.stepsAtOnce * kmeans.batch(of: matrix.count) * (2 * matrix.rowBytes + 2 * Self.number * dimensions)
    }

    /// What the process takes as it stands; 0 where the system does not say.
    static var ofProcess: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}

extension KMeans {
    /// The rows of `matrix` as points of this k-means, through PCA where `components` says so.
    ///
    /// - Parameter memory: bytes that the process may take, this clustering included. Where all points do not fit, or are
    ///   more than one buffer of the device holds, they are streamed: every pass brings them to the backend again, and projects them again.
    ///   Without it that is what the system has left.
    /// - Throws: ``ClusteringError/memory(what:needed:allowed:)`` or ``ClusteringError/noMemory(what:needed:least:)``
    ///   where streaming does not help either, and what PCA and reading throw.
    package func source(
        of matrix: FeatureMatrix, components: Int? = nil, memory: Int? = nil, on backend: any ClusteringOperations
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
