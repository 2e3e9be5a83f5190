import Pruning
import Support
import Testing

/// Samples of classes of these sizes, one class after the other, each sample's score its index.
private func classes(_ sizes: [Int], recalls: [Double]?) -> SelectionInput {
    let labels = sizes.enumerated().flatMap { [UInt8](repeating: UInt8($0.offset), count: $0.element) }
    return SelectionInput(
        count: labels.count, classes: ClassLabels(labels: labels, count: sizes.count),
        scores: labels.indices.map(Float.init), recalls: recalls)
}

private let hard = Selection(score: "el2n", order: .hard, balance: .recall)

private func shares(_ sizes: [Int], _ recalls: [Double], _ size: Int) throws -> [Int] {
    try keep(hard, size, from: classes(sizes, recalls: recalls)).perClass
}

@Suite struct RecallBalanceTests {
    @Test func classesOfLowRecallGiveMore() throws {
        #expect(try shares([100, 100, 100], [0.9, 0.8, 0.7], 60) == [10, 20, 30])
        #expect(try shares([40, 80], [0.5, 0.75], 30) == [15, 15])
        // Largest remainders: 10 / 6, 20 / 6, 30 / 6 and 3 for three alike.
        #expect(try shares([100, 100, 100], [0.875, 0.75, 0.625], 10) == [2, 3, 5])
        #expect(try shares([10, 10, 10], [0.5, 0.5, 0.5], 10) == [4, 3, 3])
        #expect(try shares([10, 10, 10], [0.5, 0.5, 0.5], 11) == [4, 4, 3])
    }

    @Test func whatWholeClassesCannotGiveFallsToTheOthers() throws {
        #expect(try shares([10, 100, 100], [0, 0.9, 0.9], 60) == [10, 25, 25])
        // The first is kept whole, and then the second is as well.
        #expect(try shares([10, 30, 100], [0, 0.5, 0.9], 60) == [10, 30, 20])
        #expect(try shares([10, 0, 5], [0.2, 0.1, 0.3], 15) == [10, 0, 5])
    }

    @Test func perfectRecallsShareByTheNumberOfSamples() throws {
        #expect(try shares([50, 30, 20], [1, 1, 1], 10) == [5, 3, 2])
        #expect(try shares([50, 30], [1, 0.5], 10) == [0, 10])
        // Whatever the others cannot give.
        #expect(try shares([10, 10, 20], [0.5, 1, 1], 25) == [10, 5, 10])
    }

    /// min(N_k, l N_k (1 - r_k)), with the l by which these add up to the size, found by halving.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func sharesAreThoseOfTheFormula(seed: UInt64) throws {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        let sizes = (0..<7).map { _ in random.nextIndex(below: 30) } + [1]
        let recalls = sizes.map { _ in random.nextUniform(0, 0.999) }
        let input = classes(sizes, recalls: recalls)
        for size in someSizes(of: input.count) {
            var (low, high) = (0.0, 1e6)
            func exact(_ factor: Double) -> [Double] {
                zip(sizes, recalls).map { min(Double($0), factor * Double($0) * (1 - $1)) }
            }
            for _ in 0..<100 {
                let middle = (low + high) / 2
                if exact(middle).reduce(0, +) < Double(size) { low = middle } else { high = middle }
            }
            let kept = try keep(hard, size, from: input)
            #expect(kept.kept == size)
            for (share, (wanted, count)) in zip(kept.perClass, zip(exact(high), sizes)) {
                #expect(share <= count && abs(Double(share) - wanted) < 1 + 1e-6)
            }
        }
    }

    @Test(arguments: shapes)
    func everySelectionKeepsTheSameShares(sizes: [Int]) throws {
        let planted = Planted(sizes: sizes)
        let input = SelectionInput(
            count: planted.count, classes: planted.classes, clustering: planted.assignment,
            scores: planted.assignment.squaredDistances,
            meanProbability: [Float](repeating: 0.5, count: planted.count), recalls: [0.9, 0.3, 0.95])
        let orders: [Order] = [
            .easy, .ends(easy: 1, hard: 2), .random, .middle, .stratified(cut: 0, strata: 5), .beta(cD: 4),
        ]
        for size in someSizes(of: planted.count) {
            let expected = try keep(hard, size, from: input).perClass
            for groups in Groups.allCases {
                for order in orders {
                    let selection = Selection(
                        groups: groups, score: Selection.distance, order: order, balance: .recall)
                    let kept = try keep(selection, size, from: input)
                    #expect(kept.perClass == expected && Set(kept.indices).count == size)
                }
            }
        }
    }

    /// Half of each class is cut: class 0, whose share is the largest, gives what it has left, and the others the rest.
    @Test func whatAnOrderCutsIsNotAskedFor() throws {
        let sizes = [10, 10, 10]
        let input = classes(sizes, recalls: [0, 0.9, 0.9])
        for groups in [Groups.none, .class] {
            let selection = Selection(
                groups: groups, score: "el2n", order: .stratified(cut: 0.5, strata: 4), balance: .recall)
            for size in 1...15 {
                let kept = try keep(selection, size, from: input)
                #expect(kept.kept == size && kept.perClass[0] <= 5)
                if size >= 7 { #expect(kept.perClass == [5, (size - 4) / 2, (size - 5) / 2]) }
            }
            #expect(throws: PruningError.cutBelowSize(cut: "0.5", left: 15, size: 16)) {
                try keep(selection, 16, from: input)
            }
        }
    }

    @Test func theHardestOfEachClassAreKept() throws {
        let kept = try keep(hard, 6, from: classes([10, 10, 10], recalls: [0.9, 0.8, 0.7]))
        #expect(Set(kept.indices) == [9, 19, 18, 29, 28, 27])
        #expect(hard.dependsOnSize && !Selection.closest.dependsOnSize)
    }

    private func error(_ recalls: [Double]?, _ selection: Selection? = nil) -> PruningError? {
        let input = classes([2, 2], recalls: recalls)
        do throws(PruningError) {
            _ = try keep(selection ?? hard, 2, from: input)
            return nil
        } catch {
            return error
        }
    }

    @Test func recallsThatDoNotFitAreRefused() {
        #expect(error([0.5, 0.5]) == nil)
        #expect(error(nil) == .recallsMissing)
        #expect(error([0.5]) == .recallCount(got: 1, classes: 2))
        for wrong in [-0.1, 1.5, .nan] { #expect(error([0.5, wrong]) == .recallOutOfRange(class: 1)) }
        let article = Selection(groups: .class, score: "el2n", order: .hard, quota: .article, balance: .recall)
        #expect(error([0.5, 0.5], article) == .balancedArticleQuota(.recall))
        #expect(throws: PruningError.classesMissing(for: "balance recall")) {
            try keep(hard, 1, from: SelectionInput(count: 2, scores: [1, 2], recalls: [0.5, 0.5]))
        }
    }
}
