import Pruning
import Testing

/// The article's procedure written down plainly: cluster by cluster, sorted by rising distance, cut at the end.
private func articleList(_ planted: Planted, _ selection: Selection, _ size: Int) -> [Int] {
    var list: [Int] = []
    let k = planted.sizes.count
    let perCluster = max(1, size / k)
    for cluster in 0..<k {
        let rising = (0..<planted.count).filter { planted.assignment.labels[$0] == Int32(cluster) }
            .sorted { planted.assignment.squaredDistances[$0] < planted.assignment.squaredDistances[$1] }
        switch selection.order {
        case .easy: list += rising.prefix(perCluster)
        case .hard: list += rising.suffix(perCluster)
        case .ends(let nClosest, let nFurthest):
            let closest = rising.prefix(nClosest)
            list += closest + rising.suffix(min(nFurthest, rising.count - closest.count))
        default: break
        }
    }
    return Array(list.prefix(size))
}

@Suite struct ArticleQuotaTests {
    @Test(arguments: shapes, clusterSelections.filter { $0 != .randomInCluster })
    func keepsWhatTheArticleKept(sizes: [Int], selection: Selection) throws {
        let planted = Planted(sizes: sizes)
        for size in 1...planted.count {
            let kept = try planted.select(selection, size, .article)
            #expect(kept.indices.sorted() == articleList(planted, selection, size).sorted())
            #expect(kept.requested == size)
            #expect(kept.kept <= size)
        }
    }

    @Test(arguments: shapes)
    func randomInClusterKeepsTheArticlesCounts(sizes: [Int]) throws {
        let planted = Planted(sizes: sizes)
        for size in 1...planted.count {
            let counts = try planted.select(.randomInCluster, size, .article).perCluster
            #expect(counts == (try planted.select(.closest, size, .article).perCluster))
        }
    }

    @Test func countsMatchTheArticlesMeasuredPattern() throws {
        // Where every cluster can give its share, size / k rounded down times k is kept: 500 of 600, 1000 of 1200.
        let roomy = Planted(sizes: [Int](repeating: 60, count: 500))
        #expect(try roomy.select(.closest, 600, .article).kept == 500)
        #expect(try roomy.select(.closest, 1200, .article).kept == 1000)
        #expect(try roomy.select(.furthest, 30000, .article).kept == 30000)
        // A cluster below its share is not made up for.
        let uneven = Planted(sizes: [100, 7, 100])
        #expect(try uneven.select(.closest, 60, .article).perCluster == [20, 7, 20])
        // More clusters than the size: only the first are used.
        let small = Planted(sizes: [4, 9, 9, 9])
        #expect(try small.select(.closest, 2, .article).perCluster == [1, 1, 0, 0])
        // Hybrid takes n_closest + n_furthest a cluster, whatever the size.
        let hybrid = Selection.hybrid()
        #expect(try uneven.select(hybrid, 60, .article).perCluster == [2, 2, 2])
        #expect(try uneven.select(hybrid, 5, .article).perCluster == [2, 2, 1])
    }

    @Test(arguments: [Selection.closest, .furthest, .randomInCluster])
    func bothQuotasAgreeWhereEveryClusterCanGive(selection: Selection) throws {
        let planted = Planted(sizes: [10, 12, 11, 30])
        for share in 1...10 {
            #expect(try planted.select(selection, 4 * share, .article) == planted.select(selection, 4 * share))
        }
    }
}
