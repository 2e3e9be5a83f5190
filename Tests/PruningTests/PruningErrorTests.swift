import Pruning
import Testing
import Support

@Suite struct PruningErrorTests {
    private func error(
        _ selection: Selection, count: Int = 4, labels: [Int32] = [0, 1, 0, 1], distances: [Float] = [1, 2, 3, 4],
        k: Int = 2, classes: ClassLabels? = nil, clustered: Bool = true, scored: Bool = true
    ) -> PruningError? {
        var random = RandomStream(seed: 1, run: 0, purpose: .selection)
        let assignment = ClusterAssignment(labels: labels, squaredDistances: distances, k: k)
        let input = SelectionInput(
            count: count, classes: classes, clustering: clustered ? assignment : nil, scores: scored ? distances : nil)
        do throws(PruningError) {
            _ = try selection.select(RequestedSize.count(2).resolved(of: count), from: input, random: &random)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [-1, 0, 5])
    func sizesOutsideTheSetAreRefused(size: Int) {
        let refusal = #expect(throws: PruningError.self) { try RequestedSize.count(size).resolved(of: 4) }
        #expect(refusal == .sizeOutOfRange(size: .count(size), count: 4))
        #expect(refusal?.category == .usage)
        #expect(
            refusal?.description
                == "size \(size) is out of range: the set has 4 samples, so sizes from 1 to 4 are accepted")
    }

    @Test func sharesAreRoundedAndBounded() throws {
        #expect(try RequestedSize.percent(33.4).resolved(of: 200).count == 67)
        #expect(try RequestedSize.whole.resolved(of: 7).count == 7)
        #expect(throws: PruningError.sizeOutOfRange(size: .percent(0.1), count: 200)) {
            try RequestedSize.percent(0.1).resolved(of: 200)
        }
        #expect(throws: PruningError.self) { try RequestedSize.whole.resolved(of: 0) }
        // The least share that keeps one, to two digits.
        for count in [1, 3, 7, 200, 60_000, 1_281_167] {
            let least = RequestedSize.leastPercent(count: count)
            #expect(try RequestedSize.percent(least).resolved(of: count).count == 1)
        }
    }

    @Test func inputsThatDoNotFitAreRefused() {
        let closest = Selection.closest
        #expect(error(closest) == nil)
        #expect(error(closest, clustered: false) == .clusteringMissing)
        #expect(error(closest, k: 0) == .noClusters(k: 0))
        #expect(error(closest, labels: [0, 1, 0]) == .countMismatch(what: "cluster labels", got: 3, expected: 4))
        #expect(error(closest, distances: [1]) == .countMismatch(what: "distances", got: 1, expected: 4))
        #expect(
            error(closest, labels: [0, 1, 2, 0]) == .labelOutOfRange(what: "cluster", index: 2, label: 2, bound: 2))
        #expect(
            error(closest, labels: [0, -1, 1, 0]) == .labelOutOfRange(what: "cluster", index: 1, label: -1, bound: 2))
        #expect(error(closest, distances: [1, 2, .nan, 4]) == .notANumber(what: "distance", index: 2))
        #expect(error(closest, distances: [1, 2, .infinity, 4]) == nil)
        let classes = ClassLabels(labels: [0, 1, 2, 9], count: 9)
        #expect(error(closest, classes: classes) == .labelOutOfRange(what: "class", index: 3, label: 9, bound: 9))
        #expect(error(.random, count: 0) != nil)
        #expect(error(closest, scored: false) == .scoresMissing(name: "distance"))
        #expect(error(.randomInCluster, scored: false) == nil)
    }

    @Test func conflictingRequestsAreRefused() {
        let classes = ClassLabels(labels: [0, 1, 1, 0], count: 2)
        let balanced = Selection.closest.sharing(.exact, .class)
        #expect(error(balanced) == .classesMissing(for: "balance class"))
        #expect(error(balanced, classes: classes) == nil)
        let article = Selection.closest.sharing(.article, .class)
        #expect(error(article, classes: classes) == .balancedArticleQuota(.class))
    }

    @Test(arguments: [(0, 0), (-1, 2), (2, -1)])
    func hybridRatiosThatTakeNothingAreRefused(ratio: (Int, Int)) {
        let hybrid = Selection.hybrid(closest: ratio.0, furthest: ratio.1)
        #expect(error(hybrid) == .hybridRatio(nClosest: ratio.0, nFurthest: ratio.1))
    }
}
