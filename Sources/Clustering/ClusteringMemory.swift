import Compute
import Foundation

/// What a clustering holds at once, in bytes: the host's and the backend's memory together.
struct ClusteringMemory {
    /// The matrix's rows and columns.
    private let rows: (count: Int, dimensions: Int)
    /// Bytes of a row, and of one on its way to the backend.
    private let rowBytes, travellingBytes: Int
    /// Principal components; nil without PCA.
    let components: Int?
    let kmeans: KMeans

    init(matrix: FeatureMatrix, components: Int?, kmeans: KMeans) {
        rows = (matrix.count, matrix.dimensions)
        (rowBytes, travellingBytes) = (matrix.rowBytes, matrix.travellingBytes)
        self.components = components
        self.kmeans = kmeans
    }

    /// For an array of float32 values [count][dimensions] that is not made yet.
    init(floats count: Int, dimensions: Int, components: Int?, kmeans: KMeans) {
        rows = (count, dimensions)
        (rowBytes, travellingBytes) = (Self.number * dimensions, Self.number * dimensions)
        self.components = components
        self.kmeans = kmeans
    }

    private var dimensions: Int { components ?? rows.dimensions }
    private static let number = MemoryLayout<Float>.stride

    /// Points in the smallest piece that can be streamed.
    var pieceUnit: Int {
        ClusteringShape.blocks(clusters: kmeans.k, dimensions: dimensions, points: rows.count).blockPoints
    }

    /// The points' coordinates, where all are in the backend's memory.
    var largestBuffer: Int { rows.count * dimensions * Self.number }

    /// A point: its coordinates, label and distance.
    private var point: Int { Self.number * (dimensions + 2) }

    /// With all points in the backend's memory; a mini-batch takes them from rows of their own.
    var resident: Int {
        let copies = kmeans.batch(of: rows.count) > 0 ? rows.count * dimensions * Self.number : 0
        return max(analysis, constant + rows.count * point + copies) + travelling(FeatureMatrix.streamedRows)
    }

    /// With at most `pieceCount` points there.
    func streamed(pieceCount: Int) -> Int {
        max(analysis, constant + pieceCount * point + batches) + travelling(pieceCount)
    }

    private func travelling(_ atOnce: Int) -> Int { min(atOnce, rows.count) * travellingBytes }

    /// PCA: the covariance's tiles, their copy here twice over, their sums, and the eigenproblem's matrices.
    private var analysis: Int {
        guard components != nil else { return 0 }
        let atOnce = partsAtOnce(rows.dimensions) * CovarianceShape.partRows
        let shape = CovarianceShape(count: min(atOnce, rows.count), dimensions: rows.dimensions)
        let sums = shape.tileElements * (3 * Self.number) + shape.tileElements / shape.parts * 8
        return sums + travelling(atOnce) + 8 * rows.dimensions * (2 * rows.dimensions + 3 * dimensions)
    }

    /// What does not depend on the pieces: the result, centroids in three forms, sums, and the start.
    private var constant: Int {
        let (k, d) = (kmeans.k, dimensions)
        let batch = kmeans.batch(of: rows.count)
        let points = batch > 0 ? 1 : rows.count
        let (blockPoints, most) = ClusteringShape.blocks(clusters: k, dimensions: d, points: points)
        let blocks = min(most, (points + blockPoints - 1) / blockPoints)
        let sums = (2 + blocks) * k * (d + 1) * Self.number
        let queued = 3 * KMeans.stepsAtOnce * batch * Self.number
        return 2 * Self.number * rows.count + 3 * k * (d + 2) * Self.number + sums + queued + start
    }

    private var start: Int {
        guard case .plusPlus = kmeans.start else { return kmeans.k * (travellingBytes + dimensions) }
        let count = kmeans.startCount(of: rows.count)
        // For each candidate the distances before and after.
        return count * (Self.number * (dimensions + 2 * kmeans.startCandidates) + 2 * rowBytes)
    }

    /// Rows of mini-batches on their way, then as tiles and as rows again.
    private var batches: Int {
        KMeans.stepsAtOnce * kmeans.batch(of: rows.count) * (2 * rowBytes + 2 * Self.number * dimensions)
    }

    /// What the process takes as it stands; 0 where the system does not say.
    static var ofProcess: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}

extension KMeans {
    /// Bytes that a clustering of float32 values [count][dimensions] holds beside these, the host's and the backend's memory
    /// together, with all points there.
    public func memory(count: Int, dimensions: Int) -> Int {
        ClusteringMemory(floats: count, dimensions: dimensions, components: nil, kmeans: self).resident
    }

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

extension PCA {
    /// Bytes that fit and projection of float32 values [count][dimensions] hold beside these, the host's and the
    /// backend's memory together.
    public static func memory(count: Int, dimensions: Int, components: Int) -> Int {
        let none = KMeans(k: 1, kind: .lloyd(iterations: 0), start: .random)
        return ClusteringMemory(floats: count, dimensions: dimensions, components: components, kmeans: none).resident
    }
}
