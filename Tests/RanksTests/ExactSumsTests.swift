import Testing

@testable import Ranks

/// Chunks of float32 sums over `rows` rows each, with values up to `bound`, from a seed: [chunk][element].
private func madeChunks(_ chunks: Int, elements: Int, rows: Int, bound: Float, seed: UInt64) -> [[Float]] {
    var generator = SplitMix(state: seed)
    return (0..<chunks).map { _ in
        (0..<elements).map { element in
            // Some elements are mostly tiny, so that bits are lost at every scale.
            let size = element % 3 == 0 ? bound * 1e-6 : bound
            return (0..<rows).reduce(Float(0)) { sum, _ in sum + size * generator.nextSigned() }
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    /// Between -1 and 1.
    mutating func nextSigned() -> Float { Float(Int32(truncatingIfNeeded: next() >> 40) - 1 << 23) * 0x1p-23 }
}

@Suite struct ExactSumsTests {
    /// Any order of the chunks, spread in any way over any number of ranks, gives the same bits.
    @Test(arguments: [1, 2, 3, 4, 7, 64], [UInt64(1), 2, 3])
    func anySpreadGivesTheSameBits(ranks: Int, seed: UInt64) throws {
        let rows = 37
        let elements = 7
        let chunks = madeChunks(101, elements: elements, rows: rows, bound: 300, seed: seed)
        let scale = try FixedPoint(bound: 300, rows: rows * chunks.count)
        var plain = ExactSums(elements: elements, scale)
        for chunk in chunks { try plain.add(chunk, rows: rows) }

        var generator = SplitMix(state: seed &* 77 &+ UInt64(ranks))
        var parts = [ExactSums](repeating: ExactSums(elements: elements, scale), count: ranks)
        for chunk in chunks.shuffled(using: &generator) {
            try parts[Int.random(in: 0..<ranks, using: &generator)].add(chunk, rows: rows)
        }
        var total = ExactSums(elements: elements, scale)
        for part in parts.shuffled(using: &generator) { try total.add(part) }
        #expect(total == plain)
        #expect(plain.rowsAdded == rows * chunks.count)
    }

    /// Half a unit per chunk, and one rounding, whatever the size of the values.
    @Test(arguments: [Float(1e-30), 1e-3, 1, 255, 1e20])
    func theErrorIsWithinItsBound(bound: Float) throws {
        let chunks = madeChunks(503, elements: 5, rows: 11, bound: bound, seed: 9)
        let scale = try FixedPoint(bound: Double(bound), rows: 11 * 503)
        var sums = ExactSums(elements: 5, scale)
        for chunk in chunks { try sums.add(chunk, rows: 11) }
        #expect(scale.unit <= 0x1p-61 * Double(bound) * 11 * 503)
        for element in 0..<5 {
            // An exact sum in two doubles.
            var high = 0.0
            var low = 0.0
            for chunk in chunks {
                let value = Double(chunk[element])
                let next = high + value
                let part = next - high
                low += (high - (next - part)) + (value - part)
                high = next
            }
            let difference = abs((sums.value(element) - high) - low)
            #expect(difference <= 503 * scale.unit / 2 + abs(high) * 0x1p-52)
        }
    }

    @Test func correctionsAreAdded() throws {
        let scale = try FixedPoint(bound: 1, rows: 4)
        var sums = ExactSums(elements: 2, scale)
        try sums.add([1, -0.5], corrections: [0x1p-30, -0x1p-31], rows: 2)
        #expect(sums.value(0) == 1 + 0x1p-30 && sums.value(1) == -0.5 - 0x1p-31)
    }

    /// Ties go to even, on both sides of zero.
    @Test func roundingIsToNearestEven() throws {
        let scale = try FixedPoint(bound: 1, rows: 1)
        #expect(scale.exponent == 62 && scale.unit == 0x1p-62)
        var sums = ExactSums(elements: 6, scale)
        try sums.add([0x1p-63, 0x1.8p-62, 0x1.4p-61, -0x1p-63, -0x1.8p-62, 0x1.1p-63], rows: 1)
        #expect(sums.units == [0, 2, 2, 0, -2, 1])
    }

    /// Numbers of every size that a sum can have, against the conversion of the standard library.
    @Test func roundingIsThatOfTheStandardLibrary() throws {
        let scale = try FixedPoint(bound: 1, rows: 1)
        var generator = SplitMix(state: 5)
        for power in -70...0 {
            for _ in 0..<50 {
                let value = 1.28 * Double(generator.nextSigned()) * Double(sign: .plus, exponent: power, significand: 1)
                #expect(scale.integer(value) == Int64((value * 0x1p62).rounded(.toNearestOrEven)))
                let tie = (Double(Int32(truncatingIfNeeded: generator.next())) + 0.5) * 0x1p-62
                #expect(scale.integer(tie) == Int64((tie * 0x1p62).rounded(.toNearestOrEven)))
            }
        }
    }

    /// The largest sums that can be, all of one sign, fit in 64 bits.
    @Test(arguments: [(1.0, 1), (1.0, 1 << 22), (3.0, 1000), (0x1.fffffep127, (1 << 22) * 3), (0x1p-149, 5)])
    func nothingOverflows(bound: Double, rows: Int) throws {
        let scale = try FixedPoint(bound: bound, rows: rows)
        // As far as float32 can be off, where it does not overflow itself.
        let worst = bound * 1.284 > 0x1.fffffep127 ? bound : bound * 1.284
        var sums = ExactSums(elements: 2, scale)
        var left = rows
        while left > 0 {
            let chunk = min(left, FixedPoint.mostChunkRows)
            let sum = Float(min(worst * Double(chunk), 0x1.fffffep127))
            try sums.add([sum, -sum], rows: chunk)
            left -= chunk
        }
        #expect(sums.units[0] > 0 && sums.units[1] == -sums.units[0])
        #expect(abs(sums.value(0)) <= 1.285 * bound * Double(rows))
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, 12.9, -12.9])
    func whatCannotBeIsRefused(value: Float) throws {
        var sums = ExactSums(elements: 3, try FixedPoint(bound: 1, rows: 100))
        try sums.add([1, 2, 3], rows: 10)
        let before = sums
        let error = #expect(throws: ExactSumError.self) { try sums.add([0, value, 0], rows: 10) }
        guard case .outOfBounds(1, _, let limit) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(limit == 10 * 1.285 && sums == before)
        #expect(throws: ExactSumError.self) { try sums.add([0, 0, 0], corrections: [0, value, 0], rows: 10) }
        #expect(sums == before)
    }

    @Test func rowsAreCounted() throws {
        let scale = try FixedPoint(bound: 1, rows: 10)
        var sums = ExactSums(elements: 1, scale)
        try sums.add([1], rows: 6)
        #expect(throws: ExactSumError.tooManyRows(rows: 11, accepted: 10)) { try sums.add([1], rows: 5) }
        let other = sums
        #expect(throws: ExactSumError.tooManyRows(rows: 12, accepted: 10)) { try sums.add(other) }
        #expect(throws: ExactSumError.chunkTooLong(rows: 1 << 23, accepted: 1 << 22)) {
            try sums.add([1], rows: 1 << 23)
        }
        #expect(sums == other)
    }

    @Test func differentSumsAreNotAdded() throws {
        var sums = ExactSums(elements: 2, try FixedPoint(bound: 1, rows: 10))
        #expect(throws: ExactSumError.different("their number of elements")) { try sums.add([1], rows: 1) }
        #expect(throws: ExactSumError.different("their number of elements")) {
            try sums.add([1, 2], corrections: [1], rows: 1)
        }
        let longer = ExactSums(elements: 3, sums.scale)
        #expect(throws: ExactSumError.different("their number of elements")) { try sums.add(longer) }
        let finer = ExactSums(elements: 2, try FixedPoint(bound: 0.5, rows: 10))
        #expect(throws: ExactSumError.different("their scale")) { try sums.add(finer) }
    }

    @Test(arguments: [(-1.0, 5), (.nan, 5), (.infinity, 5), (1, 0), (1, -3), (1e300, 5), (1, 1 << 61)])
    func aScaleThatCannotBeIsRefused(bound: Double, rows: Int) {
        #expect(throws: ExactSumError.self) { try FixedPoint(bound: bound, rows: rows) }
    }

    @Test func zeroesNeedNoScale() throws {
        var sums = ExactSums(elements: 1, try FixedPoint(bound: 0, rows: 5))
        try sums.add([-0.0], rows: 5)
        #expect(sums.value(0).bitPattern == 0)
        #expect(throws: ExactSumError.self) { try sums.add([0x1p-149], rows: 0) }
    }
}
