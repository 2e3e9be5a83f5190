import Pruning
import Scoring
import Support
import Testing

@Suite struct ScoreTests {
    private let clustering = ClusterAssignment(labels: [0, 1, 0], squaredDistances: [3, 1, 2], k: 2)

    @Test func namesAreDifferentAndFound() throws {
        #expect(Set(Score.all.map(\.name)).count == Score.all.count)
        for score in Score.all { #expect(try Score.named(score.name).name == score.name) }
        let error = #expect(throws: ScoringError.self) { try Score.named("distanec") }
        #expect(error?.category == .usage && error?.description.contains("known scores: distance") == true)
    }

    @Test func everyScoreThatTheArticlesWordsMeanIsThere() throws {
        for method in Selection.methods {
            for strategy in Selection.strategies.map(Optional.some) + [nil] {
                guard let name = Selection(method: method, strategy: strategy)?.score else { continue }
                #expect(throws: Never.self) { try Score.named(name) }
            }
        }
    }

    @Test func distancesAreTheClusterings() throws {
        #expect(try Score.distance.values(ScoreInput(count: 3, clustering: clustering)) == [3, 1, 2])
        #expect(throws: ScoringError.missing(what: "a clustering", score: "distance")) {
            try Score.distance.values(ScoreInput())
        }
    }

    @Test func aSelectionRanksByTheScoreThatItNames() throws {
        // Across clusters, which the article never did.
        let selection = Selection(score: "distance", order: .hard)
        #expect(selection.needsClustering && Selection.closest.needsClustering)
        #expect(!Selection.random.needsClustering && !Selection.whole.needsClustering)
        let input = try selection.input(count: 3, classes: nil, from: ScoreInput(count: 3, clustering: clustering))
        var random = RandomStream(seed: 1, run: 0, purpose: .selection)
        let kept = try selection.select(RequestedSize.count(2).resolved(of: 3), from: input, random: &random)
        #expect(kept.indices == [0, 2] && kept.perCluster == [2, 0])
        #expect(throws: ScoringError.self) { try selection.input(count: 3, classes: nil, from: ScoreInput()) }
    }
}
