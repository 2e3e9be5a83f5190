import ArgumentParser
import Clustering
import Compute
import KernelChecks
import Ranks
import Support

/// A start that can be planned, a word of `--start`.
enum PlannedStart: String, CaseIterable, Encodable, ExpressibleByArgument {
    case plusPlus = "kmeans++"
    case parallel = "kmeans-parallel"

    /// This start as a setting of a clustering.
    var start: KMeans.Start {
        switch self {
        case .plusPlus: .plusPlus
        case .parallel: .parallel()
        }
    }
}

/// The work of a start on the rank that has the most rows.
enum StartWork: Equatable {
    /// Every rank does this.
    case plusPlus(PlusPlusWork)
    /// The device of every rank finds candidates, and rank 0's host chooses from them.
    case parallel(ParallelStartWork, choice: CandidateChoiceWork)
}

extension ClusterSize {
    /// The settings of a k-means|| start; nil for another start.
    private var parallelSettings: KMeans.ParallelStartSettings? {
        if case .parallel(let settings) = kmeans.start { settings } else { nil }
    }

    /// The work of the start.
    var startWork: StartWork {
        let trials = kmeans.startCandidates
        guard let settings = parallelSettings else {
            return .plusPlus(
                PlusPlusWork(points: kmeans.startCount(of: rows), trials: trials, k: k, dimensions: dimensions))
        }
        let work = ParallelStartWork(
            rows: rowsPerRank, searches: settings.expectedSearches(k: k, of: rows), dimensions: dimensions,
            isSpread: ranks > 1)
        return .parallel(
            work,
            choice: CandidateChoiceWork(candidates: work.candidates, trials: trials, k: k, dimensions: dimensions))
    }

    /// A smaller start, on which the rate is measured: the choice of the first centres, from points that take at most 64 MiB. Of
    /// a k-means|| start the choice is smaller, and the searches are not measured.
    var startSample: StartWork {
        let dimensions = min(dimensions, 1024)
        let most = (1 << 24) / dimensions
        return switch startWork {
        case .plusPlus(let work):
            .plusPlus(
                PlusPlusWork(
                    points: min(work.points, most), trials: work.trials, k: min(k, 32), dimensions: dimensions))
        case .parallel(let work, let choice):
            .parallel(
                work,
                choice: CandidateChoiceWork(
                    candidates: min(choice.candidates, most), trials: choice.trials, k: min(k, 32),
                    dimensions: dimensions))
        }
    }

    /// The bytes that each rank sends for the start, and the number of steps in which it sends them.
    var startTraffic: (searches: RankTraffic, choice: RankTraffic) {
        let nothing = RankTraffic(bytes: 0, steps: 0)
        guard ranks > 1 else { return (nothing, nothing) }
        // A row, and its place among the others.
        let row = MemoryLayout<Float>.stride * dimensions + MemoryLayout<Int64>.stride
        switch startWork {
        case .plusPlus(let work):
            let gathered = RankNetwork.gather(work.points * row, ranks: ranks)
            return (RankTraffic(bytes: gathered, steps: ranks - 1), nothing)
        case .parallel(let work, _):
            // All but the first candidate are drawn, and the ranks gather their numbers. They gather the rows of all, and add
            // up a few numbers after each search.
            let drawn = (work.candidates - 1) * MemoryLayout<Int32>.stride
            let gathered = RankNetwork.gather(work.candidates * row + drawn, ranks: ranks)
            // They add up the weights of all candidates, and rank 0 sends the numbers of those that it chose to all.
            let weights = RankNetwork.allReduce(work.candidates * MemoryLayout<Int64>.stride, ranks: ranks)
            let chosen = RankNetwork.gather(k * MemoryLayout<Int32>.stride, ranks: ranks)
            return (
                RankTraffic(bytes: gathered, steps: (4 * work.searches.count - 1) * (ranks - 1)),
                RankTraffic(bytes: weights + chosen, steps: 3 * (ranks - 1))
            )
        }
    }

    /// The assumptions of a plan about the start.
    func startAssumptions(on host: HostRates) -> [String] {
        switch startWork {
        case .plusPlus(let work):
            return [
                "the start is k-means++ (`--start kmeans++`) on \(work.points) rows drawn from all, "
                    + "\(describeCount(work.trials, "candidate")) per centre"
                    + (ranks > 1 ? "; every rank gathers these rows and chooses from them alike" : "")
            ]
        case .parallel(let work, let choice): return assumptions(about: work, choice, on: host)
        }
    }

    private func assumptions(
        about work: ParallelStartWork, _ choice: CandidateChoiceWork, on host: HostRates
    ) -> [String] {
        let drawn = work.searches.dropFirst()
        let rounds = describeCount(drawn.count, "round")
        let candidates =
            "the start is k-means|| (`--start kmeans-parallel`) with \(describeCount(work.candidates, "candidate")): one row, "
            + "and up to \(drawn.max() ?? 0) in each of \(rounds), fewer where some rows are sure to be drawn"
        let passes =
            "the new candidates of a round are compared with all rows as centroids are; then one core of "
            + "\(ranks > 1 ? "each rank's host" : "the host") copies the label and the distance of every row and draws, in "
            + "\(threeDigits(host.rowNanoseconds)) ns per row"
        let choosing =
            "\(ranks > 1 ? "rank 0's host" : "the host") chooses the centroids, \(describeCount(choice.trials, "row")) drawn "
            + "for each, and compares all candidates with them at \(threeDigits(host.gbs)) GB/s"
        let (passesBy, choosingBy) =
            if let sample = host.measuredOn {
                (", as measured here", ", as measured here on \(sample)")
            } else {
                (", which is assumed", " (`--host`)")
            }
        let counted = "; all their columns are counted, although a comparison with a distant candidate stops early"
        return [
            candidates + (ranks > 1 ? "; every rank gathers the candidates' rows" : ""), passes + passesBy,
            choosing + choosingBy + counted + (ranks > 1 ? "; the other ranks wait" : ""),
        ]
    }
}

