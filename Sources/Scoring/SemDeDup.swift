import Compute
import Pruning

extension Score {
    /// The largest cosine to an earlier member of the sample's cluster, whose members are taken from the furthest from the
    /// centroid to the closest, ties to the lower index (Abbas et al., "SemDeDup: data-efficient learning at web-scale
    /// through semantic deduplication", 2023, algorithm A.1). High: redundant, so easy. The paper keeps what is at most
    /// 1 - eps; the lowest are kept where an exact number is asked for, over the whole set.
    ///
    /// The first member of a cluster has no earlier one; it has -1, the lowest, so that it is kept before all others. The
    /// cosine of a row of zeros to any other is 0. All pairs of a cluster are compared, in blocks. Clusters and
    /// distances to centroids are those of the given clustering, which is Euclidean; the authors' program orders members by
    /// cosine.
    ///
    /// Throws ``ScoringError/missing(what:score:)`` without points or a clustering.
    package static let semdedup = Score("semdedup", needs: [.points, .clustering], isHighHard: false) { input in
        let (points, backend) = try input.located(for: "semdedup")
        guard let clustering = input.clustering else {
            throw ScoringError.missing(what: "a clustering", score: "semdedup")
        }
        let (labels, squares) = (clustering.labels, clustering.squaredDistances)
        try ScoreInput.check(labels.count, "cluster labels", of: points.count)
        try ScoreInput.check(squares.count, "distances", of: points.count)
        let order = (0..<points.count).sorted { one, other in
            if labels[one] != labels[other] { return labels[one] < labels[other] }
            return squares[one] != squares[other] ? squares[one] > squares[other] : one < other
        }
        let rows = try input.unitRows(of: points, on: backend).gathered(order)
        let (cosines, _) = try rows.largestProductsWithEarlier(
            within: runs(of: order.map { labels[$0] }), cancellation: input.cancellation)
        var scores = [Float](repeating: -1, count: points.count)
        // Rounding may leave a product of two unit rows a little beyond 1.
        for (place, sample) in order.enumerated() { scores[sample] = max(-1, min(1, cosines[place])) }
        return scores
    }
}
