import Clustering
import Compute
import KernelChecks
import Studies
import Support

/// A clustering by Lloyd's k-means, and the ranks that share it.
struct ClusterSize: Equatable {
    /// The rows of all ranks together.
    var rows: Int
    var dimensions: Int
    var k: Int
    var iterations: Int
    var ranks: Int
    /// The start; nil for the default of `coppice cluster`.
    var start: PlannedStart?

    /// The most ranks and iterations.
    private static let (mostRanks, mostIterations) = (100_000, 1_000_000)

    var kmeans: KMeans { KMeans(k: k, kind: .lloyd(iterations: iterations, tolerance: 0), start: start?.start) }

    /// The rows of the rank that has the most.
    var rowsPerRank: Int {
        (0..<ranks).map { RowSpread.rows(ofRank: $0, of: ranks, total: rows).count }.max() ?? rows
    }

    /// The work of that rank.
    var work: LloydWork { LloydWork(rows: rowsPerRank, of: rows, k: k, dimensions: dimensions) }

    /// - Throws: ``Failure`` for a size that no clustering can have.
    func check() throws {
        for (name, value, most) in [
            ("--rows", rows, FeatureMatrix.mostRows), ("--dim", dimensions, FeatureMatrix.mostColumns),
            ("--iterations", iterations, Self.mostIterations), ("--ranks", ranks, Self.mostRanks),
        ] where !(1...most).contains(value) {
            throw Failure("\(name) is \(value); from 1 to \(most) are accepted", exitCode: 64)
        }
        let mostClusters = min(rows, KMeans.mostClusters(dimensions: dimensions))
        guard (1...mostClusters).contains(k) else {
            throw Failure(
                "--k is \(k); for \(rows) rows of \(dimensions) numbers from 1 to \(mostClusters) are accepted",
                exitCode: 64)
        }
        let chunks = RowSpread.chunks(rows)
        guard ranks <= chunks else {
            throw Failure(
                "--ranks is \(ranks), but \(describeCount(rows, "row")) come in \(describeCount(chunks, "chunk")) of "
                    + "\(RowSpread.chunkRows), of which every rank has at least one; from 1 to \(chunks) are accepted",
                exitCode: 64)
        }
    }

    /// A smaller size, on which the shares of the limits are measured. One of its iterations takes a device with this limit
    /// about a tenth of a second.
    func sample(gflops: Double) -> LloydWork {
        let (k, dimensions) = (min(k, 1000), min(dimensions, 1024))
        let most = Int(min(0.1 * gflops * 1e9 / Double(2 * k * dimensions), 1e9))
        // Few points leave most of a device idle, and it takes long to make more than 64 MiB of them.
        let wanted = max(2048, min(most, (1 << 24) / dimensions))
        return LloydWork(rows: max(k, min(wanted, rows)), k: k, dimensions: dimensions)
    }
}

/// The limits of the device that each rank has.
struct DeviceRates: Equatable, Encodable {
    var name: String
    var gflops: Double
    var gbs: Double
    /// The time from one launch of a queue to the next if neither has any work.
    var launchMicroseconds: Double
    var shares = Shares()
    /// The rows, columns and k that the shares were measured on; nil for a data sheet.
    var measuredOn: String?

    /// For each part of a clustering, its shortest time by the roofline model divided by its measured time; 1 if that is
    /// unknown. It can exceed 1, because some processors rule out most centroids with 8-bit numbers.
    struct Shares: Equatable, Encodable {
        /// Nil for k-means||, whose searches are assignments.
        var start: Double? = 1
        var assignment = 1.0
        var update = 1.0
    }

    enum CodingKeys: String, CodingKey {
        case name, gflops, gbs, shares, measuredOn
        case launchMicroseconds = "launchUs"
    }
}

extension DeviceRates {
    /// The rates of a data sheet.
    init(_ gpu: GPUDescription) {
        self.init(
            name: gpu.name, gflops: 1e3 * gpu.tflops, gbs: gpu.gbs, launchMicroseconds: gpu.launchMicroseconds)
    }

    var limits: Roofline { Roofline(gflops: gflops, gbs: gbs) }

    private func seconds(_ work: [OperationCost], share: Double, launches: Int) -> Double {
        limits.seconds(work) / share + Double(launches) * 1e-6 * launchMicroseconds
    }

    func seconds(start: PlusPlusWork) -> Double {
        seconds([start.cost], share: shares.start ?? 1, launches: start.launches)
    }

