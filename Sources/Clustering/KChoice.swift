/// A number of clusters that was chosen from a sweep, and how well it is told from the others.
///
/// The rule: of the numbers that left no cluster empty and whose two clusterings agree nearly as well as any pair did, the one
/// with the highest mean silhouette; of equal ones the smallest. Inertia has no say: it falls with every cluster more, and an elbow in its
/// curve is where the axes are drawn to have one (Schubert, "Stop using the elbow criterion for k-means and how to choose the
/// number of clusters instead", 2023). Stability, which Ben-Hur, Elisseeff and Guyon ("A stability based method for discovering
/// structure in clustered data", 2002) choose by, has a veto alone: clusters that change with the start describe the
/// start, but small numbers are stable whether or not they fit (von Luxburg, "Clustering stability: an overview", 2010).
package struct KChoice: Sendable {
    /// What a silhouette is worth (Kaufman and Rousseeuw, "Finding groups in data", 1990, table 4).
    package enum Structure: String, Sendable {
        /// At most 0.25: no substantial structure.
        case none
        /// Above 0.25: weak, and may be artificial.
        case weak
        /// Above 0.5.
        case reasonable
        /// Above 0.7.
        case strong

        /// The structure of a mean silhouette.
        package init(_ silhouette: Double) {
            self = silhouette > 0.7 ? .strong : silhouette > 0.5 ? .reasonable : silhouette > 0.25 ? .weak : .none
        }
    }

    /// The number.
    package let k: Int
    /// Its mean silhouette.
    package let silhouette: Double
    /// Its adjusted Rand index.
    package let stability: Double
    /// What its silhouette is worth.
    package var structure: Structure { Structure(silhouette) }
    /// The adjusted Rand index that a number needed.
    package let leastStability: Double
    /// The numbers that had it, rising.
    package let eligible: [Int]
    /// Those of them whose silhouettes are not told from the chosen number's: the mean of the differences, point by point,
    /// is within two standard errors.
    package let similar: [Int]
    /// The numbers that were too unstable, and whose silhouettes are higher or not told from the chosen number's, rising.
    package let rivals: [Int]

    /// How far below the best pair's index that of an eligible number may be.
    package static let stabilityTolerance = 0.2
    /// Indices below this are poor (Steinley, "Properties of the Hubert-Arabie adjusted Rand index", 2004).
    package static let poorStability = 0.65

    /// Whether another start gives about the same clusters.
    package var isStable: Bool { stability >= Self.poorStability }
    /// Whether another number was tried.
    package let hasOthers: Bool
    /// Whether there is structure at this number, at no other as much, and from another start as well.
    package var standsOut: Bool { hasOthers && structure != .none && similar.isEmpty && rivals.isEmpty && isStable }
}

extension KSweep {
    /// The number of clusters by the rule of ``KChoice``; nil where no number has silhouettes, as for points that are all
    /// equal.
    package func choose() -> KChoice? {
        var measured = steps.filter { $0.silhouette != nil }
        // With empty clusters it is another number that was found.
        if measured.contains(where: { $0.emptyClusters == 0 }) { measured.removeAll { $0.emptyClusters > 0 } }
        guard let best = measured.map(\.stability).max() else { return nil }
        let least = best - KChoice.stabilityTolerance
        let eligible = measured.filter { $0.stability >= least }
        guard
            let chosen = eligible.max(by: { ($0.silhouette ?? 0, $1.k) < ($1.silhouette ?? 0, $0.k) }),
            let silhouette = chosen.silhouette
        else { return nil }
        let untold = measured.filter { $0.k != chosen.k && !chosen.isTold(from: $0) }
        let similar = untold.filter { $0.stability >= least }
        let rivals = untold.filter { $0.stability < least }
        return KChoice(
            k: chosen.k, silhouette: silhouette, stability: chosen.stability, leastStability: least,
            eligible: eligible.map(\.k), similar: similar.map(\.k), rivals: rivals.map(\.k),
            hasOthers: steps.count > 1)
    }
}

extension KSweep.Step {
    /// Whether the mean difference of the silhouettes, point by point, is above two of its standard errors.
    func isTold(from other: KSweep.Step) -> Bool {
        let differences = zip(silhouettes, other.silhouettes).map { Double($0) - Double($1) }
        let count = Double(differences.count)
        guard count > 1 else { return false }
        let mean = differences.reduce(0, +) / count
        let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return mean > 2 * (squares / (count - 1) / count).squareRoot()
    }
}
