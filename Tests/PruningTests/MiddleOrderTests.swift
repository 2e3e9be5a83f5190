import Pruning
import Testing

@Suite struct MiddleOrderTests {
    private func kept(_ scores: [Float]) throws -> [Int] {
        let input = SelectionInput(count: scores.count, scores: scores)
        return try keep(Selection(score: "el2n", order: .middle), scores.count, from: input).indices
    }

    @Test func keepsThoseClosestToTheMedian() throws {
        // An even number: the median is 5.5, halfway between the two in the middle.
        #expect(try kept([0, 10, 4, 5, 6, 100]) == [3, 4, 2, 1, 0, 5])
        // An odd one: the median is 4, and 3 and 5 tie.
        #expect(try kept([9, 5, 4, 3, -20]) == [2, 1, 3, 0, 4])
        #expect(try kept([7]) == [0])
        #expect(try kept([2, 2, 2]) == [0, 1, 2])
    }

    @Test func infiniteScoresComeLast() throws {
        #expect(try kept([.infinity, 1, 2, 3, -.infinity, 7]) == [2, 3, 1, 5, 0, 4])
        #expect(try kept([.infinity, .infinity, 1, 2, 3]) == [3, 2, 4, 0, 1])
        #expect(try kept([.infinity, -.infinity, .infinity]) == [0, 1, 2])
    }

    @Test(arguments: shapes)
    func everyClusterHasItsOwnMedian(sizes: [Int]) throws {
        let planted = Planted(sizes: sizes)
        let selection = Selection(groups: .cluster, score: Selection.distance, order: .middle)
        let whole = try planted.select(selection, planted.count).indices
        for size in someSizes(of: planted.count) {
            let kept = try planted.select(selection, size)
            #expect(kept.indices == Array(whole.prefix(size)))
            #expect(kept.perCluster == expectedShares(sizes, size))
            for (cluster, share) in kept.perCluster.enumerated() {
                // Distances are 0, 1, 2, … in each cluster: twice the distance to the median is a whole number.
                let gaps = planted.keptDistances(kept, cluster: cluster).map { abs(2 * $0 - (sizes[cluster] - 1)) }
                let nearest = (0..<sizes[cluster]).map { abs(2 * $0 - (sizes[cluster] - 1)) }.sorted()
                #expect(gaps == Array(nearest.prefix(share)))
            }
        }
    }
}