    func seconds(searches work: ParallelStartWork) -> Double {
        seconds(work.costs, share: shares.assignment, launches: work.launches)
    }

    func seconds(assignment work: LloydWork) -> Double {
        seconds([work.assignment], share: shares.assignment, launches: LloydWork.assignmentLaunches)
    }

    func seconds(update work: LloydWork) -> Double {
        seconds([work.update, work.sums], share: shares.update, launches: work.updateLaunches)
    }
}

extension DeviceRates.Shares {
    var text: String {
        func percent(_ share: Double) -> String { "\(fixed(100 * share, 0))%" }
        let others = start.map { ", \(percent(update)) (update) and \(percent($0)) (start)" }
        return "\(percent(assignment)) (assignment)" + (others ?? " and \(percent(update)) (update)")
    }
}

/// The network between ranks: each sends at this rate, and receives at the same rate at the same time.
struct RankNetwork: Equatable, Encodable {
    var bytesPerSecond: Double
    /// The seconds that a message takes in addition to its bytes.
    var latency: Double

    enum CodingKeys: String, CodingKey {
        case bytesPerSecond
        case latency = "latencySeconds"
    }

    /// Bytes that each of `ranks` ranks sends in an all-reduce around a ring (Patarasuk & Yuan, "Bandwidth optimal all-reduce
    /// algorithms for clusters of workstations", 2009): an n-th of `bytes` in each of 2 (n - 1) steps.
    static func allReduce(_ bytes: Int, ranks: Int) -> Double { 2 * gather(bytes, ranks: ranks) }

    /// Bytes that each rank sends around a ring until every rank has all `bytes`, of which each had an n-th at first: n - 1
    /// steps.
    static func gather(_ bytes: Int, ranks: Int) -> Double { Double(bytes) * Double(ranks - 1) / Double(ranks) }

    /// The seconds that a number of steps take in which each rank sends a number of bytes.
    func seconds(_ bytes: Double, steps: Int) -> Double { bytes / bytesPerSecond + Double(steps) * latency }
}

/// The report of `coppice plan cluster`: the time that a clustering over several ranks should take, its memory and its
/// network traffic.
struct ClusterPlan: Encodable {
    /// A time and its parts.
    struct Span: Encodable, Equatable {
        var computeSeconds: Double
        var networkSeconds: Double
        var seconds: Double

        init(compute: Double, network: Double = 0) {
            computeSeconds = compute
            networkSeconds = network
            seconds = compute + network
        }
    }

    /// The bytes of the rank that has the most rows.
    struct Memory: Encodable, Equatable {
        /// The bytes with all of its rows in the device's memory; then the host's and the device's part of these, if the device
        /// has its own memory.
        var resident: Int
        var host: Int
        var device: Int
        /// The least, with rows that are brought piece by piece in every pass.
        var streamed: Int
        /// The labels and distances of all rows, which rank 0 also holds at the end.
        var gathered: Int
    }

    /// The bytes of an iteration.
    struct Traffic: Encodable, Equatable {
        /// The sums and counts that the ranks add up.
        var summed: Int
        /// The bytes sent by each rank, and by all of them together.
        var sentPerRank: Double
        var sent: Double
    }

    var isEstimate = true
    var rows: Int
    var dim: Int
    var k: Int
    var iterations: Int
    var ranks: Int
    var rowsPerRank: Int
    /// The rows of a chunk.
    var chunkRows: Int
    /// A word of `--start`, the rows that it chooses from, and the candidates that k-means|| finds; nil for k-means++.
    var startMethod: PlannedStart
    var startRows: Int
    var startCandidates: Int?
    var device: DeviceRates
    /// Nil if the host has no part in the start.
    var host: HostRates?
    /// Nil with one rank.
    var network: RankNetwork?
    var start: Span
    /// Nil for k-means++.
    var startParts: StartPlan.Parts?
    var iteration: Span
    var lastAssignment: Span
    var total: Span
    var memoryBytesPerRank: Memory
    var networkBytesPerIteration: Traffic
    /// Sent by each rank.
    var networkBytesOfStart: Double
    var assumptions: [String]

    enum CodingKeys: String, CodingKey {
        case rows, dim, k, iterations, ranks, rowsPerRank, chunkRows, startMethod, startRows, startCandidates
        case device, host, network, start, startParts, iteration, lastAssignment, total, memoryBytesPerRank
        case networkBytesPerIteration, networkBytesOfStart, assumptions
        case isEstimate = "estimate"
    }

