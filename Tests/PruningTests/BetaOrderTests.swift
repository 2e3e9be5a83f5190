import Foundation
import Pruning
import Support
import Testing

/// The draw as the papers write it: u^(1 / weight), the largest first, with the density's constant.
private func referenceDraw(
    _ members: [Int], _ input: SelectionInput, keeping share: Int, cD: Double, random: inout RandomStream
) -> [Int] {
    let scores = input.scores ?? []
    let probabilities = (input.meanProbability ?? []).map(Double.init)
    let hardest = members.sorted { (-scores[$0], $0) < (-scores[$1], $1) }.prefix(10)
    let mu = hardest.map { probabilities[$0] }.reduce(0, +) / Double(hardest.count)
    let b = 15 * (1 - mu) * (1 - pow(1 - Double(share) / Double(members.count), cD))
    let a = 16 - b
    let constant = exp(lgamma(a + b) - lgamma(a) - lgamma(b))
    var keys: [Int: Double] = [:]
    for index in members {
        let p = probabilities[index]
        let density: Double = constant * pow(p, a - 1) * pow(1 - p, b - 1)
        keys[index] = log(random.nextUnit()) / (Double(scores[index]) * density)
    }
    return Array(members.sorted { (keys[$0] ?? 0) > (keys[$1] ?? 0) }.prefix(share))
}

private func beta(_ cD: Double = 4, _ groups: Groups = .none) -> Selection {
    Selection(groups: groups, score: "dual", order: .beta(cD: cD))
}

/// Samples of uniform scores and probabilities.
private func uniform(_ count: Int, seed: UInt64 = 3) -> SelectionInput {
    var random = RandomStream(seed: seed, run: 0, purpose: .testing)
    return SelectionInput(
        count: count, scores: (0..<count).map { _ in Float(random.nextUniform(0.01, 0.3)) },
        meanProbability: (0..<count).map { _ in Float(random.nextUniform(0.05, 0.95)) })
}

@Suite struct BetaOrderTests {
    @Test(arguments: [1, 7, 10, 11, 53], [1, 4, 5.5])
    func drawsAsThePapersWrite(count: Int, cD: Double) throws {
        for seed in 0..<3 as Range<UInt64> {
            let input = uniform(count, seed: seed)
            for size in someSizes(of: count) {
                let kept = try keep(beta(cD), size, from: input, seed: seed)
                var random = RandomStream(seed: seed, run: 0, purpose: .selection)
                let expected = referenceDraw(Array(0..<count), input, keeping: size, cD: cD, random: &random)
                #expect(kept.indices == expected)
            }
        }
    }

    @Test(arguments: shapes)
    func everyClusterIsDrawnFromByItsOwnShare(sizes: [Int]) throws {
        let planted = Planted(sizes: sizes)
        var input = uniform(planted.count)
        input.clustering = planted.assignment
        for size in someSizes(of: planted.count) {
            let kept = try keep(beta(4, .cluster), size, from: input)
            let shares = expectedShares(sizes, size)
            #expect(kept.kept == size && kept.perCluster == shares)
            var random = RandomStream(seed: 7, run: 0, purpose: .selection)
            for (cluster, share) in shares.enumerated() where sizes[cluster] > 0 {
                let members = (0..<planted.count).filter { planted.assignment.labels[$0] == Int32(cluster) }
                let expected = referenceDraw(members, input, keeping: share, cD: 4, random: &random)
                #expect(kept.indices.filter { planted.assignment.labels[$0] == Int32(cluster) } == expected)
            }
        }
    }

    @Test(arguments: shapes)
    func theArticlesQuotaKeepsItsCounts(sizes: [Int]) throws {
        let planted = Planted(sizes: sizes)
        var input = uniform(planted.count)
        input.clustering = planted.assignment
        for size in someSizes(of: planted.count) {
            let kept = try keep(beta(4, .cluster).sharing(.article, .none), size, from: input)
            #expect(try kept.perCluster == planted.select(.closest, size, .article).perCluster)
        }
    }

