extension KmeansAccumulateUpdate {
    package func compute(on backend: CPUBackend) {
        accumulate(on: backend)
        backend.moveToMeans(centroids, sums, weights: backend.pointer(weights), shifts: nil)
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
}
