import ArgumentParser
import Clustering
import Compute
import Foundation
import Reports
import Support

/// `--curve`
struct CurveOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "--k auto: write what each k came to here: a table (.csv), or a picture (.svg or .png; needs gnuplot).",
            valueName: "curve.svg"))
    var curve: String?

    private static let endings = ["csv", "svg", "png"]
    private var ending: String { curve.flatMap { $0.split(separator: ".").last.map(String.init) } ?? "" }

    /// The file that is written.
    var file: NamedFile? { NamedFile("--curve", curve) }

    /// What must hold before anything is read.
    /// - Throws: ``Failure`` where no k is chosen, the ending is none that is known, or the file cannot be written.
    func check(_ plan: ClusteringPlan) throws {
        guard let curve else { return }
        guard case .automatic = plan.clusters else {
            throw Failure("--curve is for --k auto, and has no effect here", exitCode: 64)
        }
        guard Self.endings.contains(ending) else {
            throw Failure(
                "--curve is '\(excerpt(curve))'; a name that ends in .csv, .svg or .png is accepted", exitCode: 64)
        }
        try AtomicFile.checkCanWrite(curve)
        if ending != "csv", let shortage = StudyReport.descriptorShortage() { throw Failure(shortage, exitCode: 74) }
    }

    /// The bytes of the file; nil where none is asked for, and where it is left out, which a note says.
    func bytes(of choice: AutomaticK?, quiet: Bool) async throws -> [UInt8]? {
        guard let curve, let choice else { return nil }
        let points = choice.sweep.steps.map {
            KCurve.Point(k: $0.k, inertia: $0.inertia, silhouette: $0.silhouette, stability: $0.stability)
        }
        let drawn = KCurve(points, chosen: choice.choice.k)
        if ending == "csv" { return Array(drawn.csv.utf8) }
        switch await drawn.draw() {
        case .drawn(let svg, let png): return Array(ending == "svg" ? svg : png)
        case .noGnuplot:
            Terminal.note(
                "note: \(curve) is not written: gnuplot is not on the PATH; Debian's package gnuplot-nox brings it, and a "
                    + ".csv file needs none", quiet: quiet)
            return nil
        case .failed(let reason): throw Failure("\(curve): gnuplot cannot draw it: \(reason)", exitCode: 74)
        }
    }
}

extension CurveOption {
    /// Writes what ``bytes(of:quiet:)`` returned.
    func write(_ bytes: [UInt8]?) throws {
        if let curve, let bytes { try AtomicFile.write(bytes, to: curve) }
    }
}

/// A sweep over numbers of clusters, and what was chosen by it.
struct AutomaticK {
    var sweep: KSweep
    var choice: KChoice

    /// What `--json` has.
    struct Report: Encodable {
        struct Step: Encodable {
            var k: Int
            var inertia: Double
            var silhouette: Double?
            var stability: Double
            var isEligible: Bool
            var emptyClusters: Int
            var iterations: Int
            var seconds: Double
        }
        var k: Int
        var silhouette: Double
        var stability: Double
        var structure: String
        var standsOut: Bool
        var leastStability: Double
        var similar: [Int]
        var silhouetteSamples: Int
        var comparedSamples: Int
        var reason: String
        var seconds: Double
        var steps: [Step]
        var curve: String?
    }

    /// - Parameter curve: the file of `--curve`; nil where it was not written.
    func report(curve: String?) -> Report {
        Report(
            k: choice.k, silhouette: choice.silhouette, stability: choice.stability,
            structure: choice.structure.rawValue, standsOut: choice.standsOut, leastStability: choice.leastStability,
            similar: choice.similar, silhouetteSamples: sweep.scored, comparedSamples: sweep.compared,
            reason: sentences.joined(separator: " "), seconds: sweep.seconds,
            steps: sweep.steps.map { step in
                Report.Step(
                    k: step.k, inertia: step.inertia, silhouette: step.silhouette, stability: step.stability,
                    isEligible: choice.eligible.contains(step.k), emptyClusters: step.emptyClusters,
                    iterations: step.iterations, seconds: step.seconds)
            }, curve: curve)
    }

