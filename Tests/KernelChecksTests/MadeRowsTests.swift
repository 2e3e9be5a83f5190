import Foundation
import KernelChecks
import Testing

@testable import Clustering

@Suite struct MadeRowsTests {
    @Test func rowsAreTheSameForTheirSeedAndSizeAlone() {
        let some = MadeRows.floats(count: 3000, dimensions: 7, seed: 5)
        #expect(some == MadeRows.floats(count: 3000, dimensions: 7, seed: 5))
        #expect(some != MadeRows.floats(count: 3000, dimensions: 7, seed: 6))
        // More rows than a thread makes at a time.
        let many = MadeRows.floats(count: 20_000, dimensions: 7, seed: 5)
        #expect(many.count == 140_000 && Array(many.prefix(21_000)) == some)
    }

    /// Centres spread as far as they should, and noise of variance 1 around each: of both together the variance per
    /// column is 1 + 6^2 / 2 d.
    @Test(arguments: [1, 6, 100]) func columnsVaryAsTheyShould(dimensions: Int) {
        let count = 200_000 / dimensions
        let values = MadeRows.floats(count: count, dimensions: dimensions, seed: 1)
        #expect(values.allSatisfy { $0.isFinite })
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
        let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
        let expected = 1 + 18 / Double(dimensions)
        #expect(abs(variance / expected - 1) < 0.1, "\(variance) instead of \(expected)")
        #expect(abs(mean) < 0.5)
    }
}
