import ArgumentParser
import Compute
import Datasets
import Foundation
import Networks
import Pruning
import Scoring
import Studies
import Support

/// `coppice score`
struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Gives every sample of a training set a score, by which `coppice select` can rank.",
        discussion: """
            Scores: \(Score.all.map(\.name).joined(separator: ", ")). A greedy order counts as one: its first pick has the \
            highest score, and what it does not pick has 0. docs/selection.md has each score's paper and what high means.

            --networks-out writes what networks said of the samples while they were trained on them, and the networks after \
            every epoch that a score uses.
            """)

    @OptionGroup var options: ClusteringOptions
    @OptionGroup var labels: LabelsOption
    @Option(help: ArgumentHelp("The score.", valueName: "name"), completion: .list(Score.all.map(\.name)))
    var score: String
    @Option(help: "Greedy orders: pick within none, class, cluster or class-cluster.")
    var within: Groups?
    @Option(help: "Greedy orders: how many to pick; all unless given.", transform: wholeNumber)
    var size: Int?
    @Option(help: ArgumentHelp("Where to write the scores, float32 (semdedup: float64).", valueName: "scores.npy"))
    var out: String
    @Option(help: ArgumentHelp("Where to write networks and what they said.", valueName: "dir"))
    var networksOut: String?
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var scoring: ScoreOptions
    @OptionGroup var shape: ProfileOption
    @OptionGroup var compute: ComputeOptions

    private struct Report: Encodable {
        var score: String
        var n: Int
        var low: Double?
        var median: Double?
        var high: Double?
        var infinite: Int
        var isHighHard: Bool
        var within: String?
        var picked: Int?
        var out: String
        var seed: UInt64
        var seconds: Double
        var clusteringSeconds: Double?
        var device: DeviceDescription
    }

    /// What `--networks-out` writes.
    private var networkFiles: [NamedFile?] {
        guard let networksOut else { return [] }
        let parameters = scoring.parameters(k: nil)
        let weights = (1...parameters.networks).flatMap { network in
            Set([1, parameters.epochs]).map { "network\(network)-epoch\($0).safetensors" }
        }
        return (TrainingDynamics.names.map { "\($0).npy" } + weights).map {
            NamedFile("--networks-out", "\(networksOut)/\($0)")
        }
    }

    func run() throws {
        let score: Score
        do { score = try Score.named(self.score) } catch {
            throw unaccepted(self.score, of: Score.all.map(\.name), option: "--score")
        }
        let plan = try options.plan()
        try refuseAutomatic(plan.clusters, for: "score", because: "cluster --k auto chooses k and says why")
        try labels.check(options)
        try scoring.check(score, options, labels, hasClustering: false)
        let groups = within ?? score.paper.groups
        let needsClustering = score.needsClustering || score.isOrder && groups.needClustering
        // Those that are missing are named first.
        if score.isOrder, groups.needClustering, plan.k == nil {
            throw Failure("--within \(groups.rawValue) needs clusters: give --k", exitCode: 64)
        }
        try options.checkIdle(
            isClustered: needsClustering, takesCount: score.needs.contains(.clusterCount),
            isOfPoints: score.needs.contains(.points))
        if !score.isOrder {
            for (name, isGiven) in [("--within", within != nil), ("--size", size != nil)] where isGiven {
                throw Failure("\(name) is for greedy orders, and \(score.name) is none", exitCode: 64)
            }
        }
        let trains = score.needs.contains(.dynamics) && (options.features == nil || labels.labels != nil)
        if networksOut != nil, !trains {
            throw Failure(
                "--networks-out is for scores of networks, and none are trained for \(score.name) here", exitCode: 64)
        }
        try checkOutputs(
            [NamedFile("--out", out)] + networkFiles,
            against: options.inputs + [
                NamedFile("--labels", labels.labels), NamedFile("--model", scoring.model?.path),
            ])
        try AtomicFile.checkCanWrite(out)
        let interrupt = ExitOnInterrupt(
            saying: "interrupted, \(out) was not written" + (networksOut.map { "; \($0) is not complete" } ?? ""))
        let samples = try options.samples(quiet: compute.quiet, labels: labels)
        let count = samples.matrix.count
        try plan.check(samples.matrix)
        try scoring.check(score, on: samples)
        if let size { _ = try RequestedSize.count(size).resolved(of: count) }
        if let networksOut { try OutputFile.makeDirectory(networksOut) }
        if score.isOrder, groups.needClasses, samples.classes == nil {
            throw Failure(
                "--within \(groups.rawValue) needs the class of every sample: give --labels, or --data", exitCode: 64)
        }
        let backend = try compute.makeBackend(in: shape)
        let clustering =
            needsClustering
            ? try plan.k.map {
                try plan.run(samples.matrix, k: $0, seed: compute.seed, on: backend, quiet: compute.quiet)
            } : nil
        var run = ScoreRun(score: score, options: scoring, plan: plan, compute: compute, backend: backend)
        if let networksOut {
            let trainable = try samples.trainable?.load()
            let metadata = trainable.map {
                StoredWeights.metadata(
                    of: $0.samples, isOfImages: options.features == nil, classNames: samples.classNames,
                    scaling: samples.scaling)
            }
            let epochs = scoring.parameters(k: nil).epochs
            let batch = scoring.training.batchSize
            run.keepNetwork = { network, epoch, weights in
                // Those that scores are taken of.
                guard let trainable, let metadata, epoch == 1 || epoch == epochs else { return }
                let steps = epoch * ((count + batch - 1) / batch)
                try weights.write(
                    to: "\(networksOut)/network\(network + 1)-epoch\(epoch).safetensors",
                    normalisation: trainable.normalisation, steps: steps, metadata: metadata)
            }
        }
        let result = try run.values(
            of: samples, clustering: clustering?.assignment, within: groups, size: size ?? count)
        try interrupt.finishing {
            if let networksOut {
                for field in result.dynamics?.fields ?? [] {
                    try NumPy.write(field.values, shape: field.shape, to: "\(networksOut)/\(field.name).npy")
                }
            }
            if score.offset == 0 {
                try NumPy.write(result.values, shape: [count], to: out)
            } else {
                try NumPy.write(result.values.map { Double($0) - score.offset }, shape: [count], to: out)
            }
        }
        let finite = result.values.filter(\.isFinite).map { Double($0) - score.offset }.sorted()
        let median = Statistics.median(finite)
        let clusteringSeconds = clustering.map {
            $0.pcaSeconds + $0.clustering.startSeconds + $0.clustering.seconds
        }
        if json {
            try printJSON(
                Report(
                    score: score.name, n: count, low: finite.first,
                    median: median, high: finite.last,
                    infinite: count - finite.count, isHighHard: score.isHighHard,
                    within: score.isOrder ? groups.rawValue : nil,
                    picked: score.isOrder ? result.values.count { $0 > 0 } : nil, out: out, seed: compute.seed,
                    seconds: result.seconds, clusteringSeconds: clusteringSeconds, device: backend.device))
        } else {
            print("scored \(count) samples by \(score.name) in \(out), \(fixed(result.seconds, 2)) s")
            if score.isOrder {
                print("picked \(result.values.count { $0 > 0 }); the first has the highest score")
            } else if let low = finite.first, let high = finite.last {
                print(
                    "\(Float(low)) to \(Float(high)), median \(Float(median ?? 0))"
                        + (finite.count < count ? ", \(count - finite.count) infinite" : "")
                        + "; high is \(score.isHighHard ? "hard" : "easy")")
            }
        }
        try flushOutput()
        withExtendedLifetime(interrupt) {}
    }
}
