import ArgumentParser
import Clustering
import Compute
import Ranks
import Support

/// `coppice cluster` as one of several ranks that an MPI launcher started. All of them read the same files; each computes with
/// its own rows, and rank 0 writes and prints.
extension ClusterCommand {
    /// Clusters on all ranks and ends MPI. Call it on the thread that joined the ranks.
    /// - Parameter isKept: true if checkpoints are kept.
    func run(on ranks: Communicator, _ plan: ClusteringPlan, isKept: Bool) throws {
        // Several ranks are often signalled at once, and only one of them should print.
        let interrupt = ExitOnInterrupt(saying: ranks.rank == 0 ? CheckpointKeeper.message(isKept) : nil)
        defer { withExtendedLifetime(interrupt) {} }
        try ranks.finishing { try cluster(on: ranks, plan, interrupt, isKept: isKept) }
    }

    private func cluster(
        on ranks: Communicator, _ plan: ClusteringPlan, _ interrupt: ExitOnInterrupt, isKept: Bool
    ) throws {
        // This comes before anything that only some ranks could refuse.
        try ranks.agree(on: [
            Agreement("the version", Coppice.version), Agreement("--k", plan.k.map { "\($0)" } ?? "auto"),
            Agreement("--features", plan.features ?? "none"), Agreement("--pca", plan.pca.map { "\($0)" } ?? "none"),
            Agreement("--kmeans", options.kmeans.rawValue), Agreement("--seed", "\(compute.seed)"),
            Agreement("checkpoints", isKept ? "some" : "none"),
            Agreement("--resume", checkpoint.resume ? "given" : "not given"),
        ])
        if case .miniBatch = plan.kind {
            throw SharedRefusal(
                "mini-batches are for one process; --kmeans lloyd works on \(ranks.size) ranks", category: .usage)
        }
        guard let k = plan.k else {
            throw SharedRefusal(
                "--k auto is for one process; \(ranks.size) ranks need a number", category: .usage)
        }
        let isFirst = ranks.rank == 0
        let quiet = compute.quiet || !isFirst
        let begin = ContinuousClock.now
        let (matrix, spread) = try options.rows(over: ranks, quiet: quiet)
        let loadingSeconds = (ContinuousClock.now - begin) / .seconds(1)
        let folder = try ranks.sharingFailures {
            try plan.check(matrix)
            return isFirst ? try out.map { try ClusteringFolder(checking: $0) } : nil
        }
        let backend = try rankBackend(compute.device, profile: try shape.forced, over: ranks, quiet: quiet)
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
        let keeper = isKept ? CheckpointKeeper(checkpoint, in: folder, interrupt, quiet: quiet) : nil
        try keeper?.open(plan, kmeans, source, matrix, seed: compute.seed, on: backend)
        let own = try plan.inFeatures { () throws(ClusteringError) in
            try kmeans.fit(source, on: backend, keeper: keeper)
        }
        // A signal to all ranks must not end one while rank 0 writes: the launcher would then end that, too.
        guard let clustering = try own.gathered(over: ranks) else { return interrupt.finishing {} }
        let finished = FinishedClustering(
            clustering: clustering, pcaSeconds: pcaSeconds, isStreamed: source.isStreamed)
        if let folder {
            try interrupt.finishing { try folder.write(clustering, isBytes: matrix.isBytes, removing: isKept) }
        }
        try report(finished, of: matrix, plan, loadingSeconds: loadingSeconds, on: backend, ranks: ranks.size)
    }
}

extension ClusteringOptions {
    /// The samples of all ranks, and this rank's part of them. Collective.
    func rows(over ranks: Communicator, quiet: Bool) throws -> (matrix: FeatureMatrix, spread: RowSpread) {
        let (opened, samples) = try ranks.sharingFailures {
            let opened = try features == nil ? nil : matrix.open(quiet: quiet)
            return (opened, try opened?.samples ?? data.load(quiet: quiet).train)
        }
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
