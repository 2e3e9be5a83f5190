import Studies
import Testing

@Suite struct StatisticsTests {
    @Test func theMiddleOfEvenCountsIsTheMeanOfTwo() {
        #expect(Statistics.median([]) == nil)
        #expect(Statistics.median([4]) == 4)
        #expect(Statistics.median([9, 1, 4]) == 4)
        #expect(Statistics.median([9, 1, 4, 2]) == 3)
    }

    @Test func theDeviationIsTheSamples() {
        #expect(Statistics.standardDeviation([]) == nil)
        #expect(Statistics.standardDeviation([98.7]) == nil)
        #expect(
            Statistics.standardDeviation([2, 4, 4, 4, 5, 5, 7, 9]).map { abs($0 - 2.138089935299395) < 1e-14 } == true)
        // Sums of squares would lose this one altogether.
        #expect(Statistics.standardDeviation([1e9, 1e9 + 1, 1e9 + 2]) == 1)
        #expect(Statistics.mean([1, 2, 6]) == 3)
        #expect(Statistics.mean([]) == nil)
    }
}
