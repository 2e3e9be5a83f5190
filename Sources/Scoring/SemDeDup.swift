import Compute
import Pruning

extension Score {
    /// The largest cosine to an earlier member of the sample's cluster, less 1, whose members are taken from the furthest
    /// from the centroid to the closest, ties to the lower index (Abbas et al., "SemDeDup: data-efficient learning at
    /// web-scale through semantic deduplication", 2023, algorithm A.1). From -2 to 0, which is that of a copy. High:
    /// redundant, so easy. The paper keeps what is at most -eps; the lowest are kept where an exact number is asked for,
    /// over the whole set.
    ///
    /// 1 is subtracted because float32 has steps of 6e-8 below 1, and cosines of rows far from the origin all lie there.
    /// It is computed as -|u - v|^2 / 2 of unit rows in double precision.
    ///
    /// The first member of a cluster has no earlier one; it has -2, the lowest, so that it is kept before all others. The
    /// cosine of a row of zeros to any other is 0. All pairs of a cluster are compared, in blocks. Clusters and
    /// distances to centroids are those of the given clustering, which is Euclidean; the authors' program orders members by
    /// cosine.
    ///
    /// Throws ``ScoringError/missing(what:score:)`` without points or a clustering.
    package static let semdedup = Score(
        "semdedup", needs: [.points, .clustering], isHighHard: false, takesThreshold: true, offset: -1
    ) { input in
        let (points, backend) = try input.located(for: "semdedup")
        guard let clustering = input.clustering else {
            throw ScoringError.missing(what: "a clustering", score: "semdedup")
        }
        try ScoreInput.check(clustering.labels.count, "cluster labels", of: points.count)
        try ScoreInput.check(clustering.squaredDistances.count, "distances", of: points.count)
        try input.checkShift(of: points)
        let members = ClusterMembers(furthestFirst: clustering)
        let order = members.points.map(Int.init)
        let (gaps, _) = try HostRows(points, on: backend).gathered(order).largestCosinesWithEarlier(
            within: members.ranges, adding: input.shift, cancellation: input.cancellation)
        var scores = [Float](repeating: -2, count: points.count)
        // Rounding may leave opposite rows a little beyond 2.
        for (place, sample) in order.enumerated() { scores[sample] = 0 - Float(min(2, gaps[place])) }
        return scores
    }

    /// How many scores of ``semdedup`` are at most -eps: samples whose cosine to no earlier member is above 1 - eps. As
    /// scores are float32, so is eps: a cosine of exactly 1 - eps is kept.
    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)`` unless eps is above 0 and at most 2.
    package static func semdedupCount(_ scores: [Float], eps: Double) throws(ScoringError) -> Int {
        guard eps > 0, eps <= 2 else {
            throw .badParameter(
                name: "eps", value: "\(eps)",
                accepted: "it has to be above 0 and at most 2, as 1 - the cosine of two samples is")
        }
        return scores.count { $0 <= -Float(eps) }
    }
}
