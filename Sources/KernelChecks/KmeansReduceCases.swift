import Compute

/// Rounds blocks to units and adds them up in several rounds, of which the last one is short.
package enum KmeansReduceCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        var cases = AccumulateCase.all(KmeansReduce.kernel, seed: seed) { count in
            [(1, 7), (2, 16), (3, 31), (5, 256)].filter { $0.0 == 1 || $0.0 * $0.1 < count }
                .map { (blocks: $0.0, blockPoints: $0.1) }
        }
        for isCompensated in [false, true] {
            cases.append(LongSumCase(isCompensated: isCompensated, seed: seed))
            for (index, exponent) in [-66, -31, 0, 29, 33, 53, 112, 126].enumerated() {
                cases.append(
                    UnitsCase(
                        clusters: [1, 7, 33, 65][index % 4], dimensions: [1, 7, 61][index % 3], blocks: 1 + index % 5,
                        exponent: exponent, isCompensated: isCompensated, isAdding: index % 2 == 1, seed: seed))
            }
        }
        return cases
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
    var name: String { "ones after 2^25\(isCompensated ? ", compensated" : ""), seed \(seed)" }
    var form: String { "1 dimensions\(isCompensated ? ", compensated" : "")" }
    var cost: Int { 501 }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        let points = [0x1p25] + [Float](repeating: 1, count: 500)
        let sums = try CaseSums(
            count: 1, dimensions: 1, blocks: isCompensated ? 1 : 60, blockPoints: isCompensated ? 600 : 1, exponent: 20,
            isCompensated: isCompensated, on: backend)
        try backend.accumulate(
            try CasePoints(points, count: points.count, dimensions: 1, on: backend).points,
            labels: try backend.makeBuffer([Int32](repeating: 0, count: points.count), label: "labels"),
            into: sums.sums, adding: false)
        judge.check("sum and count", try sums.totals.contents(), equals: [(1 << 25 + 500) << 20, 501])
        return judge.result
    }
}

/// Given sums of blocks: whole units, halves between two of them, fractions, less than a unit, and numbers near the largest
/// that fit in 64 bits.
private struct UnitsCase: KernelCase {
    let clusters: Int
    let dimensions: Int
    let blocks: Int
    let exponent: Int
    let isCompensated: Bool
    let isAdding: Bool
    let seed: UInt64
    var kernel: String { KmeansReduce.kernel }
    var variety: String { isCompensated ? "\(kernel), compensated" : kernel }
    var name: String {
        "\(blocks) blocks of \(clusters) x \(dimensions), units of 2^\(-exponent)\(isAdding ? ", adding" : "")"
            + "\(isCompensated ? ", compensated" : ""), seed \(seed)"
    }
    var form: String { "\(dimensions) dimensions\(isCompensated ? ", compensated" : "")" }
    var cost: Int { blocks * clusters * dimensions }

    /// Numbers of units, each of which float32 holds.
    private func units(_ count: Int, _ inputs: inout CaseInputs) -> [Double] {
        let kinds = inputs.integers(count, in: 0..<8)
        let fractions = inputs.floats(count)
        return zip(kinds, fractions).map { kind, fraction -> Double in
            let fraction = Double(fraction)
            switch kind {
            // Halves whose lower neighbour is even or odd.
            case 0: return (fraction * 1000).rounded() + 0.5
            case 1: return (fraction * 1000).rounded()
            case 2: return fraction
            case 3: return fraction * 0x1p-20
            case 4: return fraction * 0x1p23
            case 5: return fraction * 0x1p40
            // Five blocks, their corrections and the earlier totals stay below 2^63.
            case 6: return fraction * 0x1p59
            default: return 0
            }
        }
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let size = clusters * dimensions
        let unit = Double(sign: .plus, exponent: -exponent, significand: 1)
        let partials = units(blocks * size * (isCompensated ? 2 : 1), &inputs).map { units -> Float in
            let value = Float(units * unit)
            // A device may take a denormal number for zero, which changes the number of units only if these are the finest.
            return value.isSubnormal ? 0 : value
        }
        let counts = inputs.integers(blocks * clusters, in: 0..<2049)
        let before = (0..<size + clusters).map { Int64($0) * 977 - 4000 }
        var expected = isAdding ? before : [Int64](repeating: 0, count: size + clusters)
        for block in 0..<blocks {
            for half in 0..<(isCompensated ? 2 : 1) {
                for element in 0..<size {
                    let partial = partials[(block * (isCompensated ? 2 : 1) + half) * size + element]
                    expected[element] += Int64((Double(partial) / unit).rounded(.toNearestOrEven))
                }
            }
            for cluster in 0..<clusters { expected[size + cluster] += Int64(counts[block * clusters + cluster]) }
        }
        for backend in [backend, reference] as [any Backend] {
            let sums = try CaseSums(
                count: clusters, dimensions: dimensions, blocks: blocks, blockPoints: 256, exponent: exponent,
                isCompensated: isCompensated, on: backend)
            try backend.write(partials, to: sums.sums.partials)
            try backend.write(counts, to: sums.sums.partialCounts)
            if isAdding { try backend.write(before, to: sums.sums.totals) }
            try backend.run(KmeansReduce(sums.sums, blocks: blocks, adding: isAdding))
            judge.check("sums and counts", try sums.totals.contents(), equals: expected)
        }
        return judge.result
    }
}
