import Clustering
import Compute
import Pruning

extension Score {
    /// 1 - the cosine to the nearest prototype: spherical k-means finds k of them among the rows scaled to unit length,
    /// over the whole set (Sorscher et al., "Beyond neural scaling laws: beating power law scaling via data pruning",
    /// NeurIPS 2022, section 6). High: far from every prototype, so hard. The paper keeps the hard ones of a large set,
    /// and says that the easy ones are better where few samples are kept of a small one.
    ///
    /// k has no default: the paper sets it near the number of classes. A row of zeros has no direction: it is not
    /// clustered, and its cosine to every prototype is 0. Where fewer rows than k have a direction, each of them is a
    /// prototype.
    ///
    /// Throws ``ScoringError/missing(what:score:)`` without points or k, and
    /// ``ScoringError/badParameter(name:value:accepted:)`` for a k beyond 1 to the number of samples.
    package static let prototypes = Score("prototypes", needs: [.points, .clusterCount], isSeeded: true) { input in
        let (points, backend) = try input.located(for: "prototypes")
        guard let k = input.parameters.k else {
            throw ScoringError.missing(what: "k, the number of clusters", score: "prototypes")
        }
        guard k >= 1, k <= points.count else {
            throw ScoringError.badParameter(
                name: "k", value: "\(k)", accepted: "1 to \(points.count), the number of samples, are possible")
        }
        let rows = try input.unitRows(of: points, on: backend)
        let directed = (0..<rows.count).filter { row in rows[row].contains { $0 != 0 } }
        var scores = [Float](repeating: 1, count: rows.count)
        guard !directed.isEmpty else { return scores }
        try input.cancellation.check()
        let unit = try FeatureMatrix(
            floats: directed.count == rows.count ? rows.values : rows.gathered(directed).values,
            count: directed.count, dimensions: rows.dimensions
        ).points(on: backend)
        let clustering = try KMeans(
            k: min(k, directed.count), kind: .spherical(iterations: mostIterations), seed: input.seed,
            run: input.run
        ).fit(unit, on: backend)
        // |a - b|^2 = 2 - 2 a . b where both are of unit length; it keeps the digits of small angles.
        for (row, square) in zip(directed, clustering.distances) { scores[row] = square / 2 }
        return scores
    }

    /// Lloyd's iterations at most.
    private static let mostIterations = 100
}
