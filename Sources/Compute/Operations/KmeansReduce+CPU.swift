extension KmeansReduce {
    package func compute(on backend: CPUBackend) {
        let (sums, blocks) = (sums, blocks)
        let size = sums.count * sums.dimensions
        let totals = backend.pointer(sums.totals)
        let partials = backend.pointer(sums.partials)
        let partialCounts = backend.pointer(sums.partialCounts)
        let unitsPerOne = Double(sums.unitsPerOne)
        if !adding { totals.update(repeating: 0, count: sums.totalElements) }
        // Each piece owns some sums and some counts.
        let pieces = CPUBackend.pieces
        backend.parallel(pieces) { piece in
            let elements = size * piece / pieces..<size * (piece + 1) / pieces
            let clusters = sums.count * piece / pieces..<sums.count * (piece + 1) / pieces
            for block in 0..<blocks {
                let partial = partials + block * sums.partialElements
                for element in elements {
                    totals[element] &+= wholeUnits(partial[element], unitsPerOne: unitsPerOne)
                }
                if sums.isCompensated {
                    for element in elements {
                        totals[element] &+= wholeUnits(partial[size + element], unitsPerOne: unitsPerOne)
                    }
                }
                let counts = partialCounts + block * sums.count
                for cluster in clusters { totals[size + cluster] &+= Int64(counts[cluster]) }
            }
        }
    }
}
