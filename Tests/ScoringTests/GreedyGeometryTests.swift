import Clustering
import Compute
import Foundation
import Pruning
import Support
import TestSupport
import Testing

@testable import Scoring

@Suite struct GreedyGeometryTests {
    /// The member of least mean distance to its min(20, n / 2) nearest, in the plainest way.
    private func mostTypical(_ left: [Int], _ values: [Float], _ dimensions: Int) -> Int {
        let wanted = min(20, left.count / 2)
        var best = (mean: Double.infinity, member: -1)
        for member in left {
            let nearest = left.filter { $0 != member }.map { distance(values, dimensions, member, $0) }.sorted()
            let mean = wanted == 0 ? 0 : nearest.prefix(wanted).reduce(0, +) / Double(wanted)
            if mean < best.mean { best = (mean, member) }
        }
        return best.member
    }

    /// Algorithm 1 of the paper over a clustering, in the plainest way.
    private func typiclust(_ labels: [Int32], _ values: [Float], _ dimensions: Int, size: Int) -> [Int] {
        var clusters = Dictionary(grouping: labels.indices, by: { labels[$0] }).mapValues { $0.sorted() }
        let ranked = clusters.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        var picks: [Int] = []
        for keys in [
            ranked.filter { $0.value.count > 5 }.map(\.key), ranked.filter { $0.value.count <= 5 }.map(\.key),
        ] {
            while keys.contains(where: { clusters[$0]?.isEmpty == false }), picks.count < size {
                for key in keys {
                    guard let left = clusters[key], !left.isEmpty, picks.count < size else { continue }
                    let pick = mostTypical(left, values, dimensions)
                    picks.append(pick)
                    clusters[key] = left.filter { $0 != pick }
                }
            }
        }
        return picks
    }

    @Test(arguments: TestBackends.names) func typiclustIsThePapersAlgorithm(name: String) throws {
        let backend = try TestBackends.make(name)
        let values = wholeNumbers(150, 3, below: 60, seed: 4)
        var input = try pointInput(values, 3, on: backend)
        guard let points = input.points else { return }
        for size in [1, 2, 7, 40, 149, 150] {
            input.size = size
            input.run = size
            let clustering = try KMeans(k: size, kind: .lloyd(iterations: 100), seed: input.seed, run: size)
                .fit(PointSource(points, isDirect: true), on: backend)
            let scores = try Score.typiclust.values(input)
            #expect(picks(scores) == typiclust(clustering.labels, values, 3, size: size), "\(size) picks")
            #expect(scores.max() == Float(size))
        }
        #expect(Score.typiclust.isOrder && Score.typiclust.dependsOnSize && Score.typiclust.isHighHard)
    }

    @Test(arguments: TestBackends.names) func typiclustPicksTheMiddlesOfFarClusters(name: String) throws {
        let backend = try TestBackends.make(name)
        // Five around each of four centres, which is the first of each.
        var values: [Float] = []
        for centre in 0..<4 {
            let (x, y) = (Float(centre % 2 * 1000), Float(centre / 2 * 1000))
            values += [x, y]
            for step in 0..<5 {
                let angle = Double(step) * .pi / 2.5
                values += [x + Float(10 * cos(angle)), y + Float(10 * sin(angle))]
            }
        }
        var input = try pointInput(values, 2, on: backend)
        input.size = 4
        #expect(Set(picks(try Score.typiclust.values(input))) == [0, 6, 12, 18])
    }

