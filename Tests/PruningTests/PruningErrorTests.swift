import Pruning
import Testing
import Support

@Suite struct PruningErrorTests {
    private func error(
        _ request: SelectionRequest, count: Int = 4, labels: [Int32] = [0, 1, 0, 1], distances: [Float] = [1, 2, 3, 4],
        k: Int = 2, classes: ClassLabels? = nil, clustered: Bool = true
    ) -> PruningError? {
        var random = RandomStream(seed: 1, run: 0, purpose: .selection)
        let assignment = ClusterAssignment(labels: labels, squaredDistances: distances, k: k)
        do throws(PruningError) {
            _ = try request.select(
                count: count, assignment: clustered ? assignment : nil, classes: classes, random: &random)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [-1, 0, 5])
    func sizesOutsideTheSetAreRefused(size: Int) {
        for strategy in [Strategy.random, .closest, .hybrid(nClosest: 1, nFurthest: 1)] {
            let refusal = error(SelectionRequest(strategy: strategy, size: size))
            #expect(refusal == .sizeOutOfRange(size: size, count: 4))
            #expect(refusal?.category == .usage)
            #expect(refusal?.description.contains("sizes from 1 to 4 are accepted") == true)
        }
    }

    @Test func inputsThatDoNotFitAreRefused() {
        let closest = SelectionRequest(strategy: .closest, size: 2)
        #expect(error(closest) == nil)
        #expect(error(closest, clustered: false) == .clusteringMissing)
        #expect(error(closest, k: 0) == .noClusters(k: 0))
        #expect(error(closest, labels: [0, 1, 0]) == .countMismatch(what: "cluster labels", got: 3, expected: 4))
        #expect(error(closest, distances: [1]) == .countMismatch(what: "distances", got: 1, expected: 4))
        #expect(
            error(closest, labels: [0, 1, 2, 0]) == .labelOutOfRange(what: "cluster", index: 2, label: 2, bound: 2))
        #expect(
            error(closest, labels: [0, -1, 1, 0]) == .labelOutOfRange(what: "cluster", index: 1, label: -1, bound: 2))
        #expect(error(closest, distances: [1, 2, .nan, 4]) == .notANumber(index: 2))
        #expect(error(closest, distances: [1, 2, .infinity, 4]) == nil)
        let classes = ClassLabels(labels: [0, 1, 2, 9], count: 9)
        #expect(error(closest, classes: classes) == .labelOutOfRange(what: "class", index: 3, label: 9, bound: 9))
        #expect(error(SelectionRequest(strategy: .random, size: 1), count: 0) != nil)
    }

    @Test func conflictingRequestsAreRefused() {
        let classes = ClassLabels(labels: [0, 1, 1, 0], count: 2)
        let balanced = SelectionRequest(strategy: .closest, size: 2, balance: .class)
        #expect(error(balanced) == .classesMissing)
        #expect(error(balanced, classes: classes) == nil)
        let article = SelectionRequest(strategy: .closest, size: 2, quota: .article, balance: .class)
        #expect(error(article, classes: classes) == .balancedArticleQuota)
    }

    @Test(arguments: [(0, 0), (-1, 2), (2, -1)])
    func hybridRatiosThatTakeNothingAreRefused(ratio: (Int, Int)) {
        let request = SelectionRequest(strategy: .hybrid(nClosest: ratio.0, nFurthest: ratio.1), size: 2)
        #expect(error(request) == .hybridRatio(nClosest: ratio.0, nFurthest: ratio.1))
    }
}