    /// The plan of a size that has been checked.
    /// - Parameters:
    ///   - host: the rates of each rank's host; ignored if the start does not use the host.
    ///   - network: nil with one rank.
    init(_ size: ClusterSize, on device: DeviceRates, _ host: HostRates = .assumed, over network: RankNetwork?) {
        let work = size.work
        let ranks = size.ranks
        let startPlan = StartPlan(size, on: device, host, over: network)
        (rows, dim, k, iterations, self.ranks) = (size.rows, size.dimensions, size.k, size.iterations, ranks)
        (rowsPerRank, chunkRows) = (work.rows, RowSpread.chunkRows)
        (startMethod, startRows, startCandidates) = (startPlan.method, startPlan.rows, startPlan.candidates)
        (start, startParts, networkBytesOfStart) = (startPlan.span, startPlan.parts, startPlan.sent)
        self.device = device
        if startParts != nil {
            self.device.shares.start = nil
            self.host = host
        }
        self.network = network

        let need = ClusteringMemory(rows: work.rows, of: size.rows, dimensions: size.dimensions, kmeans: size.kmeans)
        let summed = need.exchanged
        let sent = RankNetwork.allReduce(summed, ranks: ranks)
        networkBytesPerIteration = Traffic(summed: summed, sentPerRank: sent, sent: sent * Double(ranks))
        iteration = Span(
            compute: device.seconds(assignment: work) + device.seconds(update: work),
            network: network?.seconds(sent, steps: 2 * (ranks - 1)) ?? 0)
        lastAssignment = Span(compute: device.seconds(assignment: work))
        let count = Double(size.iterations)
        total = Span(
            compute: start.computeSeconds + count * iteration.computeSeconds + lastAssignment.computeSeconds,
            network: start.networkSeconds + count * iteration.networkSeconds)

        memoryBytesPerRank = Memory(
            resident: need.resident, host: need.hostResident, device: need.resident - need.hostResident,
            streamed: need.streamed(pieceCount: need.pieceUnit), gathered: need.gathered)
        assumptions = Self.assumptions(size, self.device, host, summed: summed)
    }

    private static func assumptions(_ size: ClusterSize, _ device: DeviceRates, _ host: HostRates, summed: Int)
        -> [String]
    {
        let work = size.work
        let reached =
            if let sample = device.measuredOn {
                "kernels reach \(device.shares.text) of the limits, as they did here on \(sample); rows that are nearly as "
                    + "near to many centroids as to one take longer"
            } else {
                "every kernel reaches the peak of float32 arithmetic or of memory bandwidth that the file gives, whichever "
                    + "binds it; on a real device none does"
            }
        var list: [String] = [
            reached,
            "every input is read once from memory and every output written once; caches neither help nor fail",
            "the sums of \(describeCount(work.blocksAtOnce, "block")) of \(work.blockPoints) rows are made at once, by a "
                + "work-group each; a device that has more compute units leaves the others idle, which is left out",
            "launches follow one another, none overlaps the next, and each adds "
                + "\(threeDigits(device.launchMicroseconds)) us",
            "the rows are float32 numbers in the device's memory; reading them from files, and bringing them to the device "
                + "in every pass where its memory is too small, is left out",
            "all \(describeCount(size.iterations, "iteration")) are run; a clustering ends sooner when no label changes any "
                + "more",
        ]
        list += size.startAssumptions(on: host)
        if size.ranks > 1 {
            list += [
                "every rank has a device like this one and whole chunks of \(RowSpread.chunkRows) rows, and waits for the rank "
                    + "that has the most",
                "one all-reduce per iteration adds up the int64 sums and counts of all clusters, "
                    + "\(decimal(Double(summed))), around a ring: each rank sends 2 (ranks - 1) / ranks of that, and "
                    + "receives as much meanwhile",
                "nothing but that and the start uses the network, no rank computes while it sends, and copies of sums and "
                    + "centroids between the device and the host are left out",
            ]
        }
        list.append(
            "memory is what the clustering allocates; what the program"
                + (size.ranks > 1 ? ", the OpenCL driver and MPI" : " and the OpenCL driver") + " take comes on top")
        return list
    }
}

// MARK: - For people

