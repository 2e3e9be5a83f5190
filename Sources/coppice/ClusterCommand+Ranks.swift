import ArgumentParser
import Clustering
import Compute
import Ranks
import Support

/// `coppice cluster` as one rank of several that a launcher of MPI started. All of them read the same files; each computes with
/// its own rows, and rank 0 writes and prints.
extension ClusterCommand {
    /// Clusters on all ranks and ends MPI. The thread that joined the ranks calls it.
    func run(on ranks: Communicator, _ plan: ClusteringPlan) throws {
        try ranks.finishing { try cluster(on: ranks, plan) }
    }

    private func cluster(on ranks: Communicator, _ plan: ClusteringPlan) throws {
        // Before anything that only some ranks could refuse.
        try ranks.agree(on: [
            Agreement("the version", Coppice.version), Agreement("--k", plan.k.map { "\($0)" } ?? "auto"),
            Agreement("--features", plan.features ?? "none"), Agreement("--pca", plan.pca.map { "\($0)" } ?? "none"),
            Agreement("--kmeans", options.kmeans.rawValue), Agreement("--seed", "\(compute.seed)"),
        ])
        if case .miniBatch = plan.kind {
            throw RankRefusal("mini-batches are for one process; --kmeans lloyd works on \(ranks.size) ranks")
        }
        guard let k = plan.k else {
            throw RankRefusal("--k auto is for one process; \(ranks.size) ranks need a number")
        }
        let isFirst = ranks.rank == 0
        let quiet = compute.quiet || !isFirst
        let begin = ContinuousClock.now
        let (matrix, spread) = try options.rows(over: ranks, quiet: quiet)
        // Ranks with the same options and samples are refused for the same reason.
        do { try plan.check(matrix) } catch let failure as Failure { throw RankRefusal(failure) }
        let loadingSeconds = (ContinuousClock.now - begin) / .seconds(1)
        let folder = isFirst ? try out.map { try ClusteringFolder(checking: $0) } : nil
        let backend = try chosenBackend(compute.device, profile: try shape.forced, quiet: quiet)
        Terminal.note(
            "\(describeCount(ranks.size, "rank")) by \(ranks.library?.name ?? "no MPI"), \(matrix.count) samples",
            quiet: quiet)
        let kmeans = KMeans(k: k, kind: plan.kind, start: plan.start, seed: compute.seed)
        let projection = ContinuousClock.now
        plan.noteProjection(matrix, quiet: quiet)
        let source = try plan.inFeatures { () throws(ClusteringError) in
            try kmeans.source(of: matrix, components: plan.pca, memory: plan.memory, spread: spread, on: backend)
        }
        try backend.finish()
        let pcaSeconds = plan.pca == nil ? 0 : (ContinuousClock.now - projection) / .seconds(1)
        let own = try plan.inFeatures { () throws(ClusteringError) in try kmeans.fit(source, on: backend) }
        guard let clustering = try own.gathered(over: ranks) else { return }
        let finished = FinishedClustering(
            clustering: clustering, pcaSeconds: pcaSeconds, isStreamed: source.isStreamed)
        try folder?.write(clustering, isBytes: matrix.isBytes)
        try report(finished, of: matrix, plan, loadingSeconds: loadingSeconds, on: backend, ranks: ranks.size)
    }
}

extension ClusteringOptions {
    /// The samples of all ranks, and which of them are this rank's. Collective.
    func rows(over ranks: Communicator, quiet: Bool) throws -> (matrix: FeatureMatrix, spread: RowSpread) {
        let opened = try features == nil ? nil : matrix.open(quiet: quiet)
        let samples = try opened?.samples ?? data.load(quiet: quiet).train
        let spread = try RowSpread(samples.count, over: ranks)
        do throws(ClusteringError) {
            let matrix = try FeatureMatrix(
                samples, named: "the samples of \(features ?? "--data")", forComponents: pca != nil, spread: spread)
            return (matrix, spread)
        } catch {
            guard let opened, !error.isShared else { throw error }
            throw Failure(error, in: opened)
        }
    }
}

/// A refusal for a reason that all ranks have.
private struct RankRefusal: CategorizedError, SharedError {
    let description: String
    let category: ErrorCategory
    let isShared = true

    init(_ description: String) {
        self.description = description
        category = .usage
    }

    init(_ failure: Failure) {
        description = failure.message
        category = failure.exitCode == ErrorCategory.badData.exitCode ? .badData : .usage
    }
}
