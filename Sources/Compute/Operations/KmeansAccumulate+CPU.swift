extension KmeansAccumulate {
    package func compute(on backend: CPUBackend) {
        let (points, sums, first) = (points, sums, first)
        let (lanes, dimensions) = (Lanes.scalarCount, points.dimensions)
        let size = sums.count * dimensions
        let source = backend.pointer(points.buffer)
        let label = backend.pointer(labels)
        let partials = backend.pointer(sums.partials)
        let partialCounts = backend.pointer(sums.partialCounts)
        backend.parallel(blocks) { block in
            let partial = partials + block * sums.partialElements
            let partialCount = partialCounts + block * sums.count
            partial.update(repeating: 0, count: sums.partialElements)
            partialCount.update(repeating: 0, count: sums.count)
            let start = first + block * sums.blockPoints
            for point in start..<min(start + sums.blockPoints, points.count) {
                let cluster = Int(label[point])
                let x = source + point / lanes * dimensions * lanes + point % lanes
                let row = partial + cluster * dimensions
                if sums.isCompensated {
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
