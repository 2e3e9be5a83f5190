import Compute

/// A step of mini-batch k-means after its assignment: sums, counts, centroids, weights and panels at once.
package enum KmeansAccumulateUpdateCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        let clusters = [1, 7, 9, 10, 11, 16, 17, 61, 161, 300, 331]
        return AwkwardMatrix.all.enumerated().flatMap { index, matrix in
            [clusters[index % clusters.count], clusters[(index + 4) % clusters.count]].map {
                KmeansAccumulateUpdateCase(count: matrix.0, dimensions: matrix.1, clusters: $0, seed: seed)
            }
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].map { KmeansAccumulateUpdateCase(count: 1024, dimensions: $0, clusters: 50, seed: seed) }
    }
}

private struct KmeansAccumulateUpdateCase: KernelCase {
    let count: Int
    let dimensions: Int
    let clusters: Int
    let seed: UInt64
    var kernel: String { KmeansAccumulateUpdate.kernel }
    var name: String { "\(count) x \(dimensions), k \(clusters), seed \(seed)" }
    var form: String { "\(dimensions) dimensions" }
    var cost: Int { (count + 3 * clusters) * dimensions }

    /// Everything that the operation writes.
    private struct Outcome {
        let totals: GuardedContents<Float>
        let counts: GuardedContents<Int32>
        let values: GuardedContents<Float>
        let weights: GuardedContents<Float>
        let panels: GuardedContents<Float>
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        // The batch is the second of two, of rows that come twice as a rule.
        let rows = inputs.floats((count + 1) / 2 * dimensions)
        let indices = inputs.integers(2 * count, in: 0..<(count + 1) / 2)
        let points = indices[count..<2 * count].flatMap {
            rows[Int($0) * dimensions..<(Int($0) + 1) * dimensions]
        }
        // Some clusters have no points.
        let labels = inputs.integers(count, in: 0..<clusters).map { $0 % 5 == 3 ? 0 : $0 }
        let before = inputs.floats(clusters * dimensions)
        let weights = (0..<clusters).map { Float($0 % 3 == 0 ? 0 : ($0 * 53) % 2000) }

        func step(_ backend: any Backend) throws -> Outcome {
            // The panels are poisoned, but for where no centroid is: that stays as packing left it.
            let centroids = try CaseCentroids(before, count: clusters, dimensions: dimensions, on: backend)
            var panels = try centroids.panels.contents().values
            let width = backend.layout.panelWidth
            for slot in 0..<clusters {
                let start = slot / width * (1 + dimensions) * width + slot % width
                for row in 0...dimensions { panels[start + row * width] = .poison }
            }
            try backend.write(panels, to: centroids.panels.buffer)
            let memory = try CaseBatchSums(count: clusters, dimensions: dimensions, on: backend)
            let weight = try GuardedBuffer(on: backend, weights, label: "weights")
            let batch = SampledRows(
                try backend.makeBuffer(rows, label: "rows"), at: try backend.makeBuffer(indices, label: "batches"),
                from: count)
            try backend.run(
                KmeansAccumulateUpdate(
                    centroids.centroids, from: batch,
                    labels: try backend.makeBuffer(labels, guarded: 0, 300, label: "labels"), count: count,
                    sums: memory.sums, weights: weight.buffer))
            return Outcome(
                totals: try memory.totals.contents(), counts: try memory.counts.contents(),
                values: try centroids.values.contents(), weights: try weight.contents(),
                panels: try centroids.panels.contents())
        }
        let actual = try step(backend)
        let expected = try step(reference)
        // Points are added one after the other, so that there is one right sum.
        judge.check("sums and corrections", actual.totals, equals: expected.totals.values, within: .exact)
        judge.check("counts", actual.counts, equals: expected.counts.values)
        judge.check("weights", actual.weights, equals: expected.weights.values, within: .exact)
        let (sums, corrections) = (actual.totals.values, actual.totals.values.dropFirst(clusters * dimensions))
        let means = (0..<clusters * dimensions).map { element -> Bounded in
            let cluster = element / dimensions
            let count = actual.counts.values[cluster]
            if count == 0 { return Bounded(before[element]) }
            let weight = Bounded(weights[cluster])
            let sum = Bounded(sums[element]) + Bounded(corrections[corrections.startIndex + element])
            return (Bounded(before[element]) * weight + sum) / (weight + Bounded(Double(count)))
        }
        judge.check("centroids", actual.values, equals: means)
        // What packing makes of these centroids, bit for bit: the next assignment must not tell the two apart.
        let packed = try CaseCentroids(
            actual.values.values, count: clusters, dimensions: dimensions, on: backend)
        judge.check("panels", actual.panels, equals: try packed.panels.contents().values, within: .exact)
        checkTruth(&judge, points, labels, before, weights, actual)
        return judge.result
    }

    /// Against counts and sums in double precision.
    private func checkTruth(
        _ judge: inout CaseJudge, _ points: [Float], _ labels: [Int32], _ before: [Float], _ weights: [Float],
        _ actual: Outcome
    ) {
        for cluster in 0..<clusters {
            let own = labels.indices.filter { labels[$0] == Int32(cluster) }
            if actual.counts.values[cluster] != own.count { judge.complain("counts[\(cluster)] is not \(own.count)") }
            if actual.weights.values[cluster] != weights[cluster] + Float(own.count) {
                judge.complain("weights[\(cluster)] is \(actual.weights.values[cluster])")
            }
            for dimension in 0..<dimensions {
                let old = before[cluster * dimensions + dimension]
                let found = actual.values.values[cluster * dimensions + dimension]
                if own.isEmpty, found != old { judge.complain("cluster \(cluster) has no points and moved") }
                // What float32 drops is kept: a sum and its correction are off by what the corrections' own sum drops.
                let terms = own.map { Double(points[$0 * dimensions + dimension]) }
                let element = cluster * dimensions + dimension
                let sum =
                    Double(actual.totals.values[element])
                    + Double(actual.totals.values[clusters * dimensions + element])
                let most = Rounding.gamma(own.count) * Rounding.gamma(own.count) * terms.reduce(0) { $0 + abs($1) }
                if abs(sum - terms.reduce(0, +)) > most + Rounding.least {
                    judge.complain("cluster \(cluster), dimension \(dimension) adds up to \(sum)")
                }
            }
        }
    }
}
