import Clustering
import Compute
import Pruning
import Support
import TestSupport
import Testing

@testable import Scoring

@Suite struct GeometryTests {
    /// Rows around three directions, and one far from all, the last.
    private func directions() -> [Float] {
        var random = RandomStream(seed: 3, run: 0, purpose: .testing)
        var values: [Float] = []
        for row in 0..<60 {
            let length = random.nextUniform(1, 20)
            values += (0..<4).map { Float(length * ($0 == row % 3 ? 1 : random.nextUniform(-0.05, 0.05))) }
        }
        return values + [-1, -1, -1, -2]
    }

    @Test(arguments: TestBackends.names) func prototypesFindWhatLiesInNoUsualDirection(name: String) throws {
        let backend = try TestBackends.make(name)
        var input = try pointInput(directions(), 4, on: backend)
        input.parameters.k = 3
        let scores = try Score.prototypes.values(input)
        #expect(scores.indices.max { scores[$0] < scores[$1] } == 60 && Score.prototypes.isHighHard)
        #expect(scores.dropLast().allSatisfy { (0..<0.02).contains($0) })
        #expect(try Score.prototypes.values(input) == scores)
        // The length of a row does not matter.
        let scaled = directions().enumerated().map { $1 * ($0 / 4 % 2 == 0 ? 1 : 8) }
        var other = try pointInput(scaled, 4, on: backend)
        other.parameters.k = 3
        #expect(try Score.prototypes.values(other) == scores)
        // The built-in path says the same, up to rounding.
        var plain = try pointInput(directions(), 4, on: CPUBackend())
        plain.parameters.k = 3
        #expect(zip(try Score.prototypes.values(plain), scores).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test(arguments: TestBackends.names) func onePrototypeIsTheMeanDirection(name: String) throws {
        let backend = try TestBackends.make(name)
        let values = wholeNumbers(23, 5, seed: 2) + [Float](repeating: 0, count: 5)
        var input = try pointInput(values, 5, on: backend)
        input.parameters.k = 1
        let scores = try Score.prototypes.values(input)
        var mean = [Double](repeating: 0, count: 5)
        let lengths = (0..<23).map { distance(values, 5, $0, 23) }
        for row in 0..<23 {
            for dimension in 0..<5 { mean[dimension] += Double(values[row * 5 + dimension]) / lengths[row] }
        }
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for row in 0..<23 {
            let product = (0..<5).reduce(0) { $0 + Double(values[row * 5 + $1]) * mean[$1] }
            #expect(abs(Double(scores[row]) - (1 - product / length / lengths[row])) < 1e-5)
        }
        #expect(scores[23] == 1)
    }

