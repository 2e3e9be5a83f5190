import Support

extension HostRows {
    /// Chooses `centres` of these rows by k-means++, where row i counts as `weights[i]` equal points (Arthur & Vassilvitskii,
    /// "k-means++: the advantages of careful seeding", SODA 2007): the first in proportion to the weights, the others in
    /// proportion to the weight times the squared distance to the nearest centre so far. It is greedy: `trials` rows are drawn
    /// for each centre but the first, and the one that leaves the smallest weighted sum of squared distances is kept; the
    /// earliest wins a tie.
    ///
    /// A row that coincides with a centre is chosen only if every row does; rows are then drawn in proportion to the weights,
    /// and may be chosen again. Runs on all cores, with the same bits for any number of them.
    /// - Parameters:
    ///   - weights: positive, one per row, [count].
    ///   - random: gives 1 + (centres - 1) x trials numbers.
    /// - Returns: the numbers of the chosen rows, [centres].
    package func plusPlus(centres: Int, weights: [Double], trials: Int, random: inout RandomStream) -> [Int32] {
        var draws = WeightedDraws(self, weights: weights, trials: trials)
        var chosen = [draws.keepBest(of: [draws.draw(random.nextUnit())])]
        while chosen.count < centres {
            let drawn = (0..<trials).map { _ in draws.draw(random.nextUnit()) }
            chosen.append(draws.keepBest(of: drawn))
        }
        return chosen.map { Int32($0) }
    }

    /// The cost of ``plusPlus(centres:weights:trials:random:)`` on a number of rows. Each drawn row is compared with all rows:
    /// three operations per column, and two for the weighted sum. This reads the rows, their weights and the distances so far,
    /// and writes the new distances. The columns of distant rows that need not be read are counted too.
    package static func plusPlusCost(rows: Int, centres: Int, trials: Int, dimensions: Int) -> OperationCost {
        let compared = Double(rows) * Double(1 + (centres - 1) * trials)
        let (number, weight) = (MemoryLayout<Float>.stride, MemoryLayout<Double>.stride)
        return OperationCost(
            operations: compared * Double(3 * dimensions + 2),
            bytes: compared * Double(number * (dimensions + 2) + weight))
    }

    /// The squared distance of two rows, summed directly. If it is at least `limit`, any number that is at least `limit`: the
    /// sum only grows, so most columns of distant rows need not be read.
    @inline(__always)
    fileprivate static func squaredDistance(
        _ one: UnsafePointer<Float>, _ other: UnsafePointer<Float>, _ dimensions: Int, limit: Float
    ) -> Float {
        let width = Lanes.scalarCount
        let step = 4 * width
        var sums = Lanes.zero
        var dimension = 0
        let (a, b) = (UnsafeRawPointer(one), UnsafeRawPointer(other))
        while dimension + width <= dimensions {
            let difference =
                a.loadUnaligned(fromByteOffset: 4 * dimension, as: Lanes.self)
                - b.loadUnaligned(fromByteOffset: 4 * dimension, as: Lanes.self)
            sums += difference * difference
            dimension += width
            if dimension & (step - 1) == 0, sums.total >= limit { return limit }
        }
        var sum = sums.total
        while dimension < dimensions {
            let difference = one[dimension] - other[dimension]
            sum += difference * difference
            dimension += 1
        }
        return sum
    }
}

/// The state of a weighted k-means++.
private struct WeightedDraws {
    /// Rows per block of the sums, which are added in the order of blocks.
    private static let blockRows = 256

    private let rows: HostRows
    private let weights: [Double]
    private let blocks: [Range<Int>]
    private let host = CPUBackend()
    /// Squared distances of the rows to the nearest centre, [slot][count]: one slot has those to the centres so far, the others
    /// those with one of the drawn rows added.
    private var squares: [Float]
    /// The sums of the blocks, each distance times its row's weight, [slot][block].
    private var sums: [Double]
    /// The sums of the blocks of the weights alone.
    private let weightSums: [Double]
    /// The slot of the centres so far.
    private var kept = 0

    init(_ rows: HostRows, weights: [Double], trials: Int) {
        self.rows = rows
        self.weights = weights
        let blocks = (0..<rows.count).parts(of: Self.blockRows)
        self.blocks = blocks
        squares = [Float](repeating: .infinity, count: (trials + 1) * rows.count)
        sums = [Double](repeating: 0, count: (trials + 1) * blocks.count)
        weightSums = blocks.map { block in block.reduce(0) { $0 + weights[$1] } }
    }

    /// Draws a row in proportion to its part of the sums; `uniform` is in [0, 1). First the block is drawn, then the row in it.
    func draw(_ uniform: Double) -> Int {
        let first = kept * blocks.count
        let own = sums[first..<first + blocks.count]
        let total = own.reduce(0, +)
        guard total > 0 else {
            return draw(uniform * weightSums.reduce(0, +), weightSums[...]) { weights[$0] }
        }
        return draw(uniform * total, own) { weights[$0] * Double(squares[kept * rows.count + $0]) }
    }

    /// The row at which the sum of `parts` passes `left`; never one whose part is 0.
    private func draw(_ left: Double, _ sums: ArraySlice<Double>, part: (Int) -> Double) -> Int {
        var left = left
        var block = 0
        for (candidate, sum) in sums.enumerated() where sum > 0 {
            block = candidate
            if left < sum { break }
            left -= sum
        }
        var chosen = blocks[block].lowerBound
        for row in blocks[block] {
            let part = part(row)
            guard part > 0 else { continue }
            chosen = row
            if left < part { break }
            left -= part
        }
        return chosen
    }

    /// Makes one of the drawn rows a centre and returns it.
    mutating func keepBest(of drawn: [Int]) -> Int {
        measure(drawn)
        var best = 0
        var least = Double.infinity
        for trial in drawn.indices {
            let first = slot(of: trial) * blocks.count
            let total = sums[first..<first + blocks.count].reduce(0, +)
            if total < least { (best, least) = (trial, total) }
        }
        kept = slot(of: best)
        return drawn[best]
    }

    private func slot(of trial: Int) -> Int { trial < kept ? trial : trial + 1 }

    /// Fills the slots of the drawn rows.
    private mutating func measure(_ drawn: [Int]) {
        let (count, dimensions, kept) = (rows.count, rows.dimensions, kept)
        let (blocks, host) = (blocks, host)
        let slots = drawn.indices.map { slot(of: $0) }
        rows.values.withUnsafeBufferPointer { values in
            weights.withUnsafeBufferPointer { weights in
                squares.withUnsafeMutableBufferPointer { squares in
                    sums.withUnsafeMutableBufferPointer { sums in
                        guard let base = values.baseAddress else { return }
                        host.parallel(blocks.count) { block in
                            for (row, slot) in zip(drawn, slots) {
                                let centre = base + row * dimensions
                                var sum = 0.0
                                for other in blocks[block] {
                                    let before = squares[kept * count + other]
                                    let square = HostRows.squaredDistance(
                                        base + other * dimensions, centre, dimensions, limit: before)
                                    let after = square < before ? square : before
                                    squares[slot * count + other] = after
                                    sum += weights[other] * Double(after)
                                }
                                sums[slot * blocks.count + block] = sum
                            }
                        }
                    }
                }
            }
        }
    }
}