/// The rates of each rank's host, which does a part of a k-means|| start.
struct HostRates: Equatable, Encodable {
    /// The rate at which all cores read candidates that they compare with a centroid, in 10^9 bytes per second.
    var gbs: Double
    /// The nanoseconds per row that one core takes to copy the result of a search and to draw from it.
    var rowNanoseconds: Double
    /// The rows that ``gbs`` was measured on; nil where it was not measured here.
    var measuredOn: String?

    enum CodingKeys: String, CodingKey {
        case gbs, measuredOn
        case rowNanoseconds = "rowNs"
    }

    /// The rates assumed for another machine's host. A core of an AMD EPYC (Zen 5) takes 30 ns per row.
    static let assumed = HostRates(gbs: 100, rowNanoseconds: 30)

    func seconds(_ choice: CandidateChoiceWork) -> Double { choice.cost.bytes / gbs / 1e9 }

    /// The seconds of one core after all searches of a start.
    func seconds(after work: ParallelStartWork) -> Double {
        Double(work.searches.count) * Double(work.rows) * 1e-9 * rowNanoseconds
    }

    /// The rates of this machine's host.
    /// - Parameters:
    ///   - sample: the choice that is measured.
    ///   - backend: the device that labels and distances are copied from.
    static func measured(on sample: CandidateChoiceWork, with backend: any Backend) throws(ComputeError) -> HostRates {
        let rate = sample.cost.bytes / max(sample.measured(), 1e-12) / 1e9
        return HostRates(
            gbs: rate, rowNanoseconds: try rowNanoseconds(with: backend),
            measuredOn: "\(sample.candidates) made rows of \(sample.dimensions) numbers")
    }

    /// The nanoseconds per row to take the result of a search of a million rows and to draw from it, the least of three
    /// measurements.
    private static func rowNanoseconds(with backend: any Backend) throws(ComputeError) -> Double {
        let count = 1 << 20
        let labels = try backend.makeBuffer(of: Int32.self, count: count, label: "labels")
        let distances = try backend.makeBuffer(of: Float.self, count: count, label: "distances")
        try backend.fill(labels, with: 0)
        try backend.fill(distances, with: 1)
        try backend.finish()
        var least = Double.infinity
        for key in 0..<3 as Range<UInt64> {
            var rows = NearestCandidates(count: count, key: key)
            let begin = ContinuousClock.now
            try rows.take(count, from: 0, labels: labels, distances: distances, after: 0, on: backend)
            _ = rows.drawn(in: 0, wanted: 1000, cost: rows.total.value)
            least = min(least, (ContinuousClock.now - begin) / .seconds(1))
        }
        return 1e9 * least / Double(count)
    }
}

/// The bytes that each rank sends, and how.
struct RankTraffic: Equatable {
    var bytes: Double
    /// The number of messages, one after the other.
    var steps: Int
}

/// The start of a clustering, as a part of its plan.
struct StartPlan: Equatable {
    /// The parts of a k-means|| start.
    struct Parts: Equatable, Encodable {
        /// All ranks find candidates.
        var searches: ClusterPlan.Span
        /// Rank 0 chooses the centroids from them.
        var choice: ClusterPlan.Span
    }

    var method: PlannedStart
    /// The rows that centroids are chosen from.
    var rows: Int
    /// Nil for k-means++.
    var candidates: Int?
    var span: ClusterPlan.Span
    /// Nil for k-means++.
    var parts: Parts?
    /// The bytes that each rank sends.
    var sent: Double

    /// - Parameter network: nil with one rank.
    init(_ size: ClusterSize, on device: DeviceRates, _ host: HostRates, over network: RankNetwork?) {
        let traffic = size.startTraffic
        func span(_ compute: Double, _ traffic: RankTraffic) -> ClusterPlan.Span {
            ClusterPlan.Span(
                compute: compute, network: network?.seconds(traffic.bytes, steps: traffic.steps) ?? 0)
        }
        sent = traffic.searches.bytes + traffic.choice.bytes
        switch size.startWork {
        case .plusPlus(let work):
            (method, rows) = (.plusPlus, work.points)
            self.span = span(device.seconds(start: work), traffic.searches)
        case .parallel(let work, let choice):
            (method, rows, candidates) = (.parallel, size.rows, work.candidates)
            let parts = Parts(
                searches: span(device.seconds(searches: work) + host.seconds(after: work), traffic.searches),
                choice: span(host.seconds(choice), traffic.choice))
            self.parts = parts
            self.span = ClusterPlan.Span(
                compute: parts.searches.computeSeconds + parts.choice.computeSeconds,
                network: parts.searches.networkSeconds + parts.choice.networkSeconds)
        }
    }
}
