import Compute

/// Sums and counts of blocks of points: the first half of accumulating, mostly in one round, so that its partial sums
/// stand.
package enum KmeansAccumulateCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        AccumulateCase.all(KmeansAccumulate.kernel, seed: seed) { count in
            let single = [1, 7, 16, 61, 256].map { (blocks: (count + $0 - 1) / $0, blockPoints: $0) }
            return single.filter { $0.blocks <= 60 } + (count > 34 ? [(blocks: 2, blockPoints: 17)] : [])
        }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [50, 784].map {
            AccumulateCase(
                kernel: KmeansAccumulate.kernel, count: 1024, dimensions: $0, clusters: 50, blocks: (4, 256),
                isCompensated: false, seed: seed)
        }
    }
}

/// One accumulation, for the cases of its two kernels.
struct AccumulateCase: KernelCase {
    let kernel: String
    let count: Int
    let dimensions: Int
    let clusters: Int
    let blocks: (blocks: Int, blockPoints: Int)
    /// Whether the sums of a block have corrections.
    let isCompensated: Bool
    let seed: UInt64
    var variety: String { isCompensated ? "\(kernel), compensated" : kernel }
    var name: String {
        "\(count) x \(dimensions), k \(clusters), \(blocks.blocks) blocks of \(blocks.blockPoints)"
            + "\(isCompensated ? ", compensated" : ""), seed \(seed)"
    }

    static func all(_ kernel: String, seed: UInt64, blocks: (Int) -> [(blocks: Int, blockPoints: Int)])
        -> [any KernelCase]
    {
        var cases: [any KernelCase] = []
        for (index, matrix) in AwkwardMatrix.all.enumerated() {
            let clusters = [1, 7, 61, 16, 300][index % 5]
            for (place, blocks) in blocks(matrix.0).enumerated() {
                for isCompensated in (index + place) % 2 == 0 ? [false, true] : [false] {
                    cases.append(
                        AccumulateCase(
                            kernel: kernel, count: matrix.0, dimensions: matrix.1, clusters: clusters, blocks: blocks,
                            isCompensated: isCompensated, seed: seed))
                }
            }
        }
        return cases
    }
    var form: String { "\(dimensions) dimensions\(isCompensated ? ", compensated" : "")" }
    var cost: Int { (count + blocks.blocks * clusters) * dimensions }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let points = inputs.floats(count * dimensions)
        // Some clusters have no points.
        let labels = inputs.integers(count, in: 0..<clusters).map { $0 % 5 == 3 ? 0 : $0 }
        func accumulate(_ backend: any Backend, pieces: [Range<Int>]) throws -> CaseSums {
            let sums = try CaseSums(
                count: clusters, dimensions: dimensions, blocks: blocks.blocks, blockPoints: blocks.blockPoints,
                isCompensated: isCompensated, on: backend)
            for piece in pieces {
                try backend.accumulate(
                    try CasePoints(
                        Array(points[piece.lowerBound * dimensions..<piece.upperBound * dimensions]),
                        count: piece.count, dimensions: dimensions, on: backend
                    ).points,
                    labels: try backend.makeBuffer(Array(labels[piece]), guarded: 0, 300, label: "labels"),
                    into: sums.sums, adding: piece.lowerBound > 0)
            }
            return sums
        }
        let actual = try accumulate(backend, pieces: [0..<count])
        let expected = try accumulate(reference, pieces: [0..<count])
        // Points of a block and blocks are added one after the other, so that there is one right sum.
        judge.check(
            "partial sums", try actual.partials.contents(), equals: try expected.partials.contents().values,
            within: .exact)
        judge.check(
            "partial counts", try actual.partialCounts.contents(), equals: try expected.partialCounts.contents().values)
        let totals = try actual.totals.contents()
        judge.check("sums and corrections", totals, equals: try expected.totals.contents().values, within: .exact)
        let counts = try actual.counts.contents()
        judge.check("counts", counts, equals: try expected.counts.contents().values)
        checkTruth(&judge, points, labels, totals.values, counts.values)
        guard count > blocks.blockPoints else { return judge.result }
        let border = (count - 1) / blocks.blockPoints / 2 * blocks.blockPoints + blocks.blockPoints
        let added = try accumulate(backend, pieces: [0..<border, border..<count])
        judge.check("sums of pieces", try added.totals.contents(), equals: totals.values, within: .exact)
        judge.check("counts of pieces", try added.counts.contents(), equals: counts.values)
        return judge.result
    }

    /// Against sums in double precision: a block's own additions are all that may be missing; where they are compensated,
    /// what the additions of the corrections lose (Higham 2002, section 4.3).
    private func checkTruth(
        _ judge: inout CaseJudge, _ points: [Float], _ labels: [Int32], _ totals: [Float], _ counts: [Int32]
    ) {
        let size = clusters * dimensions
        var sums = [Bounded](repeating: Bounded(0.0), count: size)
        var expectedCounts = [Int32](repeating: 0, count: clusters)
        for (point, label) in labels.enumerated() {
            expectedCounts[Int(label)] += 1
            for dimension in 0..<dimensions {
                let (element, value) = (Int(label) * dimensions + dimension, points[point * dimensions + dimension])
                sums[element].value += Double(value)
                // The additions of a block, and that of sum and correction.
                let roundings = Rounding.gamma(isCompensated ? count : blocks.blockPoints + 1)
                sums[element].error +=
                    roundings * (isCompensated ? 2 * roundings : 1) * Double(value.magnitude)
            }
        }
        if isCompensated {
            for element in sums.indices { sums[element].error += Rounding.gamma(2) * sums[element].value.magnitude }
        }
        judge.check("sums", (0..<size).map { totals[$0] + totals[size + $0] }, equals: sums)
        if counts != expectedCounts { judge.complain("counts are not those of the labels") }
    }
}
