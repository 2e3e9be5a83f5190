extension KmeansAccumulateUpdate {
    package func compute(on backend: CPUBackend) {
        accumulate(on: backend)
        moveToRunningMeans(on: backend)
        KmeansPanels(centroids).compute(on: backend)
    }

    /// Sums and counts of the batch, its points added one after the other.
    private func accumulate(on backend: CPUBackend) {
        let dimensions = centroids.dimensions
        let size = sums.count * dimensions
        let totals = backend.pointer(sums.totals)
        let counts = backend.pointer(sums.counts)
        let label = backend.pointer(labels)
        let rows = backend.pointer(batch.rows)
        let index = backend.pointer(batch.indices) + batch.first
        totals.update(repeating: 0, count: 2 * size)
        counts.update(repeating: 0, count: sums.count)
        for point in 0..<count {
            let cluster = Int(label[point])
            let x = rows + Int(index[point]) * dimensions
            let sum = totals + cluster * dimensions
            for dimension in 0..<dimensions {
                addTwo(x[dimension], to: &sum[dimension], correction: &sum[size + dimension])
            }
            counts[cluster] += 1
        }
    }

    /// Moves centroids to the running means, where the old centroid counts as many points as its weight, which then grows by
    /// the cluster's points.
    private func moveToRunningMeans(on backend: CPUBackend) {
        let centroids = centroids
        let dimensions = centroids.dimensions
        let size = centroids.count * dimensions
        let totals = backend.pointer(sums.totals)
        let counts = backend.pointer(sums.counts)
        let values = backend.pointer(centroids.values)
        let weights = backend.pointer(weights)
        let pieces = CPUBackend.pieces
        backend.parallel(pieces) { piece in
            for cluster in centroids.count * piece / pieces..<centroids.count * (piece + 1) / pieces {
                let count = Float(counts[cluster])
                guard count > 0 else { continue }
                let before = weights[cluster]
                for element in cluster * dimensions..<(cluster + 1) * dimensions {
                    let sum = totals[element] + totals[size + element]
                    values[element] = (values[element] * before + sum) / (before + count)
                }
                weights[cluster] = before + count
            }
        }
    }
}