    @Test func typiclustPicksFromEachGroupByItsShare() throws {
        let values = wholeNumbers(60, 2, below: 40, seed: 9)
        var input = try pointInput(values, 2, on: CPUBackend())
        input.groups = (0..<60).map { Int32($0 < 3 ? 2 : $0 % 2) }
        input.size = 13
        let scores = try Score.typiclust.values(input)
        let perGroup = (0..<3).map { group in picks(scores).filter { input.groups?[$0] == Int32(group) } }
        #expect(perGroup.map(\.count) == [13, 13, 3])
        for group in perGroup { #expect(group.map { Int(scores[$0]) } == (1...group.count).reversed()) }
        // Each group begins as it would alone, with a budget of its share: 5 of 13, as one group has no more than 3.
        let members = (0..<60).filter { input.groups?[$0] == 1 }
        var alone = try pointInput(
            members.flatMap { values[$0 * 2..<$0 * 2 + 2] }, 2, on: CPUBackend())
        alone.size = 5
        #expect(picks(try Score.typiclust.values(alone)).map { members[$0] } == Array(perGroup[1].prefix(5)))
        input.groups = [0]
        #expect(throws: ScoringError.self) { try Score.typiclust.values(input) }
        input.groups = [Int32](repeating: -1, count: 60)
        #expect(throws: ScoringError.self) { try Score.typiclust.values(input) }
    }

    @Test func oneSampleOfOneNumberIsPicked() throws {
        let input = try pointInput([4], 1, on: CPUBackend())
        #expect(try Score.typiclust.values(input) == [1])
        #expect(try Score.d2.values(input) == [1])
        var none = input
        none.size = 0
        #expect(try Score.typiclust.values(none) == [0])
        #expect(try Score.d2.values(none) == [0])
    }

    @Test func membersThatWentAreReplacedByTheNextNearest() throws {
        // More than the neighbours that are kept of each, all taken; many are equal.
        for (count, bound) in [(1, 3), (2, 3), (90, 5), (130, 400)] {
            let values = wholeNumbers(count, 2, below: bound, seed: UInt64(count))
            let rows = HostRows(values, count: count, dimensions: 2)
            var members = TypicalMembers(0..<count, of: rows, try rows.nearest(40, within: [0..<count]))
            var left = Array(0..<count)
            while !members.isEmpty {
                let expected = mostTypical(left, values, 2)
                guard members.takeMostTypical() == expected else {
                    Issue.record("not \(expected) with \(left.count) of \(count) left")
                    break
                }
                left.removeAll { $0 == expected }
            }
        }
    }

    /// D2's order from the paper, in the plainest way.
    private func d2(
        _ values: [Float], _ dimensions: Int, starts: [Double], neighbors: Int, gamma: Double, size: Int
    ) -> [Int] {
        let count = starts.count
        let graph = (0..<count).map { row in
            (0..<count).filter { $0 != row }.map { (distance(values, dimensions, row, $0), $0) }
                .sorted { $0 < $1 }.prefix(neighbors)
        }
        var x = (0..<count).map { row in
            graph[row].reduce(starts[row]) { $0 + exp(-gamma * $1.0) * starts[$1.1] }
        }
        var picks: [Int] = []
        for _ in 0..<size {
            var best = -1
            for row in 0..<count where !picks.contains(row) && (best < 0 || x[row] > x[best]) { best = row }
            picks.append(best)
            for (far, other) in graph[best] { x[other] -= exp(-gamma * far) * x[best] }
        }
        return picks
    }

    @Test(arguments: TestBackends.names) func d2IsThePapersAlgorithm(name: String) throws {
        let backend = try TestBackends.make(name)
        for (count, dimensions) in [(2, 1), (7, 1), (90, 2), (131, 7)] {
            let values = wholeNumbers(count, dimensions, seed: UInt64(count))
            var input = try pointInput(values, dimensions, on: backend)
            for (neighbors, gamma) in [(1, 1.0), (10, 1.0), (10, 0.1), (200, 0.0)] {
                input.parameters.neighbors = neighbors
                input.parameters.gamma = gamma
                let expected = d2(
                    values, dimensions, starts: [Double](repeating: 1, count: count), neighbors: neighbors,
                    gamma: gamma, size: count)
                let found = picks(try Score.d2.values(input))
                #expect(found == expected, "\(count) samples, \(neighbors) neighbours, gamma \(gamma)")
                input.size = count / 2
                #expect(picks(try Score.d2.values(input)) == Array(expected.prefix(count / 2)))
                input.size = count
            }
        }
    }

    @Test func d2StartsFromDifficultiesAndSpreads() throws {
        // Sixty in a heap, and ten alone.
        let values = (0..<60).map { Float($0) * 0.001 } + (0..<10).map { Float(1000 + 100 * $0) }
        let rows = HostRows(values, count: 70, dimensions: 1)
        let neighbors = try rows.nearest(10, within: [0..<70])
        let even = [Double](repeating: 1, count: 70)
        var graph = MessageGraph(neighbors, gamma: 1, starts: even)
        let spread = try graph.pick(20, of: 0..<70, CancellationFlag())
        #expect(spread[0] < 60 && Set(spread).isSuperset(of: 60..<70))
        // A hard one goes first, and its neighbours gain from it.
        var starts = even
        starts[65] = 45
        starts[30] = 40
        graph = MessageGraph(neighbors, gamma: 1, starts: starts)
        let hard = try graph.pick(2, of: 0..<70, CancellationFlag())
        #expect(hard[1] == 65 && abs(hard[0] - 30) <= 10)
        #expect(
            hard == d2(values, 1, starts: starts, neighbors: 10, gamma: 1, size: 2))
    }

