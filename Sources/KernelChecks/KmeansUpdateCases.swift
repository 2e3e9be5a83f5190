import Compute

/// Centroids move to the mean of their points.
package enum KmeansUpdateCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        var cases: [any KernelCase] = []
        for clusters in [1, 7, 16, 61, 64, 65, 300] {
            for dimensions in [1, 61] {
                cases.append(KmeansUpdateCase(clusters: clusters, dimensions: dimensions, isTiny: false, seed: seed))
            }
        }
        cases.append(KmeansUpdateCase(clusters: 17, dimensions: 61, isTiny: true, seed: seed))
        return cases
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].map { KmeansUpdateCase(clusters: 50, dimensions: $0, isTiny: false, seed: seed) }
    }
}

private struct KmeansUpdateCase: KernelCase {
    let clusters: Int
    let dimensions: Int
    /// True for values of about 2^-80 in units of 2^-126.
    let isTiny: Bool
    let seed: UInt64
    var kernel: String { KmeansUpdate.kernel }
    var name: String { "\(clusters) x \(dimensions)\(isTiny ? ", tiny values" : ""), seed \(seed)" }
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
        // Values up to 1 of up to 900 points, in the finest unit that 64 bits allow, or in the finest that float32 has.
        let exponent = isTiny ? 126 : 52
        let scale = Float(sign: .plus, exponent: isTiny ? -80 : 0, significand: 1)
        let unit = Double(sign: .plus, exponent: -exponent, significand: 1)
        let units = zip(inputs.floats(size), 0..<size).map { value, element in
            // More bits than a float has.
            Int64(Double(value * scale) * Double(counts[element / dimensions]) / unit) + Int64(element % 77)
        }
        let old = values.map { $0 * scale }

        func update(_ backend: any Backend) throws -> (values: GuardedContents<Float>, shifts: GuardedContents<Float>) {
            let centroids = try CaseCentroids(
                old, count: clusters, dimensions: dimensions, packed: false, on: backend)
            let memory = try CaseSums(
                count: clusters, dimensions: dimensions, blocks: 1, blockPoints: 1, exponent: exponent, on: backend)
            try backend.write(units + counts.map { Int64($0) }, to: memory.sums.totals)
            let shifts = try GuardedBuffer<Float>(on: backend, count: clusters, label: "shifts")
            try backend.run(KmeansUpdate(centroids.centroids, from: memory.sums, shifts: shifts.buffer))
            return (try centroids.values.contents(), try shifts.contents())
        }
        let actual = try update(backend)
        let means = (0..<size).map { element -> Bounded in
            let cluster = element / dimensions
            if counts[cluster] == 0 { return Bounded(old[element]) }
            // One rounding to float32, like that of an addition; the scaling is exact.
            return (Bounded(Double(units[element]) * unit) + Bounded(0.0)) / Bounded(Double(counts[cluster]))
        }
        judge.check("centroids", actual.values, equals: means)
        // From the centroids as they are: a difference, a square and an addition a dimension.
        let shifts = (0..<clusters).map { cluster -> Bounded in
            let range = cluster * dimensions..<(cluster + 1) * dimensions
            let squares = range.map { element -> Bounded in
                let moved = Bounded(actual.values.values[element]) - Bounded(old[element])
                return moved * moved
            }
            return Bounded.sum(squares, additions: dimensions)
        }
        judge.check("shifts", actual.shifts, equals: shifts)
        for cluster in 0..<clusters where counts[cluster] == 0 {
            let range = cluster * dimensions..<(cluster + 1) * dimensions
            if actual.values.values[range] != old[range] || actual.shifts.values[cluster] != 0 {
                judge.complain("cluster \(cluster) has no points and moved")
            }
        }
        return judge.result
    }
}
