extension KmeansReduce {
    package func compute(on backend: CPUBackend) {
        let (sums, blocks) = (sums, blocks)
        let size = sums.count * sums.dimensions
        let totals = backend.pointer(sums.totals)
        let counts = backend.pointer(sums.counts)
        let partials = backend.pointer(sums.partials)
        let partialCounts = backend.pointer(sums.partialCounts)
        if !adding {
            totals.update(repeating: 0, count: 2 * size)
            counts.update(repeating: 0, count: sums.count)
        }
        // Each piece owns some sums and some counts.
        let pieces = CPUBackend.pieces
        backend.parallel(pieces) { piece in
            for element in size * piece / pieces..<size * (piece + 1) / pieces {
                for block in 0..<blocks {
                    let partial = partials + block * sums.partialElements
                    addTwo(partial[element], to: &totals[element], correction: &totals[size + element])
                    if sums.isCompensated { totals[size + element] += partial[size + element] }
                }
            }
            for cluster in sums.count * piece / pieces..<sums.count * (piece + 1) / pieces {
                for block in 0..<blocks { counts[cluster] += partialCounts[block * sums.count + cluster] }
            }
        }
    }
}
