import Compute

/// Partial sums of products of columns: exact for bytes, which the largest bytes over a whole chunk of rows prove.
package enum CovarianceCases: KernelCases {
    package static func cases(seed: UInt64) -> [any KernelCase] {
        let shapes = [
            (1, 1), (7, 7), (127, 7), (128, 7), (129, 7), (300, 112), (61, 111), (33, 113), (257, 113), (15, 257),
            (4095, 7), (4096, 7), (4097, 7), (8300, 7), (4100, 113),
        ]
        return [true, false].flatMap { bytes in
            shapes.filter { bytes || [7, 113].contains($0.1) }.map {
                CovarianceCase(
                    count: $0.0, dimensions: $0.1, bytes: bytes, times: 1 + $0.0 % 2, seed: seed)
            }
        } + [CovarianceCase(count: 4200, dimensions: 7, bytes: true, kind: .largest, seed: seed)]
            + [(64, 111), (65, 7), (257, 113), (4097, 7), (8300, 7)].map {
                CovarianceCase(
                    count: $0.0, dimensions: $0.1, bytes: true, kind: .sparse, times: 1 + $0.0 % 2, seed: seed)
            } + [
                CovarianceCase(count: 129, dimensions: 7, bytes: true, kind: .ones, seed: seed),
                CovarianceCase(count: 64, dimensions: 113, bytes: true, kind: .nearlyEmpty, seed: seed),
                CovarianceCase(count: 128, dimensions: 113, bytes: true, kind: .nearlyEmpty, seed: seed),
            ]
    }

    package static func launched(seed: UInt64, replicas: Int) -> [any KernelCase] {
        [CovarianceCase(count: 300, dimensions: 784, bytes: true, seed: seed)]
    }
}

private struct CovarianceCase: KernelCase {
    enum Kind: String {
        case plain = ""
        /// Odd large values throughout, so that a longer chunk would not be exact.
        case largest = "largest "
        /// Nothing but ones, the least that is not zero.
        case ones = "equal "
        /// Mostly zeros, whole columns and runs of rows among them, as images have them.
        case sparse = "sparse "
        /// A full chunk with hardly anything in it, which a simulator is through with soon.
        case nearlyEmpty = "nearly no "
    }
    let count: Int
    let dimensions: Int
    let bytes: Bool
    var kind = Kind.plain
    /// How often the same rows are added up.
    var times = 1
    let seed: UInt64
    var kernel: String { Covariance.kernel }
    var name: String {
        "\(count) x \(dimensions) \(kind.rawValue)\(bytes ? "bytes" : "floats")"
            + "\(times > 1 ? ", \(times) times" : ""), seed \(seed)"
    }
    /// Several blocks in several parts take long: not among the quick cases.
    var form: String {
        let isLarge = dimensions > 61 && count > CovarianceShape.partRows
        return "\(dimensions) columns, \(bytes)\(isLarge ? ", several parts" : "")"
    }
    var cost: Int {
        let shape = CovarianceShape(count: count, dimensions: dimensions)
        return count * shape.tileElements / shape.parts / (kind == .nearlyEmpty ? 64 : 1)
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var inputs = CaseInputs(seed: seed)
        let shape = CovarianceShape(count: count, dimensions: dimensions)
        if bytes {
            let range = kind == .largest ? 254..<256 : kind == .ones ? 1..<2 : 0..<256
            var values = inputs.bytes(count * dimensions, in: range, oneIn: kind == .nearlyEmpty ? 200 : 1)
            if kind == .sparse {
                let kept = inputs.integers(values.count, in: 0..<4)
                for index in values.indices {
                    let (row, column) = (index / dimensions, index % dimensions)
                    if kept[index] > 0 || column % 5 == 1 || row / 130 % 3 == 1 { values[index] = 0 }
                }
            }
            func covariance(_ backend: any Backend) throws -> (GuardedContents<Int32>, GuardedContents<Int32>) {
                let tiles = try GuardedBuffer<Int32>(on: backend, count: shape.tileElements, label: "tiles")
                let sums = try GuardedBuffer<Int32>(on: backend, count: shape.sumElements, label: "sums")
                // What stands behind the last row belongs to nobody.
                let rows = try backend.makeBuffer(values, guarded: 99, 200, label: "rows")
                for time in 0..<times {
                    try backend.run(
                        Covariance(
                            of: rows, shape: shape, adding: time > 0, tiles: tiles.buffer, sums: sums.buffer))
                }
                return (try tiles.contents(), try sums.contents())
            }
            let (tiles, sums) = try covariance(backend)
            let (referenceTiles, referenceSums) = try covariance(reference)
            judge.check("tiles", tiles, equals: referenceTiles.values)
            judge.check("sums", sums, equals: referenceSums.values)
            checkTruth(&judge, tiles.values, shape) { row, column in
                Int(values[row * dimensions + column])
            }
            return judge.result
        }
        // Far from zero, as pixels are; without the shift the sums would be hundreds of times larger.
        let values = inputs.floats(count * dimensions, in: 5...7)
        let shifts = inputs.floats(dimensions, in: 5.5...6.5)
        func covariance(_ backend: any Backend) throws -> (GuardedContents<Float>, GuardedContents<Float>) {
            let tiles = try GuardedBuffer<Float>(on: backend, count: shape.tileElements, label: "tiles")
            let sums = try GuardedBuffer<Float>(on: backend, count: shape.sumElements, label: "sums")
            let rows = try backend.makeBuffer(values, guarded: .nan, 200, label: "rows")
            let shift = try backend.makeBuffer(shifts, guarded: .nan, 120, label: "shift")
            for time in 0..<times {
                try backend.run(
                    Covariance(
                        of: rows, shape: shape, shift: shift, adding: time > 0, tiles: tiles.buffer,
                        sums: sums.buffer))
            }
            return (try tiles.contents(), try sums.contents())
        }
        let (tiles, sums) = try covariance(backend)
        checkTruth(&judge, tiles.values, sums.values, shape, values, shifts)
        judge.checkGuards("tiles", tiles)
        judge.checkGuards("sums", sums)
        return judge.result
    }

