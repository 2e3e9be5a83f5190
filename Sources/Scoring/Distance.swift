import Pruning

extension Score {
    /// The squared distance of each sample to its cluster's centroid, in squared units of what was clustered. High: far
    /// from what is typical of the cluster. The article's score.
    package static let distance = Score(Selection.distance, needsClustering: true) { input throws(ScoringError) in
        guard let clustering = input.clustering else {
            throw .missing(what: "a clustering", score: Selection.distance)
        }
        return clustering.squaredDistances
    }
}
