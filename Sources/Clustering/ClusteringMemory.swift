import Compute
import Support

/// What a clustering holds at once, in bytes: the host's and the backend's memory together.
package struct ClusteringMemory {
    private let kmeans: KMeans
    /// The rows that are clustered here, and those of all ranks.
    private let count: Int
    private let total: Int
    /// The number of coordinates of a point.
    private let dimensions: Int
    private let isBytes: Bool
    /// As ``FeatureMatrix/rowBytes`` and ``FeatureMatrix/travellingBytes``.
    private let rowBytes: Int
    private let travellingBytes: Int
    /// The memory of PCA; 0 without it.
    private let analysis: Int

    private static let number = MemoryLayout<Float>.stride

    /// The memory to cluster the rows of a matrix.
    /// - Parameters:
    ///   - analysed: the matrix of all ranks, to which every rank fits PCA; nil for `matrix`.
    ///   - components: principal components; nil without PCA.
    ///   - total: the rows of all ranks; nil if this process has all of them.
    init(
        matrix: FeatureMatrix, analysed: FeatureMatrix? = nil, components: Int?, kmeans: KMeans, total: Int? = nil
    ) {
        self.kmeans = kmeans
        count = matrix.count
        self.total = total ?? matrix.count
        dimensions = components ?? matrix.dimensions
        isBytes = matrix.isBytes
        rowBytes = matrix.rowBytes
        travellingBytes = matrix.travellingBytes
        analysis = components.map { PCA.memory(of: analysed ?? matrix, components: $0) } ?? 0
    }

    /// The memory to cluster a number of rows of a file as float32, without PCA.
    /// - Parameters:
    ///   - rows: the rows of one rank.
    ///   - total: the rows of all ranks.
    package init(rows: Int, of total: Int, dimensions: Int, kmeans: KMeans) {
        self.kmeans = kmeans
        count = rows
        self.total = total
        self.dimensions = dimensions
        isBytes = false
        rowBytes = FeatureMatrix.rowBytes(dimensions, isBytes: false)
        travellingBytes = FeatureMatrix.travellingBytes(ofStored: rowBytes)
        analysis = 0
    }

    /// Points in the smallest piece that can be streamed.
    package var pieceUnit: Int {
        ClusteringShape.blocks(clusters: kmeans.k, dimensions: dimensions, points: total).blockPoints
    }

    /// The points' coordinates, where all are in the backend's memory.
    var largestBuffer: Int { count * dimensions * Self.number }

    /// A point: its coordinates, label and distance.
    private var point: Int { Self.number * (dimensions + 2) }

    /// With all points in the backend's memory; a mini-batch takes them from rows of their own.
    package var resident: Int {
        let rows = kmeans.batch(of: count) > 0 ? count * dimensions * Self.number : 0
        return max(analysis, constant + count * point + rows) + travelling(FeatureMatrix.streamedRows)
    }

    /// What of it is here where the backend has memory of its own.
    package var hostResident: Int {
        max(analysis, 2 * Self.number * count + exchanged + candidates) + travelling(FeatureMatrix.streamedRows)
    }

    /// The sums and counts that ranks add up in every iteration, in host memory; 0 if one process has all rows.
    package var exchanged: Int { count < total ? kmeans.k * (dimensions + 1) * MemoryLayout<Int64>.stride : 0 }

    /// The labels and distances of all rows, which rank 0 also holds at the end.
    package var gathered: Int { count < total ? 2 * Self.number * total : 0 }

    /// With at most `pieceCount` points there.
    package func streamed(pieceCount: Int) -> Int {
        max(analysis, constant + pieceCount * point + batches) + travelling(pieceCount)
    }

    private func travelling(_ rows: Int) -> Int { min(rows, count) * travellingBytes }

    /// The part that does not depend on the pieces: the result, centroids in four forms, sums (totals are as wide as two
    /// floats), and the start.
    private var constant: Int {
        let (k, d) = (kmeans.k, dimensions)
        let batch = kmeans.batch(of: count)
        let points = batch > 0 ? 1 : total
        let (blockPoints, most) = ClusteringShape.blocks(clusters: k, dimensions: d, points: points)
        let blocks = min(most, (points + blockPoints - 1) / blockPoints)
        let sums = (2 + blocks * (isBytes ? 1 : 2)) * k * (d + 1) * Self.number
        let queued = 3 * KMeans.stepsAtOnce * batch * Self.number
        // The width of panels makes a difference of a few hundred bytes at most.
        let coarse = CoarsePanels.memory(centroids: k, dimensions: d, width: 1)
        return 2 * Self.number * count + 3 * k * (d + 2) * Self.number + coarse + sums + exchanged + queued + start
    }

    private var start: Int {
        switch kmeans.start {
        case .plusPlus:
            let chosen = kmeans.startCount(of: total)
            // The distances before and after, for each candidate.
            return chosen * (Self.number * (dimensions + 2 * kmeans.startCandidates) + 2 * rowBytes)
        case .parallel(let settings):
            // The candidates of a round as rows, points, rows of all ranks, and centroids in three forms. The nearest candidate
            // of each point and its distance use the memory of the result.
            let drawn = min(total, settings.mostDrawn(k: kmeans.k))
            return candidates + drawn * (8 * Self.number * (dimensions + 2) + 2 * rowBytes)
                + CoarsePanels.memory(centroids: drawn, dimensions: dimensions, width: 1)
        case .random, .given: return kmeans.k * (travellingBytes + dimensions)
        }
    }

    /// The candidates of a k-means|| start, on the host: their coordinates, weights, and distances while k are chosen.
    private var candidates: Int {
        guard case .parallel(let settings) = kmeans.start else { return 0 }
        let count = min(total, settings.mostCandidates(k: kmeans.k))
        return count * (Self.number * (dimensions + kmeans.startCandidates + 1) + 16) + kmeans.k * Self.number
            * dimensions
    }

    /// Rows of mini-batches on their way, then as tiles and as rows again.
    private var batches: Int {
        KMeans.stepsAtOnce * kmeans.batch(of: count) * (2 * rowBytes + 2 * Self.number * dimensions)
    }

    /// What the process takes as it stands; 0 where the system does not say.
    static var ofProcess: Int { ProcessMemory.resident }
}
