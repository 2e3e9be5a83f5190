import Pruning
import Testing
import Support

@Suite struct ExactQuotaTests {
    @Test(arguments: shapes, clusterSelections)
    func keepsTheRequestedSizeInEqualShares(sizes: [Int], selection: Selection) throws {
        let planted = Planted(sizes: sizes)
        for size in 1...planted.count {
            let kept = try planted.select(selection, size)
            #expect(kept.kept == size)
            #expect(kept.requested == size)
            #expect(Set(kept.indices).count == size)
            #expect(kept.perCluster == expectedShares(sizes, size))
            #expect(kept.perClass.reduce(0, +) == size)
        }
    }

    @Test(arguments: shapes, clusterSelections + [.random])
    func anySelectionIsAPrefixOfALargerOne(sizes: [Int], selection: Selection) throws {
        let planted = Planted(sizes: sizes)
        for balance in Balance.withoutValidation {
            let whole = try planted.select(selection, planted.count, balance: balance).indices
            #expect(whole.sorted() == Array(0..<planted.count))
            for size in 1...planted.count {
                let kept = try planted.select(selection, size, balance: balance)
                #expect(kept.indices == Array(whole.prefix(size)))
            }
        }
    }

    @Test(arguments: shapes)
    func closestAndFurthestKeepTheirEnds(sizes: [Int]) throws {
        let planted = Planted(sizes: sizes)
        for size in 1...planted.count {
            let closest = try planted.select(.closest, size)
            let furthest = try planted.select(.furthest, size)
            for (cluster, share) in closest.perCluster.enumerated() {
                #expect(planted.keptDistances(closest, cluster: cluster) == Array(0..<share))
                let top = sizes[cluster] - 1
                #expect(planted.keptDistances(furthest, cluster: cluster) == (0..<share).map { top - $0 })
            }
        }
    }

    @Test(arguments: shapes, [(1, 1), (2, 1), (1, 4), (0, 1), (3, 0)])
    func hybridKeepsBothEndsInTheirRatio(sizes: [Int], ratio: (Int, Int)) throws {
        let planted = Planted(sizes: sizes)
        for size in 1...planted.count {
            let selection = try planted.select(.hybrid(closest: ratio.0, furthest: ratio.1), size)
            for (cluster, share) in selection.perCluster.enumerated() {
                let near = (share * ratio.0 + ratio.0 + ratio.1 - 1) / (ratio.0 + ratio.1)
                let far = share - near
                let expected = Set(0..<near).union((sizes[cluster] - far)..<sizes[cluster])
                #expect(Set(planted.keptDistances(selection, cluster: cluster)) == expected)
            }
        }
    }

    @Test func turnsGoToTheLargestClusterFirst() throws {
        // Clusters of 2, 4, 4 and 1: every turn visits 1, 2, 0, 3 as long as they last.
        let planted = Planted(sizes: [2, 4, 4, 1])
        let selection = try planted.select(.closest, 11)
        #expect(selection.indices.map { planted.assignment.labels[$0] } == [1, 2, 0, 3, 1, 2, 0, 1, 2, 1, 2])
        #expect(try planted.select(.closest, 5).perCluster == [1, 2, 1, 1])
    }

    @Test func moreClustersThanTheSizeGivesOneOfEachOfTheLargest() throws {
        let planted = Planted(sizes: [3, 9, 1, 9, 5])
        #expect(try planted.select(.furthest, 3).perCluster == [0, 1, 0, 1, 1])
    }

    @Test func tiesGoToTheLowerIndexAtBothEnds() throws {
        let assignment = ClusterAssignment(
            labels: [0, 0, 0, 0, 0, 0], squaredDistances: [2, 1, 1, 2, 1, 2], k: 1)
        func indices(_ selection: Selection, _ size: Int) throws -> [Int] {
            var random = RandomStream(seed: 1, run: 0, purpose: .selection)
            let input = SelectionInput(count: 6, clustering: assignment, scores: assignment.squaredDistances)
            return try selection.select(RequestedSize.count(size).resolved(of: 6), from: input, random: &random).indices
        }
        #expect(try indices(.closest, 6) == [1, 2, 4, 0, 3, 5])
        #expect(try indices(.furthest, 6) == [0, 3, 5, 1, 2, 4])
        #expect(try indices(.hybrid(), 6) == [1, 0, 2, 3, 4, 5])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func randomDrawsDependOnTheSeedAndReachEverything(seed: UInt64) throws {
        let planted = Planted(sizes: [50, 30, 20])
        for selection in [Selection.random, .randomInCluster] {
            let first = try planted.select(selection, 30, seed: seed)
            #expect(try planted.select(selection, 30, seed: seed) == first)
            #expect(try planted.select(selection, 30, seed: seed + 1).indices != first.indices)
            var counts = [Int](repeating: 0, count: 100)
            for draw in 0..<400 {
                for index in try planted.select(selection, 30, seed: seed + 10 + UInt64(draw)).indices {
                    counts[index] += 1
                }
            }
            // 400 draws at 10 of 20 to 10 of 50: 80 to 200 expected, standard deviation at most 10.
            #expect(counts.allSatisfy { (80 - 50...200 + 50).contains($0) })
            if selection == .random { #expect(counts.allSatisfy { abs($0 - 120) < 50 }) }
        }
    }

    @Test(arguments: clusterSelections + [.random])
    func balanceGivesEachClassAnEqualShare(selection: Selection) throws {
        for shape in shapes {
            let planted = Planted(sizes: shape)
            let classSizes = (0..<3).map { label in planted.classes.labels.count { $0 == label } }
            for size in 1...planted.count {
                let kept = try planted.select(selection, size, balance: .class)
                #expect(kept.kept == size)
                #expect(kept.perClass == expectedShares(classSizes, size))
            }
        }
    }

    @Test func noneKeepsAllInOrder() throws {
        var random = RandomStream(seed: 1, run: 0, purpose: .selection)
        let selection = try Selection.whole.select(
            RequestedSize.whole.resolved(of: 7), from: SelectionInput(count: 7), random: &random)
        #expect(selection.indices == Array(0..<7))
        #expect(selection.requested == 7)
        #expect(selection.perCluster.isEmpty && selection.perClass.isEmpty)
    }
}
