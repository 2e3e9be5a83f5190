import Pruning
import Testing

@Suite struct ClassGroupsTests {
    private static let input = SelectionInput(
        count: 12, classes: ClassLabels(labels: [0, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 0], count: 4),
        clustering: ClusterAssignment(
            labels: [0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1], squaredDistances: [Float](repeating: 0, count: 12), k: 2),
        scores: (0..<12).map(Float.init))

    private func kept(
        _ groups: Groups, _ size: Int, quota: Quota = .exact, balance: Balance = .none
    ) throws -> KeptSamples {
        let selection = Selection(groups: groups, score: "el2n", order: .hard, quota: quota, balance: balance)
        return try keep(selection, size, from: Self.input)
    }

    @Test(arguments: shapes)
    func classesGiveEqualShares(sizes: [Int]) throws {
        let planted = Planted(sizes: sizes)
        let classSizes = (0..<3).map { label in planted.classes.labels.count { $0 == label } }
        for size in someSizes(of: planted.count) {
            for groups in [Groups.class, .classCluster] {
                let selection = Selection(groups: groups, score: Selection.distance, order: .hard)
                #expect(try planted.select(selection, size).perClass == expectedShares(classSizes, size))
            }
        }
    }

    @Test func classesBelowTheirShareAreListed() throws {
        // Three classes with samples, 2, 5 and 5; a share of 9 is 3.
        let short = [ShortGroup(class: 0, cluster: nil, count: 2, share: 3)]
        for balance in [Balance.none, .class] {
            let kept = try kept(.class, 9, balance: balance)
            #expect(kept.perClass == [2, 4, 0, 3] && kept.shortGroups == short)
        }
        #expect(try kept(.none, 9, balance: .class).shortGroups == short)
        #expect(
            try kept(.class, 9).shortClassesNote
                == "fewer samples than their share: class 0 (2 of 3); the others give the rest")
        // The share of 8 is 2 and a rest; and where all is kept no class makes up for another.
        for size in [8, 12] {
            #expect(try kept(.class, size).shortGroups.isEmpty && kept(.class, size).shortClassesNote == nil)
        }
        #expect(try kept(.none, 9).shortGroups.isEmpty)
    }

    @Test func clustersOfClassesBelowTheirShareAreListed() throws {
        // Class 0 gives one of each cluster, class 3 has one of its four in cluster 0.
        let kept = try kept(.classCluster, 10)
        #expect(kept.perClass == [2, 4, 0, 4])
        #expect(
            kept.shortGroups == [
                ShortGroup(class: 0, cluster: nil, count: 2, share: 3),
                ShortGroup(class: 3, cluster: 0, count: 1, share: 2),
            ])
        #expect(
            kept.shortClassesNote
                == "fewer samples than their share: class 0 (2 of 3); the others give the rest"
        )
    }

    @Test func theArticlesQuotaMakesUpForNothing() throws {
        let planted = Planted(sizes: [100, 7, 1, 1, 3, 100])
        #expect(try planted.select(.closest, 60, .article).shortGroups.isEmpty)
        #expect(try kept(.classCluster, 10, quota: .article).shortGroups.isEmpty)
        let short = try planted.select(.closest, 60)
        #expect(short.shortGroups.map(\.cluster) == [1, 2, 3, 4] && short.shortGroups.allSatisfy { $0.share == 10 })
        #expect(short.shortClassesNote == nil)
    }
}
