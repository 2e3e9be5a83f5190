import Compute
import Foundation

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

    /// With at most `pieceCount` points there.
    func streamed(pieceCount: Int) -> Int {
        max(analysis, constant + pieceCount * point + batches) + travelling(pieceCount)
    }

    private func travelling(_ rows: Int) -> Int { min(rows, matrix.count) * matrix.travellingBytes }

    /// PCA: the covariance's tiles, their copy here twice over, their sums, and the eigenproblem's matrices.
    private var analysis: Int {
        guard components != nil else { return 0 }
        let rows = partsAtOnce(matrix.dimensions) * CovarianceShape.partRows
        let shape = CovarianceShape(count: min(rows, matrix.count), dimensions: matrix.dimensions)
        let sums = shape.tileElements * (3 * Self.number) + shape.tileElements / shape.parts * 8
        return sums + travelling(rows) + 8 * matrix.dimensions * (2 * matrix.dimensions + 3 * dimensions)
    }

    /// What does not depend on the pieces: the result, centroids in three forms, sums, and the start.
    private var constant: Int {
        let (k, d) = (kmeans.k, dimensions)
        let batch = kmeans.batch(of: matrix.count)
        let points = batch > 0 ? 1 : matrix.count
        let (blockPoints, most) = ClusteringShape.blocks(clusters: k, dimensions: d, points: points)
        let blocks = min(most, (points + blockPoints - 1) / blockPoints)
        let sums = (2 + blocks) * k * (d + 1) * Self.number
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
    /// - Throws: ``ClusteringError/memory(what:needed:allowed:)`` where streaming does not help either, and what PCA
    ///   and reading throw.
    public func source(
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
        let pca = try components.map { count throws(ClusteringError) in
            try PCA.fit(matrix, components: count, on: backend)
        }
        let fits = memory.map { taken + need.resident <= $0 } ?? true
        // A device may have less for one buffer than for all of them.
        if fits, need.largestBuffer <= backend.largestBuffer {
            return PointSource(
                try matrix.points(through: pca, atMost: FeatureMatrix.streamedRows, on: backend), through: pca)
        }
        var pieceCount = unit
        while pieceCount < FeatureMatrix.streamedRows,
            taken + need.streamed(pieceCount: pieceCount + unit) <= memory ?? .max
        { pieceCount += unit }
        return PointSource(streaming: matrix, through: pca, pieceCount: pieceCount)
    }
}
