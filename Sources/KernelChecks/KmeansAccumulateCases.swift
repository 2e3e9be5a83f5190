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
                exponent: 52, isCompensated: false, seed: seed)
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
    /// Sums are in units of 2^-exponent.
    let exponent: Int
    /// Whether the sums of a block have corrections.
    let isCompensated: Bool
    let seed: UInt64
    var variety: String { isCompensated ? "\(kernel), compensated" : kernel }
    var name: String {
        "\(count) x \(dimensions), k \(clusters), \(blocks.blocks) blocks of \(blocks.blockPoints), "
            + "units of 2^\(-exponent)\(isCompensated ? ", compensated" : ""), seed \(seed)"
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
                            // Units that hold all bits of most sums, and units larger than many sums.
                            exponent: place % 2 == 0 ? 53 : 3, isCompensated: isCompensated, seed: seed))
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
                exponent: exponent, isCompensated: isCompensated, on: backend)
            for (place, piece) in pieces.enumerated() {
                try backend.accumulate(
                    try CasePoints(
                        Array(points[piece.lowerBound * dimensions..<piece.upperBound * dimensions]),
                        count: piece.count, dimensions: dimensions, on: backend
                    ).points,
                    labels: try backend.makeBuffer(Array(labels[piece]), guarded: 0, 300, label: "labels"),
                    into: sums.sums, adding: place > 0)
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
        judge.check("sums and counts", totals, equals: try expected.totals.contents().values)
        checkTruth(&judge, points, labels, totals.values)
        guard count > blocks.blockPoints else { return judge.result }
        let border = (count - 1) / blocks.blockPoints / 2 * blocks.blockPoints + blocks.blockPoints
        for pieces in [[0..<border, border..<count], [border..<count, 0..<border]] {
            let added = try accumulate(backend, pieces: pieces)
            judge.check("sums of the pieces \(pieces)", try added.totals.contents(), equals: totals.values)
        }
        return judge.result
    }

    /// The bound against sums in double precision: the rounding of a block's own additions, or if they are compensated that of
    /// adding the corrections (Higham 2002, section 4.3), and half a unit per rounding of a block.
    private func checkTruth(_ judge: inout CaseJudge, _ points: [Float], _ labels: [Int32], _ totals: [Int64]) {
        let size = clusters * dimensions
        let unit = Double(sign: .plus, exponent: -exponent, significand: 1)
        var sums = [Bounded](repeating: Bounded(0.0), count: size)
        var expectedCounts = [Int64](repeating: 0, count: clusters)
        for (point, label) in labels.enumerated() {
            expectedCounts[Int(label)] += 1
            for dimension in 0..<dimensions {
                let (element, value) = (Int(label) * dimensions + dimension, points[point * dimensions + dimension])
                sums[element].value += Double(value)
                // The additions of a block, and the rounding to float32 here.
                let roundings = Rounding.gamma(isCompensated ? count : blocks.blockPoints + 1)
                sums[element].error +=
                    roundings * (isCompensated ? 2 * roundings : 1) * Double(value.magnitude)
            }
        }
        let conversions = (count + blocks.blockPoints - 1) / blocks.blockPoints * (isCompensated ? 2 : 1)
        for element in sums.indices {
            let rounded = Double(conversions) * unit / 2
            sums[element].error += rounded + Rounding.gamma(2) * (sums[element].value.magnitude + rounded)
        }
        judge.check("sums", totals[..<size].map { Float(Double($0) * unit) }, equals: sums)
        if Array(totals[size...]) != expectedCounts { judge.complain("counts are not those of the labels") }
    }
}
