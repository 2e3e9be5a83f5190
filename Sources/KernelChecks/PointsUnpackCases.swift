import Compute

/// Tiles of points into rows.
package enum PointsUnpackCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        AwkwardMatrix.all.map { PointsUnpackCase(count: $0.0, dimensions: $0.1, seed: seed) }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].map { PointsUnpackCase(count: 300, dimensions: $0, seed: seed) }
    }
}

private struct PointsUnpackCase: KernelCase {
    let count: Int
    let dimensions: Int
    let seed: UInt64
    var kernel: String { PointsUnpack.kernel }
    var name: String { "\(count) x \(dimensions), seed \(seed)" }
    var form: String { "\(dimensions) dimensions" }
    var cost: Int { count * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        var values = inputs.floats(count * dimensions)
        values[0] = .nan
        func unpack(_ backend: any Backend) throws -> GuardedContents<Float> {
            let rows = try GuardedBuffer<Float>(on: backend, count: count * dimensions, label: "rows")
            try backend.run(
                PointsUnpack(
                    try CasePoints(values, count: count, dimensions: dimensions, on: backend).points,
                    into: rows.buffer))
            return try rows.contents()
        }
        let actual = try unpack(backend)
        judge.check("rows", actual, equals: try unpack(reference).values, within: .exact)
        judge.check("rows", actual, equals: values, within: .exact)
        return judge.result
    }
}
