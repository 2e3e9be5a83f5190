import Foundation
import Pruning
import Support
import Testing

@Suite struct BudgetTests {
    private func amounts(_ texts: [String]) throws -> [Amount] { try texts.map { try #require(Amount($0)) } }

    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("7", "7"), ("0.1", "0.1"), ("12.50", "12.5"), ("1e3", "1000"), ("2.5E-3", "0.0025"),
        ("0.000000000000000001", "0.000000000000000001"), ("1e-19", "0.000000000000000001"),
        ("1e-400", "0.000000000000000001"),
        ("0.1234567890123456789", "0.123456789012345679"), ("1000000000000000000", "1000000000000000000"),
        ("999999999999999999.5", "999999999999999999.5"), ("1000000000000000001", "more than 10^18"),
        ("1e300", "more than 10^18"), ("1e999999", "more than 10^18"),
        ("99999999999999999999999999", "more than 10^18"),
    ]) func amountsAreExactOrRoundedUp(text: String, shown: String) throws {
        let amount = try #require(Amount(text))
        #expect(amount.description == shown)
        if amount <= Amount.most { #expect(amount.decimal == Decimal(string: shown)) }
    }

    @Test(arguments: ["", "-1", "-0.1", "-1e300", "x", "NaN", "inf", "1 ", "0x10", "1_000", "05"])
    func whatIsNoAmountIsNil(text: String) { #expect(Amount(text) == nil) }

    /// Ten times 0.1 is 1, and 0.1 + 0.2 is 0.3, which they are not in binary.
    @Test func fractionsAddAsOnPaper() throws {
        let tenths = Budget(limit: try #require(Amount("1")), costs: try amounts([String](repeating: "0.1", count: 11)))
        let (kept, used) = tenths.fill(Array(0..<11))
        #expect(kept == Array(0..<10) && used.description == "1")
        let two = Budget(limit: try #require(Amount("0.3")), costs: try amounts(["0.1", "0.2"]))
        #expect(two.fill([1, 0]).kept == [1, 0])
        let over = Budget(limit: try #require(Amount("0.3")), costs: try amounts(["0.1", "0.2000000000000000001"]))
        #expect(over.fill([0, 1]).kept == [0])
    }

    @Test func whatDoesNotFitIsSkipped() throws {
        let budget = Budget(limit: try #require(Amount("10")), costs: try amounts(["6", "5", "1e30", "4", "0", "1"]))
        #expect(budget.fill([0, 1, 2, 3, 4, 5]) == ([0, 3, 4], budget.limit))
        #expect(budget.fill([2, 1, 0, 5, 3, 4]) == ([1, 5, 3, 4], budget.limit))
        #expect(budget.fill([]) == ([], Amount()))
    }

    /// Whatever the costs and orders: never above the limit, in rank order, and nothing that was skipped would have fitted
    /// where it was skipped.
    @Test func aBudgetIsNeverExceeded() throws {
        for seed in 0..<40 {
            var random = RandomStream(seed: UInt64(seed), run: 0, purpose: .testing)
            let planted = Planted(sizes: [13, 1, 7, 20], seed: UInt64(seed))
            let whole = (0..<planted.count).map { _ in random.nextIndex(below: 100) }
            let limit = 1 + random.nextIndex(below: 900)
            let budget = Budget(
                limit: try #require(Amount("\(limit)")), costs: try amounts(whole.map { "\($0)" }))
            let input = SelectionInput(
                count: planted.count, classes: planted.classes, clustering: planted.assignment,
                scores: planted.assignment.squaredDistances)
            for selection in clusterSelections + [.random] {
                let ranked = try keep(selection, planted.count, from: input).indices
                var stream = RandomStream(seed: 7, run: 0, purpose: .selection)
                let outcome = Result { () throws(PruningError) in
                    try selection.select(within: budget, from: input, random: &stream)
                }
                var (expected, sum): ([Int], Int) = ([], 0)
                for index in ranked where sum + whole[index] <= limit {
                    expected.append(index)
                    sum += whole[index]
                }
                switch outcome {
                case .success(let (kept, used, reach)):
                    #expect(kept.indices == expected && used.description == "\(sum)" && sum <= limit)
                    #expect(reach == ranked.lastIndex { $0 == expected.last }.map { $0 + 1 })
                    #expect(kept.requested == expected.count && kept.perCluster.reduce(0, +) == expected.count)
                case .failure(let error):
                    #expect(expected.isEmpty)
                    #expect(error == .nothingFits(budget: "\(limit)", least: "\(whole.min() ?? 0)"))
                }
            }
        }
    }

    @Test func ordersThatCutOrChange() throws {
        let input = SelectionInput(
            count: 10,
            clustering: ClusterAssignment(
                labels: [Int32](repeating: 0, count: 10), squaredDistances: [Float](repeating: 1, count: 10), k: 1),
            scores: (0..<10).map { Float($0) }, meanProbability: [Float](repeating: 0.5, count: 10))
        let budget = Budget(
            limit: try #require(Amount("100")), costs: [Amount](repeating: try #require(Amount("1")), count: 10))
        func select(_ selection: Selection, _ budget: Budget) throws(PruningError) -> KeptSamples {
            var random = RandomStream(seed: 1, run: 0, purpose: .selection)
            return try selection.select(within: budget, from: input, random: &random).kept
        }
        // What is cut is never kept, however large the budget is.
        let cut = Selection(score: Selection.distance, order: .stratified(cut: 0.3, strata: 2))
        #expect(try Set(select(cut, budget).indices) == Set(0..<7))
        for selection in [
            Selection(score: Selection.distance, order: .beta(cD: 4)),
            Selection.closest.sharing(.article, .none),
        ] {
            #expect(throws: PruningError.budgetOfChangingOrder) { try select(selection, budget) }
        }
        let short = Budget(limit: budget.limit, costs: [])
        #expect(throws: PruningError.countMismatch(what: "costs", got: 0, expected: 10)) { try select(.random, short) }
    }
}