    /// The table and the reasons, for people.
    /// - Parameter curve: the file of `--curve`; nil where it was not written.
    func lines(curve: String?) -> [String] {
        let head = "         k        inertia  silhouette  stability"
        let rows = sweep.steps.map { step in
            (step.k == choice.k ? "->" : "  ")
                + String(
                    format: "%8d  %13.6g  %@  %9.3f", step.k, step.inertia,
                    step.silhouette.map { String(format: "%10.4f", $0) } ?? "         -", step.stability)
                + (step.emptyClusters > 0 ? "  \(step.emptyClusters) empty" : "")
                + (step.stability < choice.leastStability ? "  not stable" : "")
        }
        return [head] + rows + sentences + (curve.map { ["the curve is in \($0)"] } ?? [])
    }

    private var sentences: [String] {
        let tried = sweep.steps.map(\.k)
        let silhouette = fixed(choice.silhouette, 4)
        var sentences = [
            tried.count == 1
                ? "k \(choice.k) is the only number tried, in \(fixed(sweep.seconds, 1)) s: silhouette \(silhouette)."
                : "k \(choice.k), chosen from \(tried.count) numbers tried in \(fixed(sweep.seconds, 1)) s: the highest silhouette "
                    + "(\(silhouette)) of \(eligibleNumbers)."
        ]
        if sweep.steps.contains(where: { $0.k == choice.k && $0.emptyClusters > 0 }) {
            sentences.append(
                "Every number tried left clusters empty: there are fewer groups of distinct samples than that.")
        }
        sentences.append(choice.standsOut ? standingOut : notStandingOut)
        if choice.k == tried.last, tried.count > 1 {
            sentences.append("It is the largest that was tried: --k auto:LOW-HIGH tries larger ones.")
        } else if choice.standsOut, let place = tried.firstIndex(of: choice.k) {
            let low = place > 0 ? tried[place - 1] + 1 : choice.k
            let high = place + 1 < tried.count ? tried[place + 1] - 1 : choice.k
            if low < high { sentences.append("--k auto:\(low)-\(high) tries those between its neighbours.") }
        }
        sentences.append(
            "Inertia: sum of squared distances to the centroids. Silhouette: mean of \(sweep.scored) samples, each compared "
                + "with \(sweep.compared). Stability: adjusted Rand index of the clusterings from two starts.")
        return sentences
    }

    /// The numbers among which the silhouette decided.
    private var eligibleNumbers: String {
        let full = sweep.steps.filter { $0.emptyClusters == 0 && $0.silhouette != nil }.count
        if choice.eligible.count == sweep.steps.count { return "all" }
        if choice.eligible.count == full { return "those without an empty cluster" }
        return "those with a stability of at least \(fixed(choice.leastStability, 3)), \(KChoice.stabilityTolerance) "
            + "below the best" + (full < sweep.steps.count ? ", and no empty cluster" : "")
    }

    private var standingOut: String {
        "It stands out: \(choice.structure.rawValue) structure by its silhouette, no other k within two standard errors over "
            + "the samples (not counting the effect of another start), and another start gives about the same clusters (\(fixed(choice.stability, 2)))."
    }

    private var notStandingOut: String {
        var reasons: [String] = []
        if !choice.hasOthers { reasons.append("no other number was tried") }
        if choice.structure == .none { reasons.append("a silhouette of at most 0.25 shows no substantial structure") }
        func list(_ numbers: [Int]) -> String {
            numbers.prefix(8).map(String.init).joined(separator: ", ")
                + (numbers.count > 8 ? " and \(numbers.count - 8) more" : "")
        }
        if !choice.similar.isEmpty {
            reasons.append(
                "k \(list(choice.similar)) cannot be told from it (within two standard errors over the samples, which leave out "
                    + "what another start would change)")
        }
        if !choice.rivals.isEmpty {
            reasons.append(
                "k \(list(choice.rivals)) \(choice.rivals.count == 1 ? "has a silhouette" : "have silhouettes") as high or "
                    + "higher, but another start gives other clusters there")
        }
        if !choice.isStable {
            reasons.append("another start gives other clusters (stability \(fixed(choice.stability, 2)))")
        }
        return "No k stands out: " + reasons.joined(separator: "; ")
            + ". Choose by what the clusters are for: more of them cover the samples more evenly."
    }
}

