import ArgumentParser
import Clustering
import Compute
import Ranks
import Support

/// `coppice cluster` as one of several ranks: processes that an MPI launcher started, or threads with one device each. All of
/// them read the same files; each computes with its own rows, and rank 0 writes and prints.
extension ClusterCommand {
    /// Clusters on several devices of this machine.
    /// - Parameters:
    ///   - interrupt: the effect of signals, which rank 0 handles for all.
    ///   - isKept: true if checkpoints are kept.
    func run(
        on devices: [DeviceInventory.DeviceEntry], _ plan: ClusteringPlan, _ interrupt: ExitOnInterrupt, isKept: Bool
    ) throws {
        try check(plan, for: "one device", describeCount(devices.count, "device"))
        let opened = try options.open(quiet: compute.quiet)
        try spread.spread(over: devices) { ranks in
            try cluster(on: ranks, devices, plan, opened, ranks.rank == 0 ? interrupt : nil, isKept: isKept)
        }
    }

    /// Refuses plans that cannot be spread.
    /// - Parameters:
    ///   - single: what mini-batches and `--k auto` run on, such as `one process`.
    ///   - several: what is there, such as `3 ranks`.
    /// - Returns: the number of clusters.
    @discardableResult
    private func check(_ plan: ClusteringPlan, for single: String, _ several: String) throws -> Int {
        try refuseMiniBatches(plan.kind, for: single, several)
        guard let k = plan.k else {
            throw SharedRefusal("--k auto is for \(single); \(several) need a number", category: .usage)
        }
        return k
    }

    /// Clusters on all ranks. Collective.
    /// - Parameters:
    ///   - devices: the device of each rank; empty if each rank finds its own.
    ///   - opened: the samples; nil if the ranks open them.
    ///   - interrupt: the effect of signals; nil on ranks that share the process with rank 0.
    ///   - isKept: true if checkpoints are kept.
    func cluster(
        on ranks: Communicator, _ devices: [DeviceInventory.DeviceEntry], _ plan: ClusteringPlan,
        _ opened: OpenedSamples?, _ interrupt: ExitOnInterrupt?, isKept: Bool
    ) throws {
        // This comes before anything that only some ranks could refuse.
        try ranks.agree(on: [
            Agreement("the version", Coppice.version), Agreement("--k", plan.k.map { "\($0)" } ?? "auto"),
            Agreement("--features", plan.features ?? "none"), Agreement("--pca", plan.pca.map { "\($0)" } ?? "none"),
            Agreement("--kmeans", options.kmeans.rawValue), Agreement("--seed", "\(compute.seed)"),
            Agreement("checkpoints", isKept ? "some" : "none"),
            Agreement("--resume", checkpoint.resume ? "given" : "not given"),
        ])
        let k = try check(plan, for: ranks.singleText, ranks.countText)
        let isFirst = ranks.rank == 0
        let quiet = compute.quiet || !isFirst
        let begin = ContinuousClock.now
        let (samples, spread) = try options.samples(over: ranks, opened, quiet: quiet)
        let matrix = samples.matrix
        let loadingSeconds = (ContinuousClock.now - begin) / .seconds(1) + (opened?.seconds ?? 0)
        let folder = try ranks.sharingFailures {
            try plan.check(matrix)
            return isFirst ? try out.map { try ClusteringFolder(checking: $0) } : nil
        }
        let backend = try rankBackend(
            compute.device, of: devices, profile: try shape.forced, over: ranks, quiet: quiet)
        ranks.note("\(matrix.count) samples", quiet: quiet)
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
        guard let clustering = try own.gathered(over: ranks) else { return }
        let finished = FinishedClustering(
            clustering: clustering, pcaSeconds: pcaSeconds, isStreamed: source.isStreamed)
        if let folder {
            try interrupt.finishing { try folder.write(clustering, isBytes: matrix.isBytes, removing: isKept) }
        }
        try report(finished, of: matrix, plan, loadingSeconds: loadingSeconds, on: backend, ranks: ranks.size)
    }
}
