import Pruning
import Support
import Testing

/// Algorithm 1 of Zheng et al. (2023), line by line: which samples are in each stratum, and how many each gives.
private struct Algorithm1 {
    var strata: [[Int]] = []
    var budgets: [Int] = []

    init(_ scores: [Float], keeping size: Int, cut: Double, strata count: Int) {
        let hardestFirst = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
        let rest = hardestFirst.dropFirst(Int(cut * Double(scores.count)))
        let values = rest.map { Double(scores[$0]) }
        guard let low = values.min(), let high = values.max() else { return }
        let borders = (0..<count).map { low + (high - low) * Double($0) / Double(count) }
        strata = [[Int]](repeating: [], count: count)
        for index in rest {
            let stratum = high == low ? 0 : borders.lastIndex { $0 <= Double(scores[index]) } ?? 0
            strata[stratum].append(index)
        }
        budgets = [Int](repeating: 0, count: count)
        var left = Array(0..<count)
        var budget = size
        while !left.isEmpty {
            guard let smallest = left.min(by: { (strata[$0].count, $0) < (strata[$1].count, $1) }) else { return }
            budgets[smallest] = min(strata[smallest].count, budget / left.count)
            budget -= budgets[smallest]
            left.removeAll { $0 == smallest }
        }
    }
}

private func stratified(_ cut: Double = 0, _ strata: Int = 50, _ groups: Groups = .none) -> Selection {
    Selection(groups: groups, score: Selection.distance, order: .stratified(cut: cut, strata: strata))
}

@Suite struct StratifiedOrderTests {
    @Test(arguments: [1, 2, 7, 53, 101], [0, 0.1, 0.37])
    func everyStratumGivesWhatAlgorithm1Says(count: Int, cut: Double) throws {
        for (seed, strata) in [1, 2, 7, 50, 211].enumerated() {
            var random = RandomStream(seed: UInt64(seed), run: 0, purpose: .testing)
            // Squares, so that strata differ in size; every fifth is a tie.
            let scores = (0..<count).map { index in
                index % 5 == 4 ? 0.25 : Float(random.nextUnit() * random.nextUnit())
            }
            let input = SelectionInput(count: count, scores: scores)
            let left = count - Int(cut * Double(count))
            let whole = try keep(stratified(cut, strata), left, from: input).indices
            for size in someSizes(of: left) {
                let kept = try keep(stratified(cut, strata), size, from: input)
                let expected = Algorithm1(scores, keeping: size, cut: cut, strata: strata)
                let set = Set(kept.indices)
                #expect(kept.kept == size && set.count == size)
                #expect(expected.strata.map { $0.count(where: set.contains) } == expected.budgets)
                #expect(kept.indices == Array(whole.prefix(size)))
            }
        }
    }

    @Test func aScoreOnABorderBelongsToTheHigherStratum() throws {
        // 0 to 10 in 5 strata of width 2; the highest is in the last. Three of each but the last, which has 5.
        let scores: [Float] = [0, 1, 1.9, 2, 3, 3.9, 4, 5, 5.9, 6, 7, 7.9, 8, 9, 9.9, 10, 10]
        for size in 1...scores.count {
            let kept = try keep(stratified(0, 5), size, from: SelectionInput(count: scores.count, scores: scores))
            let perStratum = (0..<5).map { stratum in kept.indices.count { min(4, $0 / 3) == stratum } }
            // The largest first, then the higher of equal ones.
            let turns = [4, 3, 2, 1, 0, 4, 3, 2, 1, 0, 4, 3, 2, 1, 0, 4, 4].prefix(size)
            #expect(perStratum == (0..<5).map { stratum in turns.count { $0 == stratum } })
        }
    }

