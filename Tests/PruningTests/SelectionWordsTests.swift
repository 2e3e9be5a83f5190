import Pruning
import Support
import Testing

@Suite struct SelectionWordsTests {
    /// Every word of a study, what it means, and what people call it.
    private static let words: [(method: String, strategy: String?, selection: Selection, name: String)] = [
        ("none", nil, .whole, "whole set"), ("random", nil, .random, "random"),
        ("cluster", "closest", .closest, "closest"), ("cluster", "furthest", .furthest, "furthest"),
        ("cluster", "random", .randomInCluster, "random in cluster"),
        ("cluster", "hybrid", .hybrid(closest: 2, furthest: 3), "hybrid 2:3"),
    ]

    @Test func wordsAndSelectionsMapBothWays() {
        for (method, strategy, selection, name) in Self.words {
            #expect(Selection(method: method, strategy: strategy, nClosest: 2, nFurthest: 3) == selection)
            // Quota and balance are no part of the name.
            for named in [selection, selection.sharing(.article, .class)] {
                #expect(named.word(.method) == method && named.word(.strategy) == strategy)
                #expect(named.name == name && name.hasPrefix(named.kind))
            }
        }
        #expect(Selection.methods == ["none", "random", "cluster"])
        #expect(Selection.strategies == ["closest", "furthest", "random", "hybrid"])
        #expect(Selection(method: "cluster") == nil && Selection(method: "random", strategy: "closest") == nil)
    }

    @Test func randomSamplesMayBeDrawnForEveryEpoch() {
        let resampled = Selection.random.drawn(.epoch)
        #expect(resampled.resamples && resampled != .random && !resampled.isRandom && !resampled.isWhole)
        #expect(resampled.word(.method) == "random" && resampled.word(.strategy) == "resample epoch")
        #expect(resampled.name == "random, resampled every epoch" && resampled.kind == resampled.name)
        #expect(resampled.sharing(.article, .none) == resampled && resampled.drawn(.none) == .random)
        #expect(Selection.random.drawn(.none) == .random && Selection.random.isRandom)
        // Nothing else can be.
        for selection in [Selection.whole, .closest, .randomInCluster] {
            #expect(selection.drawn(.epoch) == selection && !selection.resamples)
        }
    }

    @Test func columnsAreEmptyWhereTheyHaveNoUse() {
        func row(_ selection: Selection) -> [String?] {
            Selection.Column.allCases.map(selection.sharing(.article, .class).word)
        }
        #expect(row(.whole) == ["none", nil, nil, nil, nil, nil])
        #expect(row(.random) == ["random", nil, nil, nil, nil, "class"])
        #expect(row(.closest) == ["cluster", "closest", nil, nil, "article", "class"])
        #expect(row(.hybrid(furthest: 4)) == ["cluster", "hybrid", "1", "4", "article", "class"])
    }

    @Test func theCommandsRandomIsWithinClustersWhereThereAreSome() {
        for strategy in Selection.Strategy.allCases {
            let clustered = Selection(strategy, isClustered: true, nClosest: 1, nFurthest: 2)
            let bare = Selection(strategy, isClustered: false, nClosest: 1, nFurthest: 2)
            #expect((clustered == bare) == (strategy != .random))
        }
    }

    private static let input = SelectionInput(
        count: 6, classes: ClassLabels(labels: [0, 0, 0, 1, 1, 2], count: 3),
        clustering: ClusterAssignment(
            labels: [0, 1, 1, 0, 1, 0], squaredDistances: [Float](repeating: 0, count: 6), k: 2),
        scores: [3, 9, 4, 8, 1, 5])

    private func kept(
        _ groups: Groups, _ order: Order, _ size: Int = 6, balance: Balance = .none, of input: SelectionInput = input
    ) throws -> [Int] {
        let selection = Selection(groups: groups, score: "el2n", order: order, balance: balance)
        let size = try RequestedSize.count(size).resolved(of: 6)
        var random = RandomStream(seed: 1, run: 0, purpose: .selection)
        let kept = try selection.select(size, from: input, random: &random)
        return kept.indices
    }

    /// Groups, scores and orders combine freely; the article's words are some of the combinations.
    @Test func groupsScoresAndOrdersCombine() throws {
        #expect(try kept(.none, .hard) == [1, 3, 5, 2, 0, 4])
        #expect(try kept(.none, .easy, 2) == [4, 0])
        #expect(try kept(.class, .hard) == [1, 3, 5, 2, 4, 0])
        #expect(try kept(.cluster, .hard) == [3, 1, 5, 2, 0, 4])
        #expect(try kept(.classCluster, .hard) == [1, 3, 5, 0, 4, 2])
        // Classes that are balanced take turns as classes that are groups do.
        #expect(try kept(.cluster, .hard, balance: .class) == kept(.classCluster, .hard))
        #expect(throws: PruningError.classesMissing(for: "within class")) {
            try kept(.class, .random, of: SelectionInput(count: 6))
        }
    }
}
