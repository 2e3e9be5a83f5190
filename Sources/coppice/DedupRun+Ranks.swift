import Clustering
import Compute
import Pruning
import Ranks
import Support

extension DedupRun {
    /// Clusters the rows of all ranks. Every rank gets the cluster and the distance of each row, and points from which it can
    /// read any row, because it compares whole clusters, whose rows are spread over the set.
    func cluster(over ranks: Communicator) throws -> Clustered {
        let matrix = rows.matrix
        let spread = try RowSpread(matrix.count, over: ranks)
        ranks.note("\(matrix.count) rows", quiet: compute.quiet)
        var plan = plan
        // Ranks of one process share its memory.
        plan.memory = plan.memory.map { max(0, $0 - ranks.ranksInProcess * reserve) }
        let clustered = try plan.run(
            matrix, k: k, seed: compute.seed, over: spread, on: backend, quiet: compute.quiet)
        let own = clustered.finished.clustering
        return Clustered(
            source: PointSource(
                streaming: matrix, through: clustered.source.pca, pieceCount: RowSpread.chunkRows),
            clustering: own,
            assignment: ClusterAssignment(
                labels: try ranks.gather(own.labels).values, squaredDistances: try ranks.gather(own.distances).values,
                k: own.k),
            pcaSeconds: clustered.finished.pcaSeconds, isStreamed: clustered.finished.isStreamed)
    }
}
