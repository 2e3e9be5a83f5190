import Compute

/// Rows into tiles of points, whole and piece by piece.
package enum PointsPackCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        [true, false].flatMap { bytes in
            AwkwardMatrix.all.map {
                PointsPackCase(count: $0.0, dimensions: $0.1, bytes: bytes, first: 0, behind: 0, seed: seed)
            } + [
                PointsPackCase(count: 61, dimensions: 7, bytes: bytes, first: 64, behind: 0, seed: seed),
                PointsPackCase(count: 64, dimensions: 7, bytes: bytes, first: 128, behind: 70, seed: seed),
            ]
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [PointsPackCase(count: 300, dimensions: 784, bytes: true, first: 0, behind: 0, seed: seed)]
    }
}

private struct PointsPackCase: KernelCase {
    let count: Int
    let dimensions: Int
    let bytes: Bool
    /// Points before and behind those that are written: they stay.
    let first: Int
    let behind: Int
    let seed: UInt64
    var kernel: String { PointsPack.kernel }
    var name: String {
        "\(count) x \(dimensions) \(bytes ? "bytes" : "floats") at \(first), \(behind) behind, seed \(seed)"
    }
    var form: String { "\(dimensions) dimensions, \(bytes)" }
    var cost: Int { (first + count + behind) * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let rows = CaseRows(&inputs, bytes: bytes, count: count, dimensions: dimensions)
        let total = first + count + behind
        let before = [Float](repeating: -7, count: total * dimensions)
        func pack(_ backend: any Backend) throws -> (points: GuardedContents<Float>, layout: TileLayout) {
            let points =
                total == count
                ? try CasePoints(output: total, dimensions: dimensions, on: backend)
                : try CasePoints(before, count: total, dimensions: dimensions, on: backend)
            try backend.run(PointsPack(try rows.rows(on: backend), into: points.points, at: first))
            return try points.contents()
        }
        let actual = try pack(backend)
        judge.check("points", actual, equals: try pack(reference), within: .exact)
        // A copy needs no second opinion.
        let values = bytes ? rows.byteValues.map { Float($0) } : rows.floatValues
        let expected = before[..<(first * dimensions)] + values + before[((first + count) * dimensions)...]
        judge.check(
            "points", actual.layout.unpack(actual.points.values), equals: Array(expected), within: .exact)
        return judge.result
    }
}
