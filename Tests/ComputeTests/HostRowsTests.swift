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

    /// 1 - the cosine of two rows, 1 where one is zeros.
    private func gap(_ rows: HostRows, _ one: Int, _ other: Int) -> Double {
        let (a, b) = (rows[one].map { Double($0) }, rows[other].map { Double($0) })
        let lengths = [a, b].map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        if lengths.contains(0) { return 1 }
        return zip(a, b).reduce(0) { sum, pair in
            let difference = pair.0 / lengths[0] - pair.1 / lengths[1]
            return sum + difference * difference / 2
        }
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

    @Test(arguments: shapes) func cosinesAreThoseWithEarlierRowsAlone(
        count: Int, dimensions: Int, segments: [Range<Int>]
    ) throws {
        let rows = wholeRows(count, dimensions, seed: UInt64(count + 1))
        let found = try rows.largestCosinesWithEarlier(within: segments)
        var isOutside = [Bool](repeating: true, count: count)
        for segment in segments {
            for row in segment {
                isOutside[row] = false
                let least = (segment.lowerBound..<row).map { gap(rows, row, $0) }.min()
                guard let least else {
                    #expect(found.gaps[row] == .infinity && found.rows[row] == -1)
                    continue
                }
                let partner = Int(found.rows[row])
                #expect(abs(found.gaps[row] - least) <= 1e-15, "row \(row) of \(count)")
                #expect((segment.lowerBound..<row).contains(partner))
                #expect(abs(gap(rows, row, partner) - least) <= 1e-15)
                // The first of copies.
                #expect(least > 0 || (segment.lowerBound..<partner).allSatisfy { rows[$0] != rows[row] })
            }
        }
        #expect((0..<count).allSatisfy { !isOutside[$0] || found.gaps[$0] == .infinity && found.rows[$0] == -1 })
    }

    @Test func queriesAreComparedWithCandidatesBeforeThemAlone() throws {
        let rows = wholeRows(400, 4, seed: 12)
        for (part, queries, candidates) in [
            (ComparedRows(0..<400, from: 150, with: 150), 150..<400, 0..<150),
            (ComparedRows(3..<260, from: 200), 200..<260, 3..<260), (ComparedRows(7..<8), 7..<8, 7..<8),
            (ComparedRows(0..<100, with: 60), 0..<100, 0..<60), (ComparedRows(5..<90, with: 5), 5..<90, 5..<5),
            (ComparedRows(5..<90, from: 90), 90..<90, 5..<90),
        ] {
            let found = try rows.largestCosines(of: [part])
            #expect(found.zeros == queries.filter { rows[$0].allSatisfy { $0 == 0 } })
            for row in 0..<400 {
                let least =
                    queries.contains(row) ? candidates.filter { $0 < row }.map { gap(rows, row, $0) }.min() : nil
                let partner = Int(found.rows[row])
                guard let least else {
                    #expect(found.gaps[row] == .infinity && partner == -1)
                    continue
                }
                #expect(abs(found.gaps[row] - least) <= 1e-15 && candidates.contains(partner) && partner < row)
            }
        }
    }

    @Test func cosinesOfManyNearRowsAreTheExactOnes() throws {
        // A heap far nearer to each other than float32 tells by products, among rows of every direction.
        var random = RandomStream(seed: 8, run: 0, purpose: .testing)
        let (count, dimensions) = (150, 6)
        var values: [Float] = []
        for row in 0..<count {
            let isNear = row % 3 != 0
            for column in 0..<dimensions {
                values.append(
                    Float(isNear ? Double(column + 1) + random.nextUniform(-1, 1) * 1e-4 : random.nextUniform(-9, 9)))
            }
        }
        let rows = HostRows(values, count: count, dimensions: dimensions)
        let found = try rows.largestCosinesWithEarlier(within: [0..<count])
        for row in 1..<count {
            let least = (0..<row).map { gap(rows, row, $0) }.min() ?? 0
            #expect(abs(found.gaps[row] - least) <= 1e-6 * least)
        }
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

    @Test func rowsOfZerosHaveNoDirectionOnceTheirShiftIsAddedAgain() throws {
        // No float32 is 0.1 or 0.3: what comes back is not quite zero.
        let shift = [0.1, -0.3, 7.7]
        let truth: [[Double]] = [[1, 2, 3], [0, 0, 0], [2, 4, 6], [0, 0, 0], [1e-3, 0, 0]]
        let values = truth.flatMap { row in zip(row, shift).map { Float($0 - $1) } }
        let rows = HostRows(values, count: 5, dimensions: 3)
        let found = try rows.largestCosinesWithEarlier(within: [0..<5], adding: shift)
        #expect(found.gaps[1] == 1 && found.gaps[3] == 1 && found.gaps[2] < 1e-12 && found.gaps[4] < 0.75)
        let unit = rows.normalised(adding: shift)
        #expect(
            unit[1].allSatisfy { $0 == 0 } && unit[3].allSatisfy { $0 == 0 } && unit[4].contains { abs($0 - 1) < 1e-3 })
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
            try rows.largestCosinesWithEarlier(within: [0..<100], cancellation: flag)
        }
    }
}