    @Test func samplesAreDrawnByTheirWeight() throws {
        // One probability for all: the weight is the score.
        let scores: [Float] = [1, 2, 3, 4, 0]
        let input = SelectionInput(count: 5, scores: scores, meanProbability: [0.5, 0.5, 0.5, 0.5, 0.5])
        var counts = [Int](repeating: 0, count: 5)
        for seed in 0..<2000 as Range<UInt64> { counts[try keep(beta(), 1, from: input, seed: seed).indices[0]] += 1 }
        // 200, 400, 600, 800 and 0 are expected, with a standard deviation of 22 at most.
        for (count, score) in zip(counts, scores) { #expect(abs(Double(count) - 200 * Double(score)) <= 110) }
        #expect(counts[4] == 0)
    }

    @Test func theMoreIsDroppedTheEasierIsWhatIsKept() throws {
        // The hardest ten of the set are those of middle probability: scores of DUAL are.
        let probabilities = (0..<1000).map { Float($0) / 1000 }
        let input = SelectionInput(
            count: 1000, scores: probabilities.map { $0 * (1 - $0) }, meanProbability: probabilities)
        let means = try [20, 100, 300, 600].map { size in
            let kept = try keep(beta(), size, from: input).indices
            return kept.reduce(0) { $0 + probabilities[$1] } / Float(size)
        }
        #expect(means == means.sorted(by: >))
        #expect(means[0] > 0.9 && means[3] < 0.6)
    }

    @Test func aSelectionIsNoPrefixOfALargerOne() throws {
        let input = uniform(200)
        #expect(beta().dependsOnSize && beta().order.dependsOnSize)
        let (small, large) = (try keep(beta(), 20, from: input), try keep(beta(), 150, from: input))
        #expect(!Set(small.indices).isSubset(of: large.indices.prefix(20)))
    }

    @Test func weightsOfZeroComeLastByIndex() throws {
        let input = SelectionInput(
            count: 6, scores: [0, 1, 1, 0, .infinity, 1], meanProbability: [0.5, 0, 0.5, 0.4, 0.3, 1])
        // All of 6: b is 15 (1 - mu), above 1, so that the density is 0 at 1 as well as at 0.
        #expect(try keep(beta(), 6, from: input).indices == [4, 2, 0, 1, 3, 5])
    }

    @Test func infiniteScoresAreDrawnFirst() throws {
        let scores = (0..<40).map { $0 % 4 == 0 ? Float.infinity : 1 }
        let probabilities = (0..<40).map { Float($0 + 1) / 50 }
        let input = SelectionInput(count: 40, scores: scores, meanProbability: probabilities)
        var first: Set<Int> = []
        for seed in 0..<20 as Range<UInt64> {
            let kept = try keep(beta(), 20, from: input, seed: seed).indices
            #expect(kept.prefix(10).allSatisfy { $0 % 4 == 0 } && kept.dropFirst(10).allSatisfy { $0 % 4 != 0 })
            first.insert(kept[0])
        }
        #expect(first.count > 1)
    }

    /// At small budgets the density of Beta has no bound at 1, where many probabilities are as soon as they are rounded.
    @Test func aProbabilityOfOneIsNoInfiniteWeight() throws {
        let count = 1000
        let probabilities = (0..<count).map { $0 % 2 == 0 ? Float(1) : 0.9 }
        let scores = probabilities.map { $0 == 1 ? Float(1e-12) : 0.1 }
        let input = SelectionInput(count: count, scores: scores, meanProbability: probabilities)
        let kept = try keep(beta(), 10, from: input)
        #expect(Set(kept.indices).count == 10 && kept.indices.allSatisfy { $0 % 2 == 1 })
        // Probabilities that are all 1 leave b at 0.
        let easy = SelectionInput(count: 7, scores: [1, 1, 1, 1, 1, 1, 1], meanProbability: [1, 1, 1, 1, 1, 1, 1])
        #expect(try Set(keep(beta(), 6, from: easy).indices).count == 6)
    }

    @Test func whatCannotBeDrawnIsRefused() {
        func error(
            _ scores: [Float] = [1, 2], _ probabilities: [Float]? = [0.5, 0.5], cD: Double = 4
        ) -> PruningError? {
            let input = SelectionInput(count: 2, scores: scores, meanProbability: probabilities)
            do throws(PruningError) { _ = try keep(beta(cD), 1, from: input) } catch { return error }
            return nil
        }
        #expect(error() == nil)
        #expect(error([1, 2], nil) == .probabilitiesMissing)
        #expect(error([1, 2], [0.5]) == .countMismatch(what: "mean probabilities", got: 1, expected: 2))
        for wrong in [Float.nan, -0.1, 1.1, .infinity] {
            #expect(error([1, 2], [0.5, wrong]) == .probabilityOutOfRange(index: 1))
        }
        #expect(error([1, -0.5]) == .negativeScore(name: "dual", index: 1))
        #expect(error([.nan, 1]) == .notANumber(what: "dual", index: 0))
        for (cD, text) in [(0, "0"), (-1, "-1"), (.infinity, "inf"), (.nan, "nan")] {
            #expect(error(cD: cD) == .exponentOutOfRange(cD: text))
        }
    }
}
