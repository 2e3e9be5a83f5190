import Compute
import Support

/// The work that finds the candidates of a k-means|| start on the device of one rank.
package struct ParallelStartWork: Equatable, Sendable {
    /// The points of this rank.
    package let rows: Int
    /// The number of candidates that each search compares with all points, [searches].
    package let searches: [Int]
    /// d.
    package let dimensions: Int
    /// True if the candidates come from several ranks.
    package let isSpread: Bool

    /// The work of searches with the given numbers of candidates.
    package init(rows: Int, searches: [Int], dimensions: Int, isSpread: Bool) {
        self.rows = rows
        self.searches = searches
        self.dimensions = dimensions
        self.isSpread = isSpread
    }

    /// The number of all candidates.
    package var candidates: Int { searches.reduce(0, +) }

    /// The costs of the searches, [searches]. Each finds the nearest of its candidates to every point, and the squared distance.
    package var costs: [OperationCost] {
        searches.map { KmeansAssign.cost(points: rows, centroids: $0, dimensions: dimensions, distances: true) }
    }

    /// The launches: for each search one that gathers the candidates, one more that lays them out if they come from several
    /// ranks, and those of an assignment.
    package var launches: Int { searches.count * (LloydWork.assignmentLaunches + (isSpread ? 2 : 1)) }
}

/// The work of the host that chooses k of weighted candidates by k-means++.
package struct CandidateChoiceWork: Equatable, Sendable {
    /// The rows that are chosen from.
    package let candidates: Int
    /// The rows that are drawn for each centre.
    package let trials: Int
    /// k.
    package let k: Int
    /// d.
    package let dimensions: Int

    /// The choice of `k` out of `candidates` rows.
    package init(candidates: Int, trials: Int, k: Int, dimensions: Int) {
        self.candidates = candidates
        self.trials = trials
        self.k = k
        self.dimensions = dimensions
    }

    /// The cost of comparing all candidates with the drawn ones.
    package var cost: OperationCost {
        HostRows.plusPlusCost(rows: candidates, centres: k, trials: trials, dimensions: dimensions)
    }

    /// The seconds that this work takes here on made rows of equal weights, the least of three measurements.
    package func measured() -> Double {
        let rows = HostRows(
            MadeRows.floats(count: candidates, dimensions: dimensions, seed: 1), count: candidates,
            dimensions: dimensions)
        let weights = [Double](repeating: 1, count: candidates)
        return (0..<3 as Range<UInt64>).map { seed in
            var random = RandomStream(seed: seed, run: 0, purpose: .testing)
            let begin = ContinuousClock.now
            _ = rows.plusPlus(centres: k, weights: weights, trials: trials, random: &random)
            return (ContinuousClock.now - begin) / .seconds(1)
        }.min() ?? 0
    }
}
