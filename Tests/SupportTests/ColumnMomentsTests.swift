import Support
import Testing

@Suite struct ColumnMomentsTests {
    @Test func sumsAreThoseOfTheRows() {
        let rows: [[Float]] = [[1, 10], [3, 10], [8, 40]]
        var moments = ColumnMoments(width: 2)
        #expect(moments.means == [0, 0] && moments.squaredDistances == 0)
        for row in rows { moments.add(row[...]) }
        #expect(moments.count == 3 && moments.means == [4, 20])
        // 9 + 1 + 16, and 100 + 100 + 400.
        #expect(abs(moments.squaredDistances - 626) < 1e-9)
        // From (1, 10): 0 + 4 + 49 + 900.
        #expect(abs(moments.squaredDistances(from: [1, 10]) - 953) < 1e-9)
    }

    /// Squares of these values have no digit left for their differences.
    @Test func columnsFarFromZeroKeepTheirDigits() {
        var moments = ColumnMoments(width: 1)
        for value: Float in [1e7, 1e7 + 1, 1e7 + 2] { moments.add([value]) }
        #expect(moments.means == [10_000_001] && moments.squaredDistances == 2)
        var one = ColumnMoments(width: 1)
        one.add([7])
        #expect(one.means == [7] && one.squaredDistances == 0)
    }
}
