import Support
import Testing

@testable import Pruning

/// Selections of samples that are spread over ranks, against those of one process.
@Suite struct SpreadSelectionTests {
    /// Clusters, classes and scores with ties.
    private struct Made {
        let input: SelectionInput

        init(_ sizes: [Int], seed: UInt64, isTied: Bool) {
            let planted = Planted(sizes: sizes, seed: seed)
            let distances = planted.assignment.squaredDistances.map { isTied ? ($0 / 4).rounded(.down) : $0 }
            let clustering = ClusterAssignment(
                labels: planted.assignment.labels, squaredDistances: distances, k: sizes.count)
            input = SelectionInput(
                count: planted.count, classes: planted.classes, clustering: clustering, scores: distances)
        }

        func part(_ rows: Range<Int>) -> SelectionPart {
            let clustering = input.clustering.map {
                ClusterAssignment(
                    labels: Array($0.labels[rows]), squaredDistances: Array($0.squaredDistances[rows]), k: $0.k)
            }
            let classes = input.classes.map { ClassLabels(labels: Array($0.labels[rows]), count: $0.count) }
            return SelectionPart(
                first: rows.lowerBound, total: input.count,
                input: SelectionInput(count: rows.count, classes: classes, clustering: clustering),
                keys: OrderedKeys(Array((input.scores ?? [])[rows])))
        }
    }

    private static let selections: [Selection] =
        clusterSelections + [
            .whole, .random, Selection(score: "distance", order: .hard),
            Selection(groups: .class, score: "distance", order: .easy),
            Selection(groups: .classCluster, score: "distance", order: .ends(easy: 2, hard: 3)),
            Selection(groups: .classCluster, order: .random),
        ]

