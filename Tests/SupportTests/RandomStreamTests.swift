import Testing

@testable import Support

@Suite struct RandomTests {
    /// Known answers of the reference implementation (Random123, kat_vectors, philox4x32 10).
    @Test func philoxKnownAnswers() {
        #expect(
            Philox4x32(key: 0).block(SIMD4(0, 0, 0, 0))
                == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
        #expect(
            Philox4x32(key: .max).block(SIMD4(repeating: .max))
                == SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
        #expect(
            Philox4x32(key: 0x299F_31D0_A409_3822).block(SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344))
                == SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
    }

    @Test func purposesAndRunsAreIndependentAndRepeatable() {
        func words(_ run: Int, _ purpose: RandomPurpose) -> [UInt32] {
            var stream = RandomStream(seed: 7, run: run, purpose: purpose)
            return (0..<16).map { _ in stream.nextWord() }
        }
        #expect(words(0, .selection) == words(0, .selection))
        #expect(words(0, .selection) != words(1, .selection))
        #expect(words(0, .selection) != words(0, .sampleOrder))
    }

    @Test(arguments: [1, 2, 7, 1000, 1 << 20]) func indicesStayBelowTheBoundAndReachBothEnds(bound: Int) {
        var stream = RandomStream(seed: 3, run: 0, purpose: .testing)
        let drawn = (0..<4000).map { _ in stream.nextIndex(below: bound) }
        #expect(drawn.allSatisfy { (0..<bound).contains($0) })
        #expect(bound > 7 || Set(drawn).count == bound)
    }

    @Test func shuffleIsAPermutation() {
        var stream = RandomStream(seed: 3, run: 0, purpose: .testing)
        var values = Array(0..<1000)
        stream.shuffle(&values)
        #expect(values != Array(0..<1000))
        #expect(values.sorted() == Array(0..<1000))
    }
}
