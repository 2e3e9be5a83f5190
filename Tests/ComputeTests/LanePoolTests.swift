import Testing

@testable import Compute

/// The C loops of batch norm, ReLU and pool of every instruction set that this processor has, against scalar loops, to
/// the bit.
@Suite struct LanePoolTests {
    private typealias Output = LaneLoopsTests.Output
    private static let counts = [1, 2, 7, 48]

    private static func values(_ count: Int, seed: UInt64) -> [Float] { LaneLoopsTests.values(count, seed: seed) }

    /// Values of both signs with ties, zeros, infinities and a NaN.
    private static func awkward(_ count: Int, seed: UInt64) -> [Float] {
        var x = values(count, seed: seed).map { ($0 * 4).rounded() / 4 }
        x[count / 2] = .nan
        x[count / 3] = .infinity
        x[count / 5] = -.infinity
        return x
    }

    private static func expectEqual(_ output: Output, _ expected: [Float], _ loops: LaneLoops) {
        let written = Array(output.floats[16..<16 + expected.count])
        #expect(LaneLoopsTests.equalBits(written, expected), "\(loops.name)")
        #expect(output.isUntouched(-1) && output.isUntouched(expected.count / 16), "\(loops.name) wrote outside")
    }

    private static func equal(_ a: Lanes, _ b: Lanes) -> Bool {
        LaneLoopsTests.equalBits((0..<16).map { a[$0] }, (0..<16).map { b[$0] })
    }

    @Test("Moments are sums of deviations from the first vector", arguments: counts)
    func moments(count: Int) {
        let x = Self.values(count * 16, seed: 1)
        var (sum, squares) = (Lanes.zero, Lanes.zero)
        for element in 0..<count * 16 {
            let deviation = x[element] - x[element % 16]
            sum[element % 16] += deviation
            squares[element % 16] += deviation * deviation
        }
        for loops in LaneLoops.all {
            let moments = loops.moments(x, count: count)
            #expect(Self.equal(moments.sums, sum) && Self.equal(moments.squares, squares), "\(loops.name)")
        }
    }

    @Test("The winners of pools, and the gradient back to their plane", arguments: [1, 2, 3, 4, 7], [1, 2, 3, 5, 8])
    func pools(rows: Int, columns: Int) {
        let plane = LanePlane(rows: rows, columns: columns)
        let windows = (rows / 2) * (columns / 2)
        let x = Self.awkward(rows * columns * 16, seed: UInt64(10 * rows + columns))
        let dy = Self.values(max(windows, 1) * 16, seed: 7)
        for direction: Float in [1, -1, 0] {
            var pooled = [Float](repeating: 0, count: windows * 16)
            var winners = [UInt8](repeating: 99, count: (windows + 1) * 16)
            for element in 0..<windows * 16 {
                let (window, lane) = (element / 16, element % 16)
                let corner = 2 * (window / (columns / 2)) * columns + 2 * (window % (columns / 2))
                func value(_ place: Int) -> Float { x[(corner + place / 2 * columns + place % 2) * 16 + lane] }
                var winner = 0
                for place in 1..<4 {
                    let (key, best) = (value(place) * direction, value(winner) * direction)
                    if !(key <= best), !best.isNaN { winner = place }
                }
                pooled[element] = value(winner)
                winners[element] = UInt8(winner)
            }
            let slope = LaneBatchNormSlope(
                mean: 0.3, inverse: 1.7, shift: 0.01, slope: 0.02, factor: 1.1, lanes: 13)
            var gradient = [Float](repeating: 0, count: x.count)
            for position in 0..<rows * columns {
                let (row, column) = (position / columns, position % columns)
                for lane in 0..<13 {
                    var passed = Float(0)
                    if row / 2 < rows / 2, column / 2 < columns / 2 {
                        let element = (row / 2 * (columns / 2) + column / 2) * 16 + lane
                        if winners[element] == UInt8(2 * (row % 2) + column % 2) { passed = dy[element] }
                    }
                    let normalised = (x[position * 16 + lane] - 0.3) * 1.7
                    gradient[position * 16 + lane] = (passed - 0.01 - normalised * 0.02) * 1.1
                }
            }
            for loops in LaneLoops.all {
                var found = Output(vectors: windows)
                var places = [UInt8](repeating: 99, count: winners.count)
                found.write { loops.maxPool(plane, x, direction: direction, into: $0, winners: &places) }
                Self.expectEqual(found, pooled, loops)
                #expect(places == winners, "\(loops.name), direction \(direction)")
                var dx = Output(vectors: rows * columns)
                dx.floats.replaceSubrange(16..<16 + x.count, with: x)
                dx.write { loops.poolBackward(plane, slope, gradient: dy, winners: winners, into: $0) }
                Self.expectEqual(dx, gradient, loops)
            }
        }
    }

    @Test("The sums of the pools' gradients", arguments: counts)
    func sums(count: Int) {
        let pooled = Self.values(count * 16, seed: 2)
        let dy = Self.values(count * 16, seed: 3)
        var (sum, product) = (Lanes.zero, Lanes.zero)
        for element in 0..<count * 16 {
            sum[element % 16] += dy[element]
            product[element % 16] += dy[element] * ((pooled[element] - 0.3) * 1.7)
        }
        for loops in LaneLoops.all {
            let sums = loops.poolSums(pooled: pooled, gradient: dy, count: count, mean: 0.3, inverse: 1.7)
            #expect(Self.equal(sums.sums, sum) && Self.equal(sums.products, product), "\(loops.name)")
        }
    }

    @Test("ReLU forward and backward let a NaN pass", arguments: counts)
    func relu(count: Int) {
        let x = Self.awkward(count * 16, seed: 4)
        let dy = Self.values(count * 16, seed: 5)
        let normalised = x.map { $0 * 1.25 + 0.1 }.map { $0 <= 0 ? 0 : $0 }
        let passed = zip(x, dy).map { $0 <= 0 ? 0 : $1 }
        for loops in LaneLoops.all {
            var y = Output(vectors: count)
            y.write { loops.normaliseRelu(x, count: count, scale: 1.25, shift: 0.1, into: $0) }
            Self.expectEqual(y, normalised, loops)
            var gradient = Output(vectors: count)
            gradient.floats.replaceSubrange(16..<16 + dy.count, with: dy)
            gradient.write { loops.reluBackward(x, count: count, gradient: $0) }
            Self.expectEqual(gradient, passed, loops)
        }
    }
}
