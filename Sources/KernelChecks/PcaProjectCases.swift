import Compute

/// The projection W (x - mean), with more columns than fit into local memory at once and with panels that are not full.
package enum PcaProjectCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        // (columns, components): around the columns that a work-group holds (64, 256) and the widths of panels (3 to 16).
        let extents = [
            (1, 1), (7, 2), (16, 3), (61, 4), (63, 9), (64, 10), (65, 11), (127, 7), (255, 15), (256, 16), (257, 17),
            (300, 50),
        ]
        var cases: [any KernelCase] = []
        for (index, extent) in extents.enumerated() {
            for count in [AwkwardMatrix.all[index].0, 35] {
                for bytes in index == 11 ? [true, false] : [index % 2 == 0] {
                    cases.append(
                        PcaProjectCase(
                            count: count, columns: extent.0, components: extent.1, bytes: bytes,
                            seed: seed + UInt64(index)))
                }
            }
        }
        cases.append(
            PcaProjectCase(
                count: 61, columns: 65, components: 11, bytes: true, first: 64, behind: 0, seed: seed))
        cases.append(
            PcaProjectCase(
                count: 64, columns: 300, components: 7, bytes: false, first: 64, behind: 66, seed: seed))
        cases.append(
            PcaProjectCase(count: 37, columns: 300, components: 7, bytes: false, poisonsARow: true, seed: seed))
        return cases
            + [16, 32, 35, 64, 130].map {
                PcaProjectCase(count: $0, columns: 300, components: 7, bytes: true, isSparse: true, seed: seed)
            }
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [PcaProjectCase(count: 300, columns: 784, components: 50, bytes: true, seed: seed)]
    }
}

private struct PcaProjectCase: KernelCase {
    let count: Int
    let columns: Int
    let components: Int
    let bytes: Bool
    /// Mostly zeros: whole columns of a tile, and neighbours of them, as images have them.
    var isSparse = false
    /// Points before and behind those that are written: they stay.
    var first = 0
    var behind = 0
    /// Puts a NaN into row 5, which must stay in its point.
    var poisonsARow = false
    let seed: UInt64
    var kernel: String { PcaProject.kernel }
    var name: String {
        "\(count) x \(columns) \(isSparse ? "sparse " : "")\(bytes ? "bytes" : "floats") to \(components) at \(first), \(behind) behind, "
            + "seed \(seed)\(poisonsARow ? ", a NaN" : "")"
    }
    var form: String { "\(columns) to \(components), \(bytes)" }
    var cost: Int { (first + count + behind) * columns * components }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let magnitude: Float = bytes ? 255 : 2
        var drawn = CaseRows(
            &inputs, bytes: bytes, oneIn: isSparse ? 200 : 1, count: count, dimensions: columns, range: 0...2)
        if isSparse {
            // The least that is not zero, alone among four columns.
            for row in 0..<count {
                for column in 4..<8 { drawn.byteValues[row * columns + column] = column == 4 ? 1 : 0 }
            }
        }
        var values = drawn.floatValues
        if poisonsARow { values[5 * columns + 1] = .nan }
        let mean = inputs.floats(columns, in: 0...magnitude)
        let weights = inputs.floats(components * columns)
        let total = first + count + behind
        let before = [Float](repeating: Self.untouched, count: total * components)
        func project(_ backend: any Backend) throws -> (points: GuardedContents<Float>, layout: TileLayout) {
            let points =
                total == count
                ? try CasePoints(output: total, dimensions: components, on: backend)
                : try CasePoints(before, count: total, dimensions: components, on: backend)
            let rows =
                bytes
                ? try drawn.rows(on: backend)
                : Rows(
                    .floats(try backend.makeBuffer(values, guarded: .nan, 3 * columns, label: "rows")),
                    count: count, dimensions: columns)
            try backend.run(
                PcaProject(
                    rows, through: try backend.makeProjection(weights: weights, mean: mean), into: points.points,
                    at: first))
            return try points.contents()
        }
        judge.check(
            "points", try project(backend),
            equals: truth(values: drawn.bytes ? drawn.byteValues.map { Float($0) } : values, mean, weights))
        return judge.result
    }

    /// [point][component]: a column's value is rounded once less its mean, and each of its products once, and once in
    /// every addition. A byte may be multiplied before its mean is taken off.
    private func truth(values: [Float], _ mean: [Float], _ weights: [Float]) -> [Bounded] {
        let before = [Bounded](repeating: Bounded(Self.untouched), count: (first + behind) * components)
        let byColumn = (0..<columns).flatMap { column in
            (0..<components).map { Double(weights[$0 * columns + column]) }
        }
        let points = (0..<count).flatMap { row -> [Bounded] in
            var sums = ProductSums(count: components)
            for column in 0..<columns {
                let (value, mean) = (Double(values[row * columns + column]), Double(mean[column]))
                for factor in bytes ? [value, -mean] : [value - mean] {
                    sums.add(byColumn, column * components, times: factor, at: 0, count: components)
                }
            }
            return sums.bounded(roundings: columns + 2)
        }
        return before[..<(first * components)] + points + before[(first * components)...]
    }

    /// What stands in points before and behind those that are written.
    private static let untouched: Float = -7
}
