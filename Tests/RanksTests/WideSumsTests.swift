import Testing

@testable import Ranks

@Suite struct WideSumsTests {
    /// Chunks of three elements: near the bound, a millionth and a billionth of it.
    private func chunks(_ count: Int) -> [[Float]] {
        var state: UInt64 = 5
        func next() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
        }
        return (0..<count).map { _ in [next() * 4000, next() * 4e-3, next() * 4e-6] }
    }

    private func sums(_ chunks: [[Float]], _ scale: FixedPoint) -> WideSums {
        var sums = WideSums(elements: 3, scale)
        for chunk in chunks { chunk.withUnsafeBufferPointer { sums.add($0, rows: 4096) } }
        return sums
    }

    @Test func smallElementsKeepTheirDigits() throws {
        let chunks = chunks(700)
        let found = sums(chunks, try FixedPoint(bound: 1, rows: 700 * 4096)).values
        for element in 0..<3 {
            let due = chunks.reduce(0.0) { $0 + Double($1[element]) }
            let size = chunks.reduce(0.0) { $0 + abs(Double($1[element])) }
            #expect(abs(found[element] - due) <= size * 700 * 0x1p-53)
        }
    }

    @Test func anyOrderGivesTheSameBits() throws {
        // More chunks than the lower words take without a carry.
        let chunks = chunks(40_000)
        let scale = try FixedPoint(bound: 1, rows: 40_000 * 4096)
        let forwards = sums(chunks, scale).values
        let backwards = sums(chunks.reversed(), scale).values
        #expect(forwards.map(\.bitPattern) == backwards.map(\.bitPattern))
        var alone = sums(chunks, scale)
        try alone.combine(over: Communicator())
        #expect(alone.values.map(\.bitPattern) == forwards.map(\.bitPattern))
    }

    @Test func elementsThatAreNotNamedMayBeAnything() throws {
        var sums = WideSums(elements: 4, try FixedPoint(bound: 1, rows: 4096))
        let chunk: [Float] = [1, .nan, 2.5, .infinity]
        chunk.withUnsafeBufferPointer { sums.add($0, rows: 4096, in: [0..<1, 2..<3]) }
        #expect(sums.values == [1, 0, 2.5, 0])
    }

    @Test(arguments: [Float.nan, .infinity, 6000]) func whatIsNoSumOfTheRowsIsNoted(stray: Float) throws {
        let values = sums([[1, stray, 1]], try FixedPoint(bound: 1, rows: 4096)).values
        #expect(values.allSatisfy { $0.isNaN })
    }
}