    @Test func theHardestAreCut() throws {
        let scores = (0..<100).map { Float(($0 * 37) % 100) }
        let input = SelectionInput(count: 100, scores: scores)
        let kept = try keep(stratified(0.2), 80, from: input)
        #expect(kept.indices.map { scores[$0] }.sorted() == (0..<80).map(Float.init))
        #expect(throws: PruningError.cutBelowSize(cut: "0.2", left: 80, size: 81)) {
            try keep(stratified(0.2), 81, from: input)
        }
    }

    @Test func samplesOfAStratumAreDrawnEvenly() throws {
        // 20 hard and 40 easy: each half of the size; all of a stratum are as likely.
        let scores = (0..<60).map { Float($0 % 3 == 0 ? 1 : 0) }
        let input = SelectionInput(count: 60, scores: scores)
        var counts = [Int](repeating: 0, count: 60)
        for seed in 0..<400 {
            for index in try keep(stratified(), 20, from: input, seed: UInt64(seed)).indices { counts[index] += 1 }
        }
        // 10 of 20 or 10 of 40 in 400 draws, standard deviation at most 10.
        for (index, count) in counts.enumerated() { #expect(abs(count - (index % 3 == 0 ? 200 : 100)) < 50) }
    }

    @Test func infiniteScoresAreInTheOuterStrata() throws {
        let scores: [Float] = [.infinity, .infinity, 0, 1, 2, 3, -.infinity]
        let kept = try keep(stratified(0, 4), 4, from: SelectionInput(count: 7, scores: scores)).indices
        #expect(Set(kept).intersection([0, 1, 5]).count == 1 && Set(kept).intersection([2, 6]).count == 1)
        #expect(Set(kept).isSuperset(of: [3, 4]))
        // They are the first to be cut.
        let cut = try keep(stratified(0.3, 4), 5, from: SelectionInput(count: 7, scores: scores)).indices
        #expect(Set(cut) == [2, 3, 4, 5, 6])
        let none = SelectionInput(count: 3, scores: [.infinity, -.infinity, .infinity])
        #expect(try keep(stratified(), 3, from: none).indices.sorted() == [0, 1, 2])
    }

    @Test(arguments: shapes, [0, 0.25])
    func everyClusterHasItsOwnStrata(sizes: [Int], cut: Double) throws {
        let planted = Planted(sizes: sizes)
        let rests = sizes.map { $0 - Int(cut * Double($0)) }
        let left = rests.reduce(0, +)
        for strata in [1, 3, 50] {
            for size in someSizes(of: left) {
                let kept = try planted.select(stratified(cut, strata, .cluster), size)
                #expect(kept.kept == size && Set(kept.indices).count == size)
                // What clusters lose by the cut the others make up for.
                #expect(kept.perCluster == expectedShares(rests, size))
                for (cluster, share) in kept.perCluster.enumerated() where share > 0 {
                    let distances = planted.keptDistances(kept, cluster: cluster)
                    let expected = Algorithm1(
                        (0..<sizes[cluster]).map(Float.init), keeping: share, cut: cut, strata: strata)
                    #expect(expected.strata.map { $0.count(where: distances.contains) } == expected.budgets)
                }
            }
            if left < planted.count {
                let error = PruningError.cutBelowSize(cut: "0.25", left: left, size: left + 1)
                #expect(throws: error) { try planted.select(stratified(cut, strata, .cluster), left + 1) }
            }
        }
    }

    @Test func theArticlesQuotaKeepsFewerWhereTheCutLeavesFewer() throws {
        let planted = Planted(sizes: [10, 90])
        #expect(try planted.select(stratified(0.5, 5, .cluster), 20, .article).perCluster == [5, 10])
        #expect(throws: PruningError.cutBelowSize(cut: "0.5", left: 50, size: 51)) {
            try planted.select(stratified(0.5, 5, .cluster), 51, .article)
        }
    }

    @Test func numbersOutOfRangeAreRefused() {
        let input = SelectionInput(count: 3, scores: [1, 2, 3])
        for (cut, text) in [(-0.1, "-0.1"), (1, "1"), (.nan, "nan")] {
            #expect(throws: PruningError.cutOutOfRange(cut: text)) { try keep(stratified(cut), 1, from: input) }
        }
        for strata in [0, -1, 1_000_001] {
            #expect(throws: PruningError.strataOutOfRange(strata: strata)) {
                try keep(stratified(0, strata), 1, from: input)
            }
        }
        #expect(throws: PruningError.notANumber(what: Selection.distance, index: 1)) {
            try keep(stratified(), 1, from: SelectionInput(count: 3, scores: [1, .nan, 3]))
        }
        #expect(throws: PruningError.scoresMissing(name: Selection.distance)) {
            try keep(stratified(), 1, from: SelectionInput(count: 3))
        }
    }
}
