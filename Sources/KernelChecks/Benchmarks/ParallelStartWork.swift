import Compute
import Support

/// The work that finds the candidates of a k-means|| start on the device of one rank.
package struct ParallelStartWork: Equatable, Sendable {
    /// Points of this rank.
    package let rows: Int
    /// Candidates that each search compares with all points, [searches].
    package let searches: [Int]
    /// d.
    package let dimensions: Int
    /// Whether the candidates come from several ranks.
    package let isSpread: Bool

    /// A start that finds so many candidates.
    package init(rows: Int, searches: [Int], dimensions: Int, isSpread: Bool) {
        self.rows = rows
        self.searches = searches
        self.dimensions = dimensions
        self.isSpread = isSpread
    }

    /// All candidates.
    package var candidates: Int { searches.reduce(0, +) }

    /// For each search the nearest of its candidates to every point, and the squared distance to it.
    package var costs: [OperationCost] {
        searches.map { KmeansAssign.cost(points: rows, centroids: $0, dimensions: dimensions, distances: true) }
    }

    /// Launches: those of an assignment per search. Before it one gathers the candidates, and where they come from several
    /// ranks one more lays them out.
    package var launches: Int { searches.count * (LloydWork.assignmentLaunches + (isSpread ? 2 : 1)) }
}

/// The work of the host that chooses k of weighted candidates by k-means++.
package struct CandidateChoiceWork: Equatable, Sendable {
    /// Rows that are chosen from.
    package let candidates: Int
    /// Rows that are drawn for each centre.
    package let trials: Int
    /// k.
    package let k: Int
    /// d.
    package let dimensions: Int

    /// A choice of so many.
    package init(candidates: Int, trials: Int, k: Int, dimensions: Int) {
        self.candidates = candidates
        self.trials = trials
        self.k = k
        self.dimensions = dimensions
    }

    /// The comparisons of all candidates with those that are drawn.
    package var cost: OperationCost {
        HostRows.plusPlusCost(rows: candidates, centres: k, trials: trials, dimensions: dimensions)
    }

    /// Seconds that this work takes here on made rows of equal weights: the least of three times.
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
