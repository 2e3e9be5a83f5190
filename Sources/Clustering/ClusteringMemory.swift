import Compute
import Support

/// What a clustering holds at once, in bytes: the host's and the backend's memory together.
struct ClusteringMemory {
    let matrix: FeatureMatrix
    /// Principal components; nil without PCA.
    let components: Int?
    let kmeans: KMeans
    /// Rows of all ranks; nil where this process has all of them.
    var total: Int?

    private var rows: Int { total ?? matrix.count }
    private var dimensions: Int { components ?? matrix.dimensions }
    private static let number = MemoryLayout<Float>.stride

    /// Points in the smallest piece that can be streamed.
    var pieceUnit: Int {
        ClusteringShape.blocks(clusters: kmeans.k, dimensions: dimensions, points: rows).blockPoints
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
    var hostResident: Int {
        max(analysis, 2 * Self.number * matrix.count + candidates) + travelling(FeatureMatrix.streamedRows)
    }

    /// With at most `pieceCount` points there.
    func streamed(pieceCount: Int) -> Int {
        max(analysis, constant + pieceCount * point + batches) + travelling(pieceCount)
    }

    private func travelling(_ rows: Int) -> Int { min(rows, matrix.count) * matrix.travellingBytes }

    /// PCA.
    private var analysis: Int { components.map { PCA.memory(of: matrix, components: $0) } ?? 0 }

    /// What does not depend on the pieces: the result, centroids in four forms, sums, and the start.
    private var constant: Int {
        let (k, d) = (kmeans.k, dimensions)
        let batch = kmeans.batch(of: matrix.count)
        let points = batch > 0 ? 1 : rows
        let (blockPoints, most) = ClusteringShape.blocks(clusters: k, dimensions: d, points: points)
        let blocks = min(most, (points + blockPoints - 1) / blockPoints)
        let sums = (2 + blocks * (matrix.isBytes ? 1 : 2)) * k * (d + 1) * Self.number
        let queued = 3 * KMeans.stepsAtOnce * batch * Self.number
        // The width of panels makes a difference of a few hundred bytes at most.
        let coarse = CoarsePanels.memory(centroids: k, dimensions: d, width: 1)
        return 2 * Self.number * matrix.count + 3 * k * (d + 2) * Self.number + coarse + sums + queued + start
    }

    private var start: Int {
        switch kmeans.start {
        case .plusPlus:
            let count = kmeans.startCount(of: rows)
            // For each candidate the distances before and after.
            return count * (Self.number * (dimensions + 2 * kmeans.startCandidates) + 2 * matrix.rowBytes)
        case .parallel(let settings):
            // Those of a round as rows, points, rows of all ranks, and centroids in three forms. The nearest candidate of each
            // point and its distance have the room of the result.
            let drawn = min(rows, settings.mostDrawn(k: kmeans.k))
            return candidates + drawn * (8 * Self.number * (dimensions + 2) + 2 * matrix.rowBytes)
                + CoarsePanels.memory(centroids: drawn, dimensions: dimensions, width: 1)
        case .random, .given: return kmeans.k * (matrix.travellingBytes + dimensions)
        }
    }

    /// The candidates of a k-means|| start, on the host: their coordinates, weights, and distances while k are chosen.
    private var candidates: Int {
        guard case .parallel(let settings) = kmeans.start else { return 0 }
        let count = min(rows, settings.mostCandidates(k: kmeans.k))
        return count * (Self.number * (dimensions + kmeans.startCandidates + 1) + 16) + kmeans.k * Self.number
            * dimensions
    }

    /// Rows of mini-batches on their way, then as tiles and as rows again.
    private var batches: Int {
        KMeans.stepsAtOnce * kmeans.batch(of: matrix.count) * (2 * matrix.rowBytes + 2 * Self.number * dimensions)
    }

    /// What the process takes as it stands; 0 where the system does not say.
    static var ofProcess: Int { ProcessMemory.resident }
}
