import Compute
import Support
import TestSupport
import Testing

@testable import Scoring

/// Greedy orders of points, against what their papers say, in double.
@Suite struct GreedyOrderTests {
    private static let dimensions = 5
    private static let unit = 0x1p-24

    /// Rows of ``dimensions`` numbers that `draw` makes, on a backend.
    private struct Made {
        let rows: [[Float]]
        let input: ScoreInput
        let backend: any Backend

        init(_ rows: [[Float]], groups: [Int32]? = nil, size: Int? = nil, on backend: any Backend = CPUBackend())
            throws
        {
            self.rows = rows
            self.backend = backend
            let points = try backend.makePoints(count: rows.count, dimensions: rows[0].count)
            let values = try backend.makeBuffer(rows.flatMap { $0 }, label: "rows")
            try backend.run(
                PointsPack(Rows(.floats(values), count: rows.count, dimensions: rows[0].count), into: points))
            input = ScoreInput(count: rows.count, points: points, backend: backend, groups: groups, size: size)
        }

        /// The picks of a score in their order; what was not picked has 0.
        func picks(_ score: Score) throws -> [Int] {
            let values = try score.values(input)
            return values.indices.filter { values[$0] > 0 }.sorted { values[$0] > values[$1] }
        }
    }

    private static func random(_ count: Int, seed: UInt64 = 1, _ draw: (inout RandomStream) -> Double) -> [[Float]] {
        var stream = RandomStream(seed: seed, run: 0, purpose: .testing)
        return (0..<count).map { _ in (0..<dimensions).map { _ in Float(draw(&stream)) } }
    }

    private static func mean(_ rows: [[Float]]) -> [Double] {
        rows[0].indices.map { column in rows.reduce(0) { $0 + Double($1[column]) } / Double(rows.count) }
    }

    private static func squared(_ row: [Float], _ target: [Double]) -> Double {
        zip(row, target).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
    }

    /// How far a squared distance is from the true one: a difference, a square and an addition a dimension; and the target
    /// itself is rounded, by `off` at most.
    private static func error(_ square: Double, off: Double) -> Double {
        Double(dimensions + 4) * unit * square + 2 * square.squareRoot() * off + 2 * off * off
    }

    /// Each pick, recomputed from those before it, must be the best one or as good but for rounding; of equal ones in
    /// exact arithmetic the lowest.
    private static func check(_ picks: [Int], of rows: [[Float]], _ score: Score, isExact: Bool = false) {
        let mean = mean(rows)
        var target = mean
        var nearest = [Double](repeating: .infinity, count: rows.count)
        var isLeft = [Bool](repeating: true, count: rows.count)
        for (step, pick) in picks.enumerated() {
            guard isLeft[pick] else {
                Issue.record("\(score.name) picks \(pick) twice")
                return
            }
            let isFarthest = score.name == "k-center" && step > 0
            let off = isFarthest ? 0 : unit * target.reduce(0) { $0 + $1 * $1 }.squareRoot() * 1.01
            func bad(_ index: Int) -> (value: Double, error: Double) {
                let square = squared(rows[index], target)
                if isFarthest { nearest[index] = min(nearest[index], square) }
                let value = isFarthest ? nearest[index] : square
                return (isFarthest ? -value : value, isExact && isFarthest ? 0 : error(value, off: off))
            }
            let mine = bad(pick)
            for index in rows.indices where isLeft[index] && index != pick {
                let other = bad(index)
                let bound = mine.error + other.error
                if mine.value - other.value > bound || (bound == 0 && mine.value == other.value && index < pick) {
                    Issue.record("\(score.name), pick \(step): \(pick) is \(mine), \(index) is \(other)")
                    return
                }
            }
            isLeft[pick] = false
            for column in target.indices {
                let x = Double(rows[pick][column])
                target[column] = score.name == "herding" ? target[column] + mean[column] - x : x
            }
        }
    }

    @Test(arguments: TestBackends.names)
    func wholeNumbersGiveTheSameOrderEverywhere(_ name: String) throws {
        let rows = Self.random(300) { Double($0.nextIndex(below: 7)) }
        let made = try Made(rows, on: try TestBackends.make(name))
        for score in Score.ofGreedyOrders {
            let picks = try made.picks(score)
            #expect(picks.count == 300)
            Self.check(picks, of: rows, score, isExact: true)
            #expect(try picks == Made(rows).picks(score), "\(score.name)")
        }
    }

    /// Far from the origin, where a sum of picks that was not compensated would soon be worth nothing.
    @Test(arguments: TestBackends.names)
    func eachPickIsTheBestButForRounding(_ name: String) throws {
        let rows = Self.random(400, seed: 2) { $0.nextUniform(100, 101) }
        let made = try Made(rows, on: try TestBackends.make(name))
        for score in Score.ofGreedyOrders {
            let picks = try made.picks(score)
            #expect(picks.count == 400)
            Self.check(picks, of: rows, score)
        }
    }

