import Pruning

extension Score {
    /// The squared distance of each sample to its cluster's centroid, in squared units of what was clustered. High: far
    /// from what is typical of the cluster. The article's score, which keeps the furthest of each cluster.
    package static let distance = Score(
        Selection.distance, needs: [.clustering], paper: PapersChoice(within: .cluster, keeping: .hard)
    ) { input in
        guard let clustering = input.clustering else {
            throw ScoringError.missing(what: "a clustering", score: Selection.distance)
        }
        return clustering.squaredDistances
    }
}
