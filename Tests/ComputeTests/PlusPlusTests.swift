import Support
import TestSupport
import Testing

@testable import Compute

/// k-means++ on rows in the host's memory.
@Suite struct PlusPlusTests {
    private func rows(_ count: Int, _ dimensions: Int, most: Int, seed: UInt64) -> HostRows {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        return HostRows(
            (0..<count * dimensions).map { _ in Float(random.nextIndex(below: most)) }, count: count,
            dimensions: dimensions)
    }

    /// Shapes around blocks of 256 rows, and around the columns after which a distance may be abandoned.
    @Test(arguments: [
        (1, 1, 3), (7, 16, 7), (255, 3, 40), (256, 64, 30), (257, 63, 30), (300, 65, 20), (700, 200, 50),
        (1031, 17, 90),
    ]) func choosesWhatPlainLoopsChoose(count: Int, dimensions: Int, centres: Int) {
        for (seed, trials) in [(1, 1), (2, 3), (3, 1), (4, 6)] {
            let rows = rows(count, dimensions, most: 50, seed: UInt64(seed))
            var random = RandomStream(seed: UInt64(seed), run: 1, purpose: .testing)
            let weights = (0..<count).map { _ in Double(1 + random.nextIndex(below: 1000)) }
            var others = random
            let expected = plainPlusPlus(
                centres: centres, weights: weights, trials: trials,
                square: { one, other in
                    zip(rows[one], rows[other]).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
                },
                uniform: { others.nextUnit() })
            let found = rows.plusPlus(centres: centres, weights: weights, trials: trials, random: &random)
            #expect(found == expected, "\(trials) trials")
            let (next, other) = (random.nextWord(), others.nextWord())
            #expect(next == other)
        }
    }

    /// By hand: 29 draws, each compared with 21 rows of 4 numbers.
    @Test func theCostIsThatOfTheDraws() {
        let cost = HostRows.plusPlusCost(rows: 21, centres: 8, trials: 4, dimensions: 4)
        #expect(cost == OperationCost(operations: 29 * 21 * 14, bytes: 29 * 21 * 32))
        let one = HostRows.plusPlusCost(rows: 5, centres: 1, trials: 3, dimensions: 2)
        #expect(one == OperationCost(operations: 5 * 8, bytes: 5 * 24))
    }

    /// No row is chosen twice while others are left; after that rows are drawn by weight.
    @Test func rowsThatCoincideWithACentreComeLast() {
        let count = 900
        let rows = HostRows((0..<count).map { Float($0 % 5) }, count: count, dimensions: 1)
        var random = RandomStream(seed: 5, run: 0, purpose: .testing)
        let weights = (0..<count).map { $0 % 5 == 3 ? 1e6 : 1 }
        let chosen = rows.plusPlus(centres: 105, weights: weights, trials: 2, random: &random)
        #expect(Set(chosen.prefix(5).map { $0 % 5 }).count == 5)
        #expect(chosen.dropFirst(5).allSatisfy { $0 % 5 == 3 })
    }

    /// The first is drawn in proportion to the weights.
    @Test func theFirstIsDrawnByWeight() {
        let rows = rows(600, 2, most: 9, seed: 6)
        let weights = (0..<600).map { $0 == 599 ? 300.0 : 0.5 }
        var random = RandomStream(seed: 7, run: 0, purpose: .testing)
        let heavy = (0..<400).count { _ in
            rows.plusPlus(centres: 1, weights: weights, trials: 1, random: &random) == [599]
        }
        // Half of 400, plus or minus five standard deviations.
        #expect(abs(heavy - 200) < 50)
    }
}