extension ClusteringPlan {
    /// Refuses numbers of clusters that so many samples cannot have.
    /// - Throws: ``Failure``.
    func checkRange(_ matrix: FeatureMatrix) throws {
        guard case .automatic(let range) = clusters else { return }
        let most = matrix.count - 1
        guard most >= 2 else {
            throw Failure(
                "--k auto needs at least 3 samples, and there \(matrix.count == 1 ? "is 1" : "are \(matrix.count)"); "
                    + "give a number", exitCode: 64)
        }
        if let range, range.upperBound > most {
            throw Failure(
                "--k auto goes up to \(range.upperBound), and there are only \(matrix.count) samples; 2 to \(most) are "
                    + "accepted", exitCode: 64)
        }
    }

    /// Clusters with the number of clusters that is given, or with one that is chosen first.
    /// - Parameter keeper: keeps checkpoints of Lloyd's iterations if k is given as a number.
    func run(
        _ matrix: FeatureMatrix, seed: UInt64, on backend: any Backend, keeper: CheckpointKeeper? = nil, quiet: Bool
    ) throws -> FinishedClustering {
        guard case .automatic(let range) = clusters else {
            return try run(matrix, k: k ?? 1, seed: seed, on: backend, keeper: keeper, quiet: quiet)
        }
        let ks = KSweep.grid(range ?? KSweep.range(of: matrix.count), withEnds: range != nil)
        let clock = ContinuousClock()
        let begin = clock.now
        let largest = KMeans(k: ks.last ?? 2, kind: kind, start: start, seed: seed)
        noteProjection(matrix, quiet: quiet)
        let source = try inFeatures { () throws(ClusteringError) in
            try self.source(for: largest, of: matrix, trying: ks.count, on: backend)
        }
        try backend.finish()
        let seconds = (clock.now - begin) / .seconds(1)
        let sweep = try self.sweep(ks, source, seed: seed, on: backend, quiet: quiet)
        guard let choice = sweep.choose() else {
            throw Failure(
                "--k auto: every one of \(sweep.compared) samples is in the same cluster at each k that was tried, as equal "
                    + "samples are; give --k a number", exitCode: 65)
        }
        let kmeans = KMeans(k: choice.k, kind: kind, start: start, seed: seed)
        Terminal.note("clustering with k \(choice.k)", quiet: quiet)
        let clustering = try inFeatures { () throws(ClusteringError) in
            try kmeans.fit(source.pieces(for: kmeans), on: backend)
        }
        noteTinyClusters(clustering, quiet: quiet)
        return FinishedClustering(
            clustering: clustering, pcaSeconds: pca == nil ? 0 : seconds, isStreamed: source.isStreamed,
            automatic: AutomaticK(sweep: sweep, choice: choice))
    }

    private func sweep(_ ks: [Int], _ source: PointSource, seed: UInt64, on backend: any Backend, quiet: Bool) throws
        -> KSweep
    {
        Terminal.note(
            "trying \(ks.count == 1 ? "k" : "\(ks.count) numbers of clusters from") \(ks.first ?? 2)"
                + (ks.count == 1 ? "" : " to \(ks.last ?? 2)") + " on \(source.count) samples of \(source.dimensions) "
                + "numbers" + (source.isStreamed ? ", streamed" : ""), quiet: quiet)
        let bar = ProgressBar("choosing k", unit: "clusters", quiet: quiet)
        defer { bar.finish() }
        return try inFeatures { () throws(ClusteringError) in
            try KSweep.run(ks: ks, kind: kind, start: start, seed: seed, source: source, on: backend) { done, all, k in
                bar.update(Double(done), of: Double(all), note: "k \(k)")
            }
        }
    }

    /// The points of all samples, in memory that leaves room for the sweep.
    private func source(
        for kmeans: KMeans, of matrix: FeatureMatrix, trying count: Int, on backend: any Backend
    ) throws(ClusteringError) -> PointSource {
        let reserve = KSweep.memory(
            count: matrix.count, columns: matrix.dimensions, dimensions: pca ?? matrix.dimensions, ks: count)
        do throws(ClusteringError) {
            return try kmeans.source(
                of: matrix, components: pca, memory: memory.map { max(0, $0 - reserve) }, on: backend)
        } catch {
            guard case .memory(_, let needed, _) = error, let memory else { throw error }
            throw .memory(
                what: "choosing k for \(matrix.count) samples of \(matrix.dimensions) features, up to k \(kmeans.k),",
                needed: needed + reserve, allowed: memory)
        }
    }
}