    /// Products of float values less their shifts. A value is rounded less its shift, a product of two is rounded, and
    /// passes through the additions of its chunk of rows and through one for each chunk of its part, in a device's chunks
    /// of a quarter of the largest at least.
    private func checkTruth(
        _ judge: inout CaseJudge, _ tiles: [Float], _ sums: [Float], _ shape: CovarianceShape, _ values: [Float],
        _ shifts: [Float]
    ) {
        let (width, chunk) = (CovarianceShape.width, CovarianceShape.chunkRows)
        let chunks = (min(count, CovarianceShape.partRows) + chunk / 4 - 1) / (chunk / 4)
        let roundings = min(count, chunk) + times * chunks + 3
        /// Columns of a block in some rows, [row][column]; zero beyond the last column.
        func block(_ number: Int, _ rows: Range<Int>) -> [Double] {
            var block = [Double](repeating: 0, count: rows.count * width)
            for row in 0..<rows.count {
                for column in 0..<min(width, dimensions - number * width) {
                    let place = number * width + column
                    let value = values[(rows.lowerBound + row) * dimensions + place]
                    block[row * width + column] = Double(value) - Double(shifts[place])
                }
            }
            return block
        }
        for part in 0..<shape.parts {
            let first = part * CovarianceShape.partRows
            let rows = first..<min(count, first + CovarianceShape.partRows)
            for pair in 0..<shape.pairs {
                let (blockA, blockB) = shape.blocks(ofPair: pair)
                let (left, right) = (block(blockA, rows), block(blockB, rows))
                var products = ProductSums(count: width * width)
                for place in left.indices where left[place] != 0 {
                    products.add(
                        right, place / width * width, times: Double(times) * left[place], at: place % width * width,
                        count: width)
                }
                let tile = (part * shape.pairs + pair) * width * width
                judge.check(
                    "tiles of part \(part), pair \(pair)", Array(tiles[tile..<tile + width * width]),
                    equals: products.bounded(roundings: roundings))
                guard blockA == blockB else { continue }
                let extent = min(width, dimensions - blockA * width)
                var columns = ProductSums(count: extent)
                for row in 0..<rows.count {
                    columns.add(left, row * width, times: Double(times), at: 0, count: extent)
                }
                let start = part * dimensions + blockA * width
                judge.check(
                    "sums of part \(part), block \(blockA)", Array(sums[start..<start + extent]),
                    equals: columns.bounded(roundings: roundings))
            }
        }
    }

    /// Whole numbers summed in whole numbers, for one pair of columns a pair of blocks.
    private func checkTruth(
        _ judge: inout CaseJudge, _ tiles: [Int32], _ shape: CovarianceShape, value: (Int, Int) -> Int
    ) {
        let width = CovarianceShape.width
        for part in 0..<shape.parts {
            for pair in 0..<shape.pairs {
                let (blockA, blockB) = shape.blocks(ofPair: pair)
                let column = min(dimensions, (blockB + 1) * width) - 1
                var sum = 0
                for row in part * CovarianceShape.partRows..<min(count, (part + 1) * CovarianceShape.partRows) {
                    sum += value(row, blockA * width) * value(row, column)
                }
                let found = tiles[(part * shape.pairs + pair) * width * width + column - blockB * width]
                guard Int(found) != times * sum else { continue }
                judge.complain("part \(part), pair \(pair): \(found), the sum is \(times * sum)")
            }
        }
    }
}
