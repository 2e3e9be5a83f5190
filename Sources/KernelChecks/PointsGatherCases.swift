import Compute

/// Points brought together by their indices.
package enum PointsGatherCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        AwkwardMatrix.all.flatMap { matrix in
            [1, 17, 33, 64].map {
                PointsGatherCase(count: matrix.0, dimensions: matrix.1, batch: $0, seed: seed)
            }
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].map { PointsGatherCase(count: 1100, dimensions: $0, batch: 1024, seed: seed) }
    }
}

private struct PointsGatherCase: KernelCase {
    let count: Int
    let dimensions: Int
    let batch: Int
    let seed: UInt64
    var kernel: String { PointsGather.kernel }
    var name: String { "\(batch) of \(count) x \(dimensions), seed \(seed)" }
    var form: String { "\(dimensions) dimensions" }
    var cost: Int { (count + batch) * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        var values = inputs.floats(count * dimensions)
        values[0] = .nan
        // Indices repeat, and the last point is among them.
        var indices = inputs.integers(batch, in: 0..<count)
        indices[batch - 1] = Int32(count - 1)
        func gather(_ backend: any Backend) throws -> (points: GuardedContents<Float>, layout: TileLayout) {
            let output = try CasePoints(output: batch, dimensions: dimensions, on: backend)
            try backend.run(
                PointsGather(
                    try backend.makeBuffer(indices, label: "indices"),
                    of: try CasePoints(values, count: count, dimensions: dimensions, on: backend).points,
                    into: output.points))
            return try output.contents()
        }
        let actual = try gather(backend)
        judge.check("batch", actual, equals: try gather(reference), within: .exact)
        let expected = indices.flatMap { values[Int($0) * dimensions..<(Int($0) + 1) * dimensions] }
        judge.check("batch", actual.layout.unpack(actual.points.values), equals: expected, within: .exact)
        return judge.result
    }
}
