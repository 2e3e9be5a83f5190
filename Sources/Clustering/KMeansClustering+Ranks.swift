import Compute
import Ranks

extension KMeansClustering {
    /// The clustering of the rows of all ranks, on rank 0; nil on the others. Collective.
    /// - Throws: ``ClusteringError/ranks(_:)``.
    package func gathered(over communicator: Communicator) throws(ClusteringError) -> KMeansClustering? {
        let (labels, distances) = try acrossRanks { () throws(RanksError) in
            (try communicator.gather(self.labels, to: 0), try communicator.gather(self.distances, to: 0))
        }
        guard let labels, let distances else { return nil }
        return KMeansClustering(
            labels: labels.values, distances: distances.values, centroids: centroids, shift: shift, k: k,
            dimensions: dimensions, inertia: inertia, iterations: iterations, startSeconds: startSeconds,
            seconds: seconds)
    }
}
