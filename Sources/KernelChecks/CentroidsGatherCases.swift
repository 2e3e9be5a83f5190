import Compute

/// Some centroids become points; the others stay.
package enum CentroidsGatherCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        // (k, how many move): none, one, all, more than a work-group.
        let moves = [(1, 1), (7, 3), (61, 61), (65, 64), (100, 65), (16, 0)]
        return AwkwardMatrix.few.flatMap { matrix in
            moves.map {
                CentroidsGatherCase(
                    count: matrix.0, dimensions: matrix.1, clusters: $0.0, moved: $0.1, seed: seed)
            }
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].map { CentroidsGatherCase(count: 300, dimensions: $0, clusters: 50, moved: 50, seed: seed) }
    }
}

private struct CentroidsGatherCase: KernelCase {
    let count: Int
    let dimensions: Int
    let clusters: Int
    let moved: Int
    let seed: UInt64
    var kernel: String { CentroidsGather.kernel }
    var name: String { "\(moved) of \(clusters) centroids from \(count) x \(dimensions), seed \(seed)" }
    var form: String { "\(dimensions) dimensions" }
    var cost: Int { (count + clusters) * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let values = inputs.floats(count * dimensions)
        let before = inputs.floats(clusters * dimensions)
        let order = inputs.permutation(clusters)
        let slots = Array(order.prefix(moved))
        let unused = [Int32](repeating: order[clusters - 1], count: 70)
        // The last point is among them; what stands behind the slots' count, valid as it is, is not used.
        let indices = [Int32(count - 1)] + inputs.integers(moved + 70, in: 0..<count)
        func gather(_ backend: any Backend) throws -> GuardedContents<Float> {
            let centroids = try CaseCentroids(
                before, count: clusters, dimensions: dimensions, packed: false, on: backend)
            let all = try backend.makeBuffer(slots + unused, label: "slots")
            try backend.run(
                CentroidsGather(
                    try backend.makeBuffer(indices, label: "indices"),
                    of: try CasePoints(values, count: count, dimensions: dimensions, on: backend).points,
                    into: centroids.centroids,
                    slots: DeviceBuffer(count: moved, label: all.label, storage: all.storage)))
            return try centroids.values.contents()
        }
        var expected = before
        for (slot, index) in zip(slots, indices) {
            for dimension in 0..<dimensions {
                expected[Int(slot) * dimensions + dimension] = values[Int(index) * dimensions + dimension]
            }
        }
        judge.check("reference", try gather(reference), equals: expected, within: .exact)
        judge.check("centroids", try gather(backend), equals: expected, within: .exact)
        return judge.result
    }
}