extension ClusterPlan {
    /// The lines that are printed; the first says that this is an estimate.
    var lines: [String] {
        func row(_ name: String, _ span: Span) -> String {
            name.padding(toLength: 26, withPad: " ", startingAt: 0)
                + [span.seconds, span.computeSeconds, span.networkSeconds].map { right(duration($0), 14) }.joined()
        }
        func memory(_ name: String, _ bytes: Int, _ note: String) -> String {
            name.padding(toLength: 26, withPad: " ", startingAt: 0) + right(binary(Double(bytes)), 14)
                + (note.isEmpty ? "" : "   \(note)")
        }
        let heads = ["time", "computing", "network"].map { right($0, 14) }.joined()
        let isLarge = device.gflops >= 1e4
        let rate =
            "\(threeDigits(isLarge ? device.gflops / 1e3 : device.gflops)) \(isLarge ? "TFLOP/s" : "GFLOP/s")"
        var lines: [String] = [
            "an estimate, not a measurement: \(rows) rows of \(dim) numbers, k \(k), on \(describeCount(ranks, "rank")) of up "
                + "to \(rowsPerRank) rows",
            "\(ranks > 1 ? "each rank" : "device"): \(device.name), \(rate), \(threeDigits(device.gbs)) GB/s, "
                + "\(threeDigits(device.launchMicroseconds)) us a launch"
                + (device.measuredOn == nil ? "" : ", of which kernels reach \(device.shares.text)"),
        ]
        if let host {
            lines.append(
                "\(ranks > 1 ? "each rank's host" : "host"): \(threeDigits(host.gbs)) GB/s, "
                    + "\(threeDigits(host.rowNanoseconds)) ns per row after a search")
        }
        if let network {
            lines.append(
                "network: \(decimal(network.bytesPerSecond))/s per rank"
                    + (network.latency > 0 ? ", \(duration(network.latency)) per message" : ""))
        }
        lines += [
            "",
            String(repeating: " ", count: 26) + heads,
            row("start", start),
        ]
        if let parts = startParts {
            lines += [row("  searches of all rows", parts.searches), row("  choice of centroids", parts.choice)]
        }
        lines += [
            row("iteration", iteration), row("last assignment", lastAssignment),
            row("all, \(describeCount(iterations, "iteration"))", total), "",
            memory("memory per rank", memoryBytesPerRank.resident, "all rows in the device's memory"),
            memory("  of it the host's", memoryBytesPerRank.host, "where the device has memory of its own"),
            memory("  of it the device's", memoryBytesPerRank.device, ""),
            memory("  at least", memoryBytesPerRank.streamed, "rows are brought piece by piece in every pass"),
        ]
        if ranks > 1 {
            let traffic = networkBytesPerIteration
            lines.append(
                memory("  rank 0 at the end", memoryBytesPerRank.gathered, "more: labels and distances of all rows"))
            lines.append(
                "network per iteration".padding(toLength: 26, withPad: " ", startingAt: 0)
                    + right(decimal(traffic.sentPerRank), 14)
                    + "   sent by each rank; \(decimal(traffic.sent)) by all")
            lines.append(
                "network of the start".padding(toLength: 26, withPad: " ", startingAt: 0)
                    + right(decimal(networkBytesOfStart), 14)
                    + "   sent by each rank; \(decimal(networkBytesOfStart * Double(ranks))) by all")
        }
        return lines + ["", "assumptions:"] + assumptions.map { "- \($0)" }
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }

    private func duration(_ seconds: Double) -> String {
        switch seconds {
        case 0: "0 s"
        case ..<1e-3: "\(threeDigits(1e6 * seconds)) us"
        case ..<1: "\(threeDigits(1e3 * seconds)) ms"
        case ..<120: "\(threeDigits(seconds)) s"
        case ..<7200: "\(threeDigits(seconds / 60)) min"
        case ..<172_800: "\(threeDigits(seconds / 3600)) h"
        default: "\(threeDigits(seconds / 86_400)) days"
        }
    }
}

/// Bytes in units of 1000, like rates of networks.
private func decimal(_ bytes: Double) -> String { scaled(bytes, by: 1000, ["B", "kB", "MB", "GB", "TB", "PB"]) }

/// Bytes in units of 1024, as `--memory` takes them.
private func binary(_ bytes: Double) -> String { scaled(bytes, by: 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]) }

private func scaled(_ bytes: Double, by step: Double, _ units: [String]) -> String {
    var (value, place) = (bytes, 0)
    while value >= step, place < units.count - 1 { (value, place) = (value / step, place + 1) }
    return "\(place == 0 ? fixed(value, 0) : threeDigits(value)) \(units[place])"
}
