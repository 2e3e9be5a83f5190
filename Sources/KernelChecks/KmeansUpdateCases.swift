import Compute

/// Centroids move to the mean of their points.
package enum KmeansUpdateCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        [1, 7, 16, 61, 64, 65, 300].flatMap { clusters in
            [1, 61].map { KmeansUpdateCase(clusters: clusters, dimensions: $0, seed: seed) }
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].map { KmeansUpdateCase(clusters: 50, dimensions: $0, seed: seed) }
    }
}

private struct KmeansUpdateCase: KernelCase {
    let clusters: Int
    let dimensions: Int
    let seed: UInt64
    var kernel: String { KmeansUpdate.kernel }
    var name: String { "\(clusters) x \(dimensions), seed \(seed)" }
    var form: String { "\(dimensions) dimensions" }
    var cost: Int { clusters * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let size = clusters * dimensions
        let values = inputs.floats(size)
        // The last cluster and some others have no points.
        let counts = (0..<clusters).map { cluster -> Int32 in
            if cluster % 4 == 3 { return 0 }
            return Int32(1 + (cluster * 37) % 900)
        }
        let perElement = (0..<size).map { Float(counts[$0 / dimensions]) }
        let sums: [Float] = zip(inputs.floats(size), perElement).map { $0 * $1 }
        // A correction is small as a rule; here it counts.
        let corrections: [Float] = zip(inputs.floats(size, in: -0.1...0.1), perElement).map { $0 * $1 }

        func update(_ backend: any Backend) throws -> (values: GuardedContents<Float>, shifts: GuardedContents<Float>) {
            let centroids = try CaseCentroids(
                values, count: clusters, dimensions: dimensions, packed: false, on: backend)
            let memory = try CaseSums(
                count: clusters, dimensions: dimensions, blocks: 1, blockPoints: 1, on: backend)
            try backend.write(sums + corrections, to: memory.sums.totals)
            try backend.write(counts, to: memory.sums.counts)
            let shifts = try GuardedBuffer<Float>(on: backend, count: clusters, label: "shifts")
            try backend.run(KmeansUpdate(centroids.centroids, from: memory.sums, shifts: shifts.buffer))
            return (try centroids.values.contents(), try shifts.contents())
        }
        let actual = try update(backend)
        let means = (0..<size).map { element -> Bounded in
            let cluster = element / dimensions
            if counts[cluster] == 0 { return Bounded(values[element]) }
            return (Bounded(sums[element]) + Bounded(corrections[element])) / Bounded(Double(counts[cluster]))
        }
        judge.check("centroids", actual.values, equals: means)
        // From the centroids as they are: a difference, a square and an addition a dimension.
        let shifts = (0..<clusters).map { cluster -> Bounded in
            let range = cluster * dimensions..<(cluster + 1) * dimensions
            let squares = range.map { element -> Bounded in
                let moved = Bounded(actual.values.values[element]) - Bounded(values[element])
                return moved * moved
            }
            return Bounded.sum(squares, additions: dimensions)
        }
        judge.check("shifts", actual.shifts, equals: shifts)
        for cluster in 0..<clusters where counts[cluster] == 0 {
            let range = cluster * dimensions..<(cluster + 1) * dimensions
            if actual.values.values[range] != values[range] || actual.shifts.values[cluster] != 0 {
                judge.complain("cluster \(cluster) has no points and moved")
            }
        }
        return judge.result
    }
}