    @Test func everyDirectionMayBeAPrototype() throws {
        let backend = CPUBackend()
        func scores(_ values: [Float], k: Int?) throws -> [Float] {
            var input = try pointInput(values, 1, on: backend)
            input.parameters.k = k
            return try Score.prototypes.values(input)
        }
        #expect(try scores([5], k: 1) == [0])
        #expect(try scores([0, 0], k: 2) == [1, 1])
        #expect(try scores([2, -3, 0], k: 3) == [0, 0, 1])
        #expect(throws: ScoringError.missing(what: "k, the number of clusters", score: "prototypes")) {
            try scores([1], k: nil)
        }
        for k in [0, 2] {
            let error = #expect(throws: ScoringError.self) { try scores([1], k: k) }
            #expect(error?.description == "k is \(k); 1 to 1, the number of samples, are possible")
        }
        #expect(throws: ScoringError.missing(what: "the samples as points", score: "prototypes")) {
            try Score.prototypes.values(ScoreInput(count: 1))
        }
    }

    @Test(arguments: TestBackends.names) func moderateIsTheDistanceToTheMeanOfTheClass(name: String) throws {
        let backend = try TestBackends.make(name)
        // A class of one, an empty one, and an outlier in class 0.
        let values = wholeNumbers(40, 3, seed: 6) + [100, 100, 100]
        var labels = (0..<41).map { UInt8($0 % 2) }
        labels[7] = 3
        var input = try pointInput(values, 3, on: backend)
        input.classes = ClassLabels(labels: labels, count: 5)
        let scores = try Score.moderate.values(input)
        for row in 0..<41 {
            let members = (0..<41).filter { labels[$0] == labels[row] }
            let square = (0..<3).reduce(0.0) { sum, dimension in
                let mean = members.reduce(0) { $0 + Double(values[$1 * 3 + dimension]) } / Double(members.count)
                let difference = Double(values[row * 3 + dimension]) - mean
                return sum + difference * difference
            }
            #expect(abs(Double(scores[row]) - square.squareRoot()) <= 1e-6 * square.squareRoot())
        }
        #expect(scores[7] == 0 && scores.indices.max { scores[$0] < scores[$1] } == 40)
        #expect(Score.moderate.isHighHard && Score.moderate.paper.groups == .class)
    }

    @Test func moderateNeedsAClassForEachSample() throws {
        var input = try pointInput([1, 2], 1, on: CPUBackend())
        #expect(throws: ScoringError.missing(what: "classes", score: "moderate")) {
            try Score.moderate.values(input)
        }
        input.classes = ClassLabels(labels: [0], count: 1)
        let error = #expect(throws: ScoringError.self) { try Score.moderate.values(input) }
        #expect(error?.description == "the number of class labels is 1; one for each of 2 samples is needed")
    }

    @Test(arguments: TestBackends.names) func copiesAreRedundant(name: String) throws {
        let backend = try TestBackends.make(name)
        var random = RandomStream(seed: 12, run: 0, purpose: .testing)
        var values = (0..<90 * 8).map { _ in Float(random.nextUniform(-1, 1)) }
        // Rows 60 to 89 are longer copies of 0 to 29.
        for element in 0..<30 * 8 { values[60 * 8 + element] = 2 * values[element] }
        let labels = (0..<90).map { Int32($0 % 30 % 4) }
        let squares = (0..<90).map { Float($0 % 30) }
        var input = try pointInput(values, 8, on: backend)
        input.clustering = ClusterAssignment(labels: labels, squaredDistances: squares, k: 5)
        let scores = try Score.semdedup.values(input)
        // The distances of copies are equal, so that they come after their originals.
        for row in 60..<90 { #expect(scores[row] == 0) }
        for row in 0..<60 { #expect(scores[row] < -0.001) }
        for row in 0..<90 {
            let earlier = (0..<90).filter {
                labels[$0] == labels[row]
                    && (squares[$0] > squares[row] || (squares[$0] == squares[row] && $0 < row))
            }
            let truth = (earlier.map { cosine(values, 8, row, $0) }.max() ?? -1) - 1
            #expect(abs(Double(scores[row]) - truth) < 1e-6)
        }
        #expect(scores.filter { $0 == -2 }.count == 4)
        #expect(!Score.semdedup.isHighHard && Score.semdedup.paper == PapersChoice(within: .none, keeping: .hard))
    }

    @Test(arguments: TestBackends.names) func twinsFarFromTheOriginAreFound(name: String) throws {
        let backend = try TestBackends.make(name)
        // Pairs, the second a little off the first, all of whose cosines are 1 in float32; and one copy.
        var random = RandomStream(seed: 31, run: 0, purpose: .testing)
        let (pairs, dimensions) = (40, 50)
        func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + random.nextUnit() } }
        var values = (0..<pairs * dimensions).map { _ in Float(1000 + normal()) }
        values += values.map { Float(Double($0) + 0.02 * normal()) }
        values += values[..<dimensions]
        let count = 2 * pairs + 1
        for (k, shift) in [(1, nil), (3, nil), (1, 1000.0), (9, 999)] as [(Int, Double?)] {
            var input = try pointInput(values.map { Float(Double($0) - (shift ?? 0)) }, dimensions, on: backend)
            input.shift = shift.map { [Double](repeating: $0, count: dimensions) }
            let labels = (0..<count).map { Int32($0 == 2 * pairs ? 0 : $0 % pairs % k) }
            input.clustering = ClusterAssignment(
                labels: labels, squaredDistances: [Float](repeating: 1, count: count), k: k)
            let scores = try Score.semdedup.values(input)
            for row in 0..<count {
                let gaps = (0..<row).filter { labels[$0] == labels[row] }.map { gap(values, dimensions, row, $0) }
                let truth = gaps.min() ?? 2
                #expect(abs(Double(scores[row]) + truth) <= 1e-6 * truth, "row \(row), k \(k)")
            }
            let twins = Set(pairs..<count)
            #expect(Set(scores.indices.sorted { scores[$0] > scores[$1] }.prefix(pairs + 1)) == twins)
            #expect(scores[2 * pairs] == 0 && scores.count { $0 == 0 } == 1)
            // Cosines apart by less than float32 has near 1.
            #expect(scores.dropFirst(pairs).dropLast().allSatisfy { $0 < 0 && $0 > -6e-8 })
            // The threshold of the paper cuts between twins and others.
            #expect(try Score.semdedupCount(scores, eps: 1e-8) == pairs)
            #expect(try Score.semdedupCount(scores, eps: 2) == k)
        }
        for eps in [0, -1, 2.1, .nan] {
            #expect(throws: ScoringError.self) { try Score.semdedupCount([0], eps: eps) }
        }
    }

    /// 1 - the cosine of two rows, from the difference of their directions.
    private func gap(_ values: [Float], _ dimensions: Int, _ one: Int, _ other: Int) -> Double {
        func unit(_ row: Int) -> [Double] {
            let own = values[row * dimensions..<(row + 1) * dimensions].map { Double($0) }
            let length = own.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return own.map { $0 / length }
        }
        return zip(unit(one), unit(other)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 2
    }

    @Test func firstMembersAndRowsOfZerosAreNotRedundant() throws {
        var input = try pointInput([0, 0, 1, 0, -1, 0, 0, 0, 3, 0], 2, on: CPUBackend())
        input.clustering = ClusterAssignment(labels: [2, 2, 2, 0, 2], squaredDistances: [9, 8, 7, 1, 6], k: 3)
        #expect(try Score.semdedup.values(input) == [-2, -1, -1, -2, 0])
        input.clustering = ClusterAssignment(labels: [2], squaredDistances: [9], k: 3)
        #expect(throws: ScoringError.self) { try Score.semdedup.values(input) }
        input.clustering = nil
        #expect(throws: ScoringError.missing(what: "a clustering", score: "semdedup")) {
            try Score.semdedup.values(input)
        }
    }

    @Test func cosinesAreOfCoordinatesWithTheirShift() throws {
        let values = wholeNumbers(30, 3, seed: 21)
        let shift = [5.0, -3, 0.5]
        let whole = values.enumerated().map { $1 + Float(shift[$0 % 3]) }
        func scores(_ score: Score, _ values: [Float], shift: [Double]?) throws -> [Float] {
            var input = try pointInput(values, 3, on: CPUBackend())
            input.shift = shift
            input.parameters.k = 4
            input.clustering = ClusterAssignment(
                labels: [Int32](repeating: 0, count: 30), squaredDistances: (0..<30).map { Float($0) }, k: 1)
            return try score.values(input)
        }
        for score in [Score.semdedup, .prototypes] {
            let expected = try scores(score, whole, shift: nil)
            #expect(try scores(score, values, shift: shift) == expected)
            #expect(try scores(score, values, shift: nil) != expected)
            #expect(throws: ScoringError.self) { try scores(score, values, shift: [1]) }
        }
    }

    @Test func sharesAreGivenInTurns() {
        #expect(evenShares(of: 5, among: [1, 9, 4]) == [1, 2, 2])
        #expect(evenShares(of: 6, among: [1, 4, 9]) == [1, 2, 3])
        #expect(evenShares(of: 2, among: [3, 3, 3]) == [1, 1, 0])
        #expect(evenShares(of: 99, among: [3, 0, 2]) == [3, 0, 2])
        #expect(evenShares(of: 0, among: [3]) == [0] && evenShares(of: 1, among: []) == [])
        for size in 0...16 {
            // Turn by turn.
            let lengths = [5, 0, 7, 1, 3]
            var shares = [0, 0, 0, 0, 0]
            var left = size
            while left > 0, shares != lengths {
                for group in [2, 0, 4, 3, 1] where left > 0 && shares[group] < lengths[group] {
                    shares[group] += 1
                    left -= 1
                }
            }
            #expect(evenShares(of: size, among: lengths) == shares)
        }
    }
}
