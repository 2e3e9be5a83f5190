extension KmeansAccumulate {
    package func compute(on backend: CPUBackend) {
        let (points, sums, first) = (points, sums, first)
        // Read once: otherwise the closure would retain their owner for every point.
        let (count, clusters, blockPoints) = (points.count, sums.count, sums.blockPoints)
        let (partialElements, isCompensated) = (sums.partialElements, sums.isCompensated)
        let (lanes, dimensions) = (Lanes.scalarCount, points.dimensions)
        let size = clusters * dimensions
        let source = backend.pointer(points.buffer)
        let label = backend.pointer(labels)
        let partials = backend.pointer(sums.partials)
        let partialCounts = backend.pointer(sums.partialCounts)
        backend.parallel(blocks) { block in
            let partial = partials + block * partialElements
            let partialCount = partialCounts + block * clusters
            partial.update(repeating: 0, count: partialElements)
            partialCount.update(repeating: 0, count: clusters)
            let start = first + block * blockPoints
            for point in start..<min(start + blockPoints, count) {
                let cluster = Int(label[point])
                let x = source + point / lanes * dimensions * lanes + point % lanes
                let row = partial + cluster * dimensions
                if isCompensated {
                    for dimension in 0..<dimensions {
                        addTwo(x[dimension * lanes], to: &row[dimension], correction: &row[size + dimension])
                    }
                } else {
                    for dimension in 0..<dimensions { row[dimension] += x[dimension * lanes] }
                }
                partialCount[cluster] += 1
            }
        }
    }
}