    private func check(_ selection: Selection, _ made: Made, ranks: Int) throws {
        let count = made.input.count
        let sizes = Set([1, 2, count / 3, count - 1, count]).filter { 1...count ~= $0 }
        for size in selection.isWhole ? [count] : sizes.sorted() {
            let expected = try keep(selection, size, from: made.input)
            let parts = try ThreadRanks.run(ranks) { sums in
                var random = RandomStream(seed: 7, run: 0, purpose: .selection)
                return try selection.keep(
                    RequestedSize.count(size).resolved(of: count),
                    of: made.part(ThreadRanks.ranges(count, over: ranks)[sums.rank]), random: &random, over: sums)
            }
            let found = parts[0].joined(parts.flatMap(\.samples))
            #expect(found == expected, "\(selection.name) of \(count), \(size) kept, \(ranks) ranks")
            // Only the kept samples are brought together.
            if selection.quota == .exact { #expect(parts.reduce(0) { $0 + $1.samples.count } == size) }
        }
    }

    @Test(arguments: shapes, [false, true])
    func exactQuotasAreThoseOfOneProcess(sizes: [Int], isTied: Bool) throws {
        let made = Made(sizes, seed: 5, isTied: isTied)
        for selection in Self.selections {
            for balance in Balance.withoutValidation {
                for ranks in [1, 3] { try check(selection.sharing(.exact, balance), made, ranks: ranks) }
            }
        }
    }

    @Test(arguments: shapes)
    func theArticlesQuotaIsThatOfOneProcess(sizes: [Int]) throws {
        let made = Made(sizes, seed: 6, isTied: true)
        for selection in Self.selections where selection.sharing(.article, .none).unspreadable == nil {
            for ranks in [1, 3] { try check(selection.sharing(.article, .none), made, ranks: ranks) }
        }
    }

    /// Samples of all costs, some of them free or above the limit; a prefix that is too short is reported.
    @Test(arguments: [1, 3]) func budgetsAreFilledAsByOneProcess(ranks: Int) throws {
        let made = Made([40, 0, 3, 90, 17], seed: 9, isTied: true)
        let count = made.input.count
        let least = try RequestedSize.count(1).resolved(of: count)
        for (limit, costs) in [
            ("30", (0..<count).map { "\($0 * 7 % 13 + 1)" }), ("5.5", (0..<count).map { "\($0 % 9).5" }),
            ("100", (0..<count).map { $0 % 10 == 0 ? "0" : "\($0)" }), ("1000000", (0..<count).map { "\($0)" }),
        ] {
            let budget = Budget(
                limit: try #require(Amount(limit)), costs: try costs.map { try #require(Amount($0)) })
            for selection in [Selection.furthest, .hybrid(), .randomInCluster, .random] {
                var random = RandomStream(seed: 7, run: 0, purpose: .selection)
                let expected = try selection.select(within: budget, from: made.input, random: &random)
                var reached: [Bool] = []
                for size in [1, 10, expected.reach, count] {
                    let parts = try ThreadRanks.run(ranks) { sums in
                        var random = RandomStream(seed: 7, run: 0, purpose: .selection)
                        return try selection.keep(
                            RequestedSize.count(size).resolved(of: count),
                            of: made.part(ThreadRanks.ranges(count, over: ranks)[sums.rank]), random: &random,
                            over: sums)
                    }
                    let found = try parts[0].filled(budget, from: parts.flatMap(\.samples))
                    reached.append(found != nil)
                    if let found { #expect(found.kept == expected.kept && found.used == expected.used) }
                }
                #expect(reached[3], "\(limit), \(selection.name)")
                #expect(reached == reached.sorted { !$0 && $1 })
            }
        }
        // Nothing fits.
        let dear = Budget(
            limit: try #require(Amount("1")), costs: try (0..<count).map { _ in try #require(Amount("2")) })
        let alone = RankSums<Never>(rank: 0, size: 1) { (_: inout [Int64]) throws(Never) in }
        var random = RandomStream(seed: 7, run: 0, purpose: .selection)
        let part = try Selection.closest.keep(least, of: made.part(0..<count), random: &random, over: alone)
        #expect(throws: PruningError.nothingFits(budget: "1", least: "2")) { try part.filled(dear, from: part.samples) }
    }

    @Test(arguments: [2, 4, 7]) func theNumberOfRanksChangesNothing(ranks: Int) throws {
        for sizes in [[40, 0, 3, 90, 17], [1, 1]] {
            let made = Made(sizes, seed: 8, isTied: true)
            for selection in [Selection.closest, .hybrid(closest: 2), .randomInCluster] {
                try check(selection, made, ranks: ranks)
            }
        }
    }

    @Test func whatNeedsAllSamplesIsRefused() throws {
        let made = Made([9], seed: 1, isTied: false)
        let alone = RankSums<Never>(rank: 0, size: 1) { (_: inout [Int64]) throws(Never) in }
        func refusal(_ selection: Selection) throws -> String? {
            var random = RandomStream(seed: 1, run: 0, purpose: .selection)
            do {
                _ = try selection.keep(
                    RequestedSize.count(3).resolved(of: 9), of: made.part(0..<9), random: &random, over: alone)
                return nil
            } catch let error as PruningError { return error.description }
        }
        #expect(
            try refusal(Selection(score: "distance", order: .middle))
                == "keep middle is for one process, and these samples are spread over several ranks")
        for selection in [
            Selection(score: "distance", order: .stratified(cut: 0, strata: 5)),
            Selection(score: "distance", order: .beta(cD: 4)), Selection.hybrid().sharing(.article, .none),
            Selection.closest.sharing(.exact, .recall),
        ] {
            #expect(try refusal(selection)?.contains("is for one process") == true)
        }
        #expect(try refusal(.closest) == nil)
    }

    /// Errors count samples in the whole set, not in the rank's part.
    @Test func faultsNameTheSample() throws {
        let alone = RankSums<Never>(rank: 0, size: 1) { (_: inout [Int64]) throws(Never) in }
        func fault(_ labels: [Int32], _ distances: [Float]) -> PruningError? {
            var random = RandomStream(seed: 1, run: 0, purpose: .selection)
            let part = SelectionPart(
                first: 1000, total: 1003,
                input: SelectionInput(
                    count: 3, clustering: ClusterAssignment(labels: labels, squaredDistances: distances, k: 2)),
                keys: OrderedKeys(distances))
            do {
                _ = try Selection.closest.keep(
                    RequestedSize.count(1).resolved(of: 1003), of: part, random: &random, over: alone)
                return nil
            } catch { return error as? PruningError }
        }
        #expect(fault([0, 1, 0], [1, .nan, 2]) == .notANumber(what: "distance", index: 1001))
        #expect(fault([0, 1, 2], [1, 1, 2]) == .labelOutOfRange(what: "cluster", index: 1002, label: 2, bound: 2))
    }
}
