extension KmeansUpdate {
    package func compute(on backend: CPUBackend) {
        backend.moveToMeans(centroids, sums, weights: nil, shifts: backend.pointer(shifts))
    }
}

extension CPUBackend {
    /// Moves centroids to the means of the points of every cluster, with the old centroid as `weights` points where there
    /// are weights, which grow by the cluster's points.
    func moveToMeans(
        _ centroids: Centroids, _ sums: ClusterSums, weights: UnsafeMutablePointer<Float>?,
        shifts: UnsafeMutablePointer<Float>?
    ) {
        let dimensions = centroids.dimensions
        let size = sums.count * dimensions
        let totals = pointer(sums.totals)
        let counts = pointer(sums.counts)
        let values = pointer(centroids.values)
        let pieces = Self.pieces
        parallel(pieces) { piece in
            for cluster in centroids.count * piece / pieces..<centroids.count * (piece + 1) / pieces {
                let count = Float(counts[cluster])
                let before = weights?[cluster] ?? 0
                var shift: Float = 0
                if count > 0 {
                    for dimension in 0..<dimensions {
                        let element = cluster * dimensions + dimension
                        let sum = totals[element] + totals[size + element]
                        let old = values[element]
                        let new = (old * before + sum) / (before + count)
                        values[element] = new
                        shift += (new - old) * (new - old)
                    }
                    weights?[cluster] = before + count
                }
                shifts?[cluster] = shift
            }
        }
    }
}
