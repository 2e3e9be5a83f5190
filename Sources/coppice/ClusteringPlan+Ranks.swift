import Clustering
import Compute
import Support

extension ClusteringPlan {
    /// One rank's part of a clustering of samples that are spread over ranks.
    struct Spread {
        /// The labels and distances are those of this rank's samples; everything else covers all samples.
        var finished: FinishedClustering
        /// This rank's points.
        var source: PointSource
    }

    /// Clusters the samples of all ranks; k is a number. Collective.
    /// - Throws: ``Failure`` that names the value of `--features` if the data is bad; `ClusteringError`.
    func run(
        _ matrix: FeatureMatrix, k: Int, seed: UInt64, over spread: RowSpread, on backend: any Backend, quiet: Bool
    ) throws -> Spread {
        let begin = ContinuousClock.now
        let kmeans = KMeans(k: k, kind: kind, start: start, seed: seed)
        noteProjection(matrix, quiet: quiet)
        let source = try inFeatures { () throws(ClusteringError) in
            try kmeans.source(of: matrix, components: pca, memory: memory, spread: spread, on: backend)
        }
        try backend.finish()
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        Terminal.note(
            "clustering \(matrix.count) samples of \(source.dimensions) numbers, k \(k)"
                + (source.isStreamed ? ", streamed" : ""), quiet: quiet)
        let own = try inFeatures { () throws(ClusteringError) in try kmeans.fit(source, on: backend) }
        return Spread(
            finished: FinishedClustering(
                clustering: own, pcaSeconds: pca == nil ? 0 : seconds, isStreamed: source.isStreamed),
            source: source)
    }
}
