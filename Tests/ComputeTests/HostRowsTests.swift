import Support
import TestSupport
import Testing

@testable import Compute

@Suite struct HostRowsTests {
    /// Whole numbers from -4 to 4, whose products and distances are exact.
    private func wholeRows(_ count: Int, _ dimensions: Int, seed: UInt64) -> HostRows {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        return HostRows(
            (0..<count * dimensions).map { _ in Float(random.nextIndex(below: 9)) - 4 }, count: count,
            dimensions: dimensions)
    }

    private func product(_ rows: HostRows, _ one: Int, _ other: Int) -> Float {
        zip(rows[one], rows[other]).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private static let shapes = [
        (1, 1, [0..<1]), (2, 1, [0..<2]), (7, 3, [0..<3, 3..<3, 3..<4, 4..<7]), (15, 16, [0..<15]), (17, 17, [1..<17]),
        (193, 5, [0..<193]), (211, 2, [0..<100, 100..<101, 102..<211]), (400, 33, [0..<192, 192..<400]),
    ]

    @Test(arguments: shapes) func nearestRowsAreThoseOfSortedDistances(
        count: Int, dimensions: Int, segments: [Range<Int>]
    ) throws {
        let rows = wholeRows(count, dimensions, seed: UInt64(count))
        for wanted in [1, 2, 10, 40] {
            let found = try rows.nearest(wanted, within: segments)
            var expected = [[Int32]](repeating: [], count: count)
            for segment in segments {
                for row in segment {
                    let ranked = segment.filter { $0 != row }.map { (rows.squaredDistance(row, $0), $0) }
                        .sorted { $0 < $1 }
                    expected[row] = ranked.prefix(wanted).map { Int32($0.1) }
                    for (place, (square, _)) in ranked.prefix(wanted).enumerated() {
                        #expect(found.squares[row * found.room + place] == square)
                    }
                }
            }
            let actual = (0..<count).map { row in
                found.indices[row * found.room..<(row + 1) * found.room].filter { $0 >= 0 }
            }
            #expect(actual == expected, "\(wanted) of \(count) rows")
        }
    }

    @Test(arguments: shapes) func productsAreThoseWithEarlierRowsAlone(
        count: Int, dimensions: Int, segments: [Range<Int>]
    ) throws {
        let rows = wholeRows(count, dimensions, seed: UInt64(count + 1))
        let found = try rows.largestProductsWithEarlier(within: segments)
        var products = [Float](repeating: -.infinity, count: count)
        var earlier = [Int32](repeating: -1, count: count)
        for segment in segments {
            for row in segment {
                for other in segment.lowerBound..<row where product(rows, row, other) > products[row] {
                    products[row] = product(rows, row, other)
                    earlier[row] = Int32(other)
                }
            }
        }
        #expect(found.products == products)
        #expect(found.rows == earlier)
    }

    @Test func distancesOfLongRowsAreThoseOfDoublePrecision() {
        var random = RandomStream(seed: 5, run: 0, purpose: .testing)
        for dimensions in [1, 15, 16, 17, 100, 785] {
            let rows = HostRows(
                (0..<2 * dimensions).map { _ in Float(random.nextUniform(-1, 1)) }, count: 2, dimensions: dimensions)
            let truth = zip(rows[0], rows[1]).reduce(0) {
                $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1))
            }
            // A rounding of the difference counts twice; then one of the product, and of each sum.
            let bound = Double(dimensions + 3) * 0x1p-24 * truth
            #expect(abs(Double(rows.squaredDistance(0, 1)) - truth) <= bound)
        }
    }

    @Test func rowsOfUnitLengthKeepTheirDirection() {
        let rows = HostRows([3, 4, 0, 0, -0.5, 0, 1e-20, 1e-20], count: 4, dimensions: 2).normalised()
        let half = Float(0.5.squareRoot())
        #expect(rows.values == [0.6, 0.8, 0, 0, -1, 0, half, half])
    }

    @Test(arguments: TestBackends.names) func pointsComeAsRows(name: String) throws {
        let backend = try TestBackends.make(name)
        for (count, dimensions) in [(1, 1), (7, 3), (16, 2), (257, 5)] {
            let rows = wholeRows(count, dimensions, seed: 3)
            let points = try backend.makePoints(count: count, dimensions: dimensions)
            let buffer = try backend.makeBuffer(rows.values, label: "rows")
            try backend.run(
                PointsPack(Rows(.floats(buffer), count: count, dimensions: dimensions), into: points))
            let read = try HostRows(points, on: backend)
            #expect(read.values == rows.values && read.count == count && read.dimensions == dimensions)
            #expect(read.gathered([count - 1, 0]).values == Array(rows[count - 1] + rows[0]))
        }
    }

    @Test func aRaisedFlagEndsComparisons() {
        let flag = CancellationFlag()
        flag.cancel()
        let rows = wholeRows(100, 3, seed: 1)
        #expect(throws: CancellationError.self) { try rows.nearest(3, within: [0..<100], cancellation: flag) }
        #expect(throws: CancellationError.self) {
            try rows.largestProductsWithEarlier(within: [0..<100], cancellation: flag)
        }
    }
}
