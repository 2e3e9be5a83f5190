import Compute

/// Blocks added up in pairs of (sum, correction), in several rounds, the last one short.
package enum KmeansReduceCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        AccumulateCase.all(KmeansReduce.kernel, seed: seed) { count in
            [(1, 7), (2, 16), (3, 31), (5, 256)].filter { $0.0 == 1 || $0.0 * $0.1 < count }
                .map { (blocks: $0.0, blockPoints: $0.1) }
        } + [LongSumCase(isCompensated: false, seed: seed), LongSumCase(isCompensated: true, seed: seed)]
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        []
    }
}

/// Sums that float32 alone would lose: ones after a number that swallows them. Every block has one point, or one block
/// has all of them where its sums are compensated.
private struct LongSumCase: KernelCase {
    let isCompensated: Bool
    let seed: UInt64
    var kernel: String { KmeansReduce.kernel }
    var variety: String { isCompensated ? "\(kernel), compensated" : kernel }
    var name: String { "ones behind 2^25\(isCompensated ? ", compensated" : ""), seed \(seed)" }
    var form: String { "1 dimensions\(isCompensated ? ", compensated" : "")" }
    var cost: Int { 501 }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let points = [0x1p25] + [Float](repeating: 1, count: 500)
        let sums = try CaseSums(
            count: 1, dimensions: 1, blocks: isCompensated ? 1 : 60, blockPoints: isCompensated ? 600 : 1,
            isCompensated: isCompensated, on: backend)
        try backend.accumulate(
            try CasePoints(points, count: points.count, dimensions: 1, on: backend).points,
            labels: try backend.makeBuffer([Int32](repeating: 0, count: points.count), label: "labels"),
            into: sums.sums, adding: false)
        // Each one is half an epsilon or less of the sum, and goes into the correction.
        judge.check("sum and correction", try sums.totals.contents(), equals: [0x1p25, 500], within: .exact)
        judge.check("counts", try sums.counts.contents(), equals: [501])
        return judge.result
    }
}
