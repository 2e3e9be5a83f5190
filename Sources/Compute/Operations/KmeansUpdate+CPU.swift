extension KmeansUpdate {
    package func compute(on backend: CPUBackend) {
        let centroids = centroids
        let dimensions = centroids.dimensions
        let size = centroids.count * dimensions
        let unit = sums.unit
        let totals = backend.pointer(sums.totals)
        let values = backend.pointer(centroids.values)
        let shifts = backend.pointer(shifts)
        let pieces = CPUBackend.pieces
        backend.parallel(pieces) { piece in
            for cluster in centroids.count * piece / pieces..<centroids.count * (piece + 1) / pieces {
                let count = Float(totals[size + cluster])
                var shift: Float = 0
                if count > 0 {
                    for element in cluster * dimensions..<(cluster + 1) * dimensions {
                        let old = values[element]
                        let new = Float(totals[element]) * unit / count
                        values[element] = new
                        shift += (new - old) * (new - old)
                    }
                }
                shifts[cluster] = shift
            }
        }
    }
}