    @Test func gammaFollowsTheScaleUnlessItIsGiven() throws {
        let values = wholeNumbers(60, 2, below: 30, seed: 17)
        var orders: [[Int]] = []
        for scale in [1, 4096, 0x1p-12] as [Float] {
            var input = try pointInput(values.map { scale * $0 }, 2, on: CPUBackend())
            let graph = try D2Graph(input)
            // The middle distance to one of ten neighbours, none of which is a copy.
            let distances = (0..<60).flatMap { row in
                (0..<60).filter { $0 != row }.map { distance(values, 2, row, $0) }.sorted().prefix(10)
            }.filter { $0 > 0 }.sorted()
            #expect(abs(graph.gamma * Double(scale) * distances[distances.count / 2] - 1) < 1e-6)
            orders.append(picks(try Score.d2.values(input)))
            input.graph = graph
            #expect(picks(try Score.d2.values(input)) == orders.last)
        }
        #expect(orders[1] == orders[0] && orders[2] == orders[0])
        var far = try pointInput(values.map { 4096 * $0 }, 2, on: CPUBackend())
        far.parameters.gamma = 1
        let error = #expect(throws: ScoringError.self) { try D2Graph(far) }
        #expect(error?.description.contains("4096 apart") == true, "\(error?.description ?? "")")
        // Only copies.
        #expect(picks(try Score.d2.values(pointInput([3, 3, 3], 1, on: CPUBackend()))) == [0, 1, 2])
    }

    @Test func d2PicksWithinGroupsAndRefusesWhatDoesNotFit() throws {
        let values = wholeNumbers(50, 2, below: 30, seed: 13)
        var input = try pointInput(values, 2, on: CPUBackend())
        input.groups = (0..<50).map { Int32($0 % 3) }
        input.size = 9
        input.parameters.gamma = 1
        let scores = try Score.d2.values(input)
        for group in 0..<3 {
            let members = (0..<50).filter { $0 % 3 == group }
            let expected = d2(
                members.flatMap { values[$0 * 2..<$0 * 2 + 2] }, 2, starts: members.map { _ in 1 }, neighbors: 10,
                gamma: 1, size: 9
            ).map { members[$0] }
            #expect(picks(scores).filter { $0 % 3 == group } == expected)
        }
        input.classes = ClassLabels(labels: [UInt8](repeating: 0, count: 50), count: 1)
        #expect(throws: ScoringError.missing(what: "training dynamics", score: "d2")) {
            try Score.d2.values(input)
        }
        input.parameters.neighbors = 0
        let error = #expect(throws: ScoringError.self) { try Score.d2.values(input) }
        #expect(error?.description == "neighbors is 0; 1 or more are possible")
        input.parameters.neighbors = 1
        input.parameters.gamma = .nan
        #expect(throws: ScoringError.self) { try Score.d2.values(input) }
    }

    @Test func aRaisedFlagEndsThem() throws {
        var input = try pointInput(wholeNumbers(30, 2, seed: 1), 2, on: CPUBackend())
        input.clustering = ClusterAssignment(
            labels: [Int32](repeating: 0, count: 30), squaredDistances: [Float](repeating: 0, count: 30), k: 1)
        input.classes = nil
        input.parameters.k = 2
        input.cancellation.cancel()
        for score in [Score.typiclust, .d2, .semdedup, .prototypes] {
            #expect(throws: CancellationError.self) { try score.values(input) }
        }
    }
}
