import Testing

@testable import Ranks

@Suite struct ExactTotalTests {
    /// Values of all sizes, by a linear congruential generator.
    private func values(_ count: Int, seed: UInt64, exponents: ClosedRange<Int>) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let exponent = exponents.lowerBound + Int(state >> 33) % exponents.count
            return Float(sign: .plus, exponent: exponent, significand: 1 + Float(state >> 40 & 0x7FFFFF) * 0x1p-23)
        }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func anyOrderAndAnyPartsGiveTheSameBits(seed: UInt64) throws {
        let values = values(5000, seed: seed, exponents: -149...127)
        var whole = ExactTotal()
        whole.add(values)
        var reversed = ExactTotal()
        for value in values.reversed() { reversed.add([value]) }
        #expect(whole == reversed && whole.value.bitPattern == reversed.value.bitPattern)
        // One rank alone.
        try whole.combine(over: Communicator())
        #expect(whole == reversed && whole.value.bitPattern == reversed.value.bitPattern)
    }

    /// Whole numbers below 2^53 are exact in Double.
    @Test func wholeNumbersAreExact() {
        var total = ExactTotal()
        total.add((0..<100_000).map { Float($0) })
        #expect(total.value == 4_999_950_000)
        total.add([0x1p-149, 0])
        #expect(total.value == 4_999_950_000)
        var smallest = ExactTotal()
        smallest.add([Float](repeating: .leastNonzeroMagnitude, count: 1000))
        #expect(smallest.value == 1000 * 0x1p-149)
        var largest = ExactTotal()
        largest.add([Float](repeating: .greatestFiniteMagnitude, count: 3000))
        #expect(abs(largest.value / (3000 * Double(Float.greatestFiniteMagnitude)) - 1) < 0x1p-50)
        #expect(ExactTotal().value == 0)
    }

    @Test(arguments: [-20...20, -140...(-100), 100...120]) func agreesWithDoubles(exponents: ClosedRange<Int>) {
        let values = values(3000, seed: 7, exponents: exponents)
        var total = ExactTotal()
        total.add(values)
        let sum = values.reduce(0.0) { $0 + Double($1) }
        #expect(abs(total.value / sum - 1) < 3000 * 0x1p-53)
    }

    @Test func noNumberOfValuesOverflows() {
        let values = [Float](repeating: 0x1.fffffep0, count: 1 << 20)
        var total = ExactTotal()
        for _ in 0..<20 { total.add(values) }
        #expect(total.value == 20 * 0x1p20 * 0x1.fffffep0)
    }

    @Test(arguments: [Float.nan, .infinity, -1, -.infinity]) func valuesThatAreNoSquaresAreNoted(stray: Float) {
        var total = ExactTotal()
        total.add([1, stray, 2])
        #expect(total.value.isNaN)
        var zero = ExactTotal()
        zero.add([-0.0, 1])
        #expect(zero.value == 1)
    }
}