    @Test func kCenterTakesEachFarClusterFirst() throws {
        // Of very different sizes, so that a random choice would hardly do it.
        let clusters = (0..<200).map { $0 < 140 ? 0 : $0 < 190 ? 1 : $0 - 188 }
        let noise = Self.random(200, seed: 3) { $0.nextUniform(-1, 1) }
        let rows = zip(clusters, noise).map { cluster, row in
            row.enumerated().map { $1 + Float(50 * cluster * ($0 == cluster % Self.dimensions ? 2 : 1)) }
        }
        let picks = try Made(rows, size: 12).picks(.kCenter)
        #expect(picks.count == 12 && Set(picks.map { clusters[$0] }).count == 12)
    }

    @Test func herdingsMeanErrorFallsLikeOneOverT() throws {
        let rows = Self.random(500, seed: 4) { $0.nextUniform(-1, 1) + $0.nextUniform(-1, 1) }
        let mean = Self.mean(rows)
        let radius = rows.map { Self.squared($0, mean) }.max()?.squareRoot() ?? 0
        let picks = try Made(rows).picks(.herding)
        var sums = [Double](repeating: 0, count: Self.dimensions)
        var errors: [Double] = []
        for (place, pick) in picks.enumerated() {
            for column in sums.indices { sums[column] += Double(rows[pick][column]) }
            let step = Double(place + 1)
            errors.append(zip(sums, mean).reduce(0) { $0 + ($1.0 / step - $1.1) * ($1.0 / step - $1.1) }.squareRoot())
        }
        for (place, error) in errors.enumerated() where place < 400 {
            #expect(error * Double(place + 1) < radius, "after \(place + 1)")
        }
        // Random picks are at about 0.06 there.
        #expect(errors[199] < 0.005 && errors[499] < 1e-9)
    }

    @Test func pointsThatRepeatArePickedOnce() throws {
        let rows: [[Float]] = [[0], [0], [5], [5], [5], [1]]
        #expect(try Made(rows).picks(.kCenter) == [5, 2, 0, 1, 3, 4])
        #expect(try Made(rows).picks(.herding).sorted() == Array(0..<6))
        #expect(try Made([[2], [2], [2]]).picks(.kCenter) == [0, 1, 2])
        #expect(try Made([[2], [2], [2]]).picks(.herding) == [0, 1, 2])
    }

    @Test(arguments: TestBackends.names)
    func groupsHaveOrdersOfTheirOwn(_ name: String) throws {
        let rows = Self.random(90, seed: 5) { Double($0.nextIndex(below: 50)) }
        // 7 points of group 4, the others of group 1.
        let groups = (0..<90).map { Int32($0 % 13 == 6 ? 4 : 1) }
        let made = try Made(rows, groups: groups, size: 20, on: try TestBackends.make(name))
        for score in Score.ofGreedyOrders {
            let values = try score.values(made.input)
            for group in [Int32(4), 1] {
                let members = (0..<90).filter { groups[$0] == group }
                let alone = try Made(members.map { rows[$0] }, size: 20).picks(score)
                let picked = members.filter { values[$0] > 0 }.sorted { values[$0] > values[$1] }
                #expect(picked == alone.map { members[$0] } && picked.count == min(20, members.count))
                #expect(picked.map { values[$0] } == (1...picked.count).reversed().map { Float($0) })
            }
        }
    }

    @Test func noMoreIsPickedThanIsWanted() throws {
        let rows = Self.random(40, seed: 6) { $0.nextUniform(-1, 1) }
        for score in Score.ofGreedyOrders {
            let some = try Made(rows, size: 7).picks(score)
            let all = try Made(rows).picks(score)
            #expect(some.count == 7 && Array(all.prefix(7)) == some)
            #expect(try Made(rows, size: 0).picks(score).isEmpty)
            #expect(score.isOrder && score.needs == [.points] && score.paper.groups == .none)
        }
    }

    @Test func whatIsMissingIsSaid() throws {
        for score in Score.ofGreedyOrders {
            #expect(throws: ScoringError.missing(what: "the samples as points", score: score.name)) {
                try score.values(ScoreInput(count: 3))
            }
            let made = try Made([[1], [2]], groups: [0])
            #expect(
                throws: ScoringError.badParameter(
                    name: "the number of groups", value: "1", accepted: "one for each of 2 samples is needed")
            ) { try score.values(made.input) }
            made.input.cancellation.cancel()
            var whole = made.input
            whole.groups = nil
            #expect(throws: CancellationError.self) { try score.values(whole) }
        }
    }
}
