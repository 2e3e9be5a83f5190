import Foundation
import KernelChecks
import Testing

@testable import coppice

/// The model of `coppice plan cluster` against figures computed by hand.
@Suite struct ClusterPlanTests {
    private static let size = ClusterSize(rows: 8192, dimensions: 4, k: 8, iterations: 3, ranks: 2)
    /// An operation and a byte take a nanosecond, a launch 10 microseconds.
    private static let device = DeviceRates(name: "A card", gflops: 1, gbs: 1, launchMicroseconds: 10)
    /// A byte takes a microsecond.
    private static let network = RankNetwork(bytesPerSecond: 1e6, latency: 5e-6)

    private func expect(_ span: ClusterPlan.Span, _ compute: Double, _ network: Double, _ what: String) {
        #expect(abs(span.computeSeconds - compute) < 1e-12, "\(what): \(span)")
        #expect(abs(span.networkSeconds - network) < 1e-12, "\(what): \(span)")
        #expect(abs(span.seconds - compute - network) < 1e-12, "\(what): \(span)")
    }

    @Test func twoRanksByHand() {
        let plan = ClusterPlan(Self.size, on: Self.device, over: Self.network)
        #expect(plan.chunkRows == 4096 && plan.rowsPerRank == 4096 && plan.startRows == 8192)
        // 2 x 4096 x 8 x 4 operations; 4 x (4096 x 5 + 8 x 4) bytes of the update; 16 blocks of 72 numbers, written and
        // read, and 40 totals; 5 launches.
        let compute = 262_144e-9 + 82_048e-9 + 9536e-9 + 50e-6
        // Sums and counts, 8 x (8 x 4 + 8) bytes, of which each rank sends half twice: two messages.
        let sums = 320e-6 + 10e-6
        expect(plan.iteration, compute, sums, "iteration")
        #expect(plan.networkBytesPerIteration == .init(summed: 320, sentPerRank: 320, sent: 640))
        // 8 centres with 4 candidates: 3 operations per point, candidate and dimension; 17 launches. Each rank sends its half
        // of 8192 rows of 4 numbers, with their places, to the other.
        let (start, rows): (Double, Double) = (3_145_728e-9 + 170e-6, 98_304e-6 + 5e-6)
        expect(plan.start, start, rows, "start")
        #expect(plan.startMethod == .plusPlus && plan.networkBytesOfStart == 98_304)
        #expect(plan.startParts == nil && plan.startCandidates == nil && plan.host == nil)
        let last = 262_144e-9 + 20e-6
        expect(plan.lastAssignment, last, 0, "last assignment")
        expect(plan.total, start + 3 * compute + last, rows + 3 * sums, "total")
        // As in ClusteringMemoryTests.
        #expect(
            plan.memoryBytesPerRank
                == .init(resident: 994_496, host: 229_696, device: 764_800, streamed: 718_016, gathered: 65_536))
    }

    /// The same with a k-means|| start, whose five rounds draw 4 rows each.
    @Test func aParallelStartByHand() {
        var size = Self.size
        size.start = .parallel
        // A byte takes the host a nanosecond, and a row two after each search.
        let host = HostRates(gbs: 1, rowNanoseconds: 2)
        let plan = ClusterPlan(size, on: Self.device, host, over: Self.network)
        #expect(plan.startMethod == .parallel && plan.startRows == 8192 && plan.startCandidates == 21)
        #expect(plan.host == host && plan.device.shares.start == nil)
        // The first search takes as long as its 4 x (4096 x 6 + 4) bytes, the others as their operations: 2 x 4096 x 4 x 4 and
        // three per point and dimension. Four launches each, and 4096 rows on the host.
        let (compared, launched, drawn): (Double, Double, Double) = (999_440e-9, 240e-6, 49_152e-9)
        let searches = compared + launched + drawn
        // Half of 21 rows of 4 numbers with their places, and of the numbers of 20 rows; 23 messages.
        let candidates: Double = 292e-6 + 115e-6
        // One draw for the first centre and four for each other one; 4 x 4 bytes of a candidate, its distances before and
        // after, and its weight.
        let choice: Double = 19_488e-9
        // Half of 21 weights twice, and of the numbers of 8 candidates; three messages.
        let chosen: Double = 184e-6 + 15e-6
        expect(plan.startParts?.searches ?? .init(compute: 0), searches, candidates, "searches")
        expect(plan.startParts?.choice ?? .init(compute: 0), choice, chosen, "choice")
        expect(plan.start, searches + choice, candidates + chosen, "start")
        #expect(plan.networkBytesOfStart == 476)
        let usual = ClusterPlan(Self.size, on: Self.device, over: Self.network)
        #expect(plan.iteration == usual.iteration && plan.lastAssignment == usual.lastAssignment)
        expect(
            plan.total, searches + choice + usual.total.computeSeconds - usual.start.computeSeconds,
            candidates + chosen + 990e-6, "total")
        // Room for 62 candidates and for 40 in a round; the subset and its distances are not there.
        let all: Int = 62 * 52 + 128
        let round: Int = 40 * 224
        let subset: Int = 8192 * 80
        let without = usual.memoryBytesPerRank.resident - subset
        #expect(plan.memoryBytesPerRank.resident == without + all + round)
        #expect(plan.memoryBytesPerRank.host == usual.memoryBytesPerRank.host + all)

        // One rank gathers nothing and need not lay out received rows.
        size.ranks = 1
        let alone = ClusterPlan(size, on: Self.device, host, over: nil)
        #expect(alone.networkBytesOfStart == 0 && alone.start.networkSeconds == 0)
        expect(
            alone.startParts?.searches ?? .init(compute: 0),
            1_998_864e-9 + 180e-6 + 98_304e-9, 0, "one rank")
        #expect(!alone.assumptions.contains { $0.contains("rank") })
    }

    @Test func oneRankNeedsNoNetwork() {
        var size = Self.size
        size.ranks = 1
        let plan = ClusterPlan(size, on: Self.device, over: nil)
        #expect(plan.rowsPerRank == 8192 && plan.network == nil)
        #expect(plan.networkBytesPerIteration == .init(summed: 0, sentPerRank: 0, sent: 0))
        // Twice the work for the points in as many launches; the means of the centroids once.
        expect(plan.iteration, 524_288e-9 + 163_968e-9 + 18_752e-9 + 50e-6, 0, "iteration")
        #expect(plan.memoryBytesPerRank.gathered == 0)
        #expect(plan.total.networkSeconds == 0)
        #expect(!plan.lines.contains { $0.contains("network:") || $0.contains("per iteration") })
        #expect(!plan.assumptions.contains { $0.contains("MPI") || $0.contains("all-reduce") })
    }

    /// Shares of the limits are of the work alone, not of the launches.
    @Test func measuredSharesStretchTheWork() {
        var device = Self.device
        device.shares = .init(start: 2, assignment: 0.5, update: 0.25)
        device.measuredOn = "2048 made rows of 4 numbers, k 8"
        let plan = ClusterPlan(Self.size, on: device, over: Self.network)
        expect(plan.iteration, 2 * 262_144e-9 + 4 * (82_048e-9 + 9536e-9) + 50e-6, 330e-6, "iteration")
        expect(plan.start, 3_145_728e-9 / 2 + 170e-6, 98_304e-6 + 5e-6, "start")
        expect(plan.lastAssignment, 2 * 262_144e-9 + 20e-6, 0, "last assignment")
        let reached = "kernels reach 50% (assignment), 25% (update) and 200% (start)"
        #expect(
            plan.assumptions[0].hasPrefix(
                "\(reached) of the limits, as they did here on 2048 made rows of 4 numbers, k 8"))
        #expect(plan.lines[1].hasSuffix(", of which \(reached)"))

        // The searches of k-means|| reach what an assignment does, and the host what was measured of it.
        var size = Self.size
        size.start = .parallel
        var host = HostRates(gbs: 2, rowNanoseconds: 3)
        host.measuredOn = "21 made rows of 4 numbers"
        let parallel = ClusterPlan(size, on: device, host, over: Self.network)
        let (slowed, hosts): (Double, Double) = (1_998_880e-9 + 240e-6, 73_728e-9 + 9744e-9)
        expect(parallel.start, slowed + hosts, 606e-6, "k-means||")
        #expect(parallel.lines[1].hasSuffix(", of which kernels reach 50% (assignment) and 25% (update)"))
        #expect(parallel.lines[2] == "each rank's host: 2.00 GB/s, 3.00 ns per row after a search")
        #expect(parallel.assumptions.contains { $0.contains("at 2.00 GB/s, as measured here on 21 made rows of 4") })
    }

    /// A billion rows on 64 H100s, from their data sheet.
    @Test func aBillionRows() throws {
        let size = ClusterSize(rows: 1_000_000_000, dimensions: 768, k: 50_000, iterations: 20, ranks: 64)
        try size.check()
        let device = DeviceRates(
            name: "NVIDIA H100", gflops: 67_000, gbs: 3350, launchMicroseconds: 3)
        let network = RankNetwork(bytesPerSecond: 50e9, latency: 0)
        let plan = ClusterPlan(size, on: device, HostRates(gbs: 100, rowNanoseconds: 20), over: network)
        // 244,141 chunks of 4,096 rows: 3,815 for the ranks that have the most.
        #expect(plan.chunkRows == 4096 && plan.rowsPerRank == 15_626_240)
        // 17.912 s of arithmetic, 14.4 ms for the rows, 2.801 s for 9.38 TB of block sums, 45.8 ms for 15,263 launches.
        #expect(abs(plan.iteration.computeSeconds - 20.77342) < 1e-4)
        // 8 x (50,000 x 768 + 50,000) bytes.
        #expect(plan.networkBytesPerIteration.summed == 307_600_000)
        #expect(plan.networkBytesPerIteration.sentPerRank == 605_587_500)
        #expect(abs(plan.iteration.networkSeconds - 0.01211175) < 1e-9)
        // Five searches among 25,000 candidates of 8.956 s of arithmetic each, one of 14 ms for the rows; six times 312.5 ms on
        // the host; then 50,000 times 125,001 rows of 3,088 bytes.
        #expect(plan.startMethod == .parallel && plan.startRows == size.rows && plan.startCandidates == 125_001)
        let parts = try #require(plan.startParts)
        #expect(abs(parts.searches.computeSeconds - 46.67195) < 1e-4)
        #expect(abs(parts.choice.computeSeconds - 193.001544) < 1e-6)
        // Candidates of 3,072 bytes, a place of 8 and a number of 4, which the first one has not; the weights of all, twice, and
        // the numbers of 50,000. 63 64ths are sent.
        let gathered: Int = 125_001 * 3080 + 125_000 * 4
        let chosen: Int = 16 * 125_001 + 4 * 50_000
        #expect(plan.networkBytesOfStart == Double(gathered + chosen) * 63 / 64)
        #expect(abs(plan.start.networkSeconds - 0.0076329047) < 1e-9)
        #expect(plan.memoryBytesPerRank.gathered == 8_000_000_000)
        #expect(plan.memoryBytesPerRank.device > 15_626_240 * 768 * 4)
        #expect(
            plan.lines[0].hasPrefix("an estimate, not a measurement: 1000000000 rows of 768 numbers, k 50000, on 64"))
        #expect(plan.lines.contains { $0 == "network: 50.0 GB/s per rank" }, "\(plan.lines)")

        var other = size
        other.start = .plusPlus
        let subset = ClusterPlan(other, on: device, over: network)
        #expect(subset.startMethod == .plusPlus && subset.startRows == 150_000)
        // 50,000 times 462 MB, and 100,001 launches.
        #expect(abs(subset.start.computeSeconds - 7.19552) < 1e-4)
        // 150,000 rows of 3,072 bytes and a place of 8, of which 63 64ths are sent.
        #expect(abs(subset.start.networkSeconds - 0.009095625) < 1e-9)
        // 125,000 candidates and more, on every host.
        #expect(plan.memoryBytesPerRank.host - subset.memoryBytesPerRank.host > 125_001 * 768 * 4)
    }

    /// The rank with the most rows; the last rank may have one chunk more than the others, and a short one.
    @Test(arguments: [(1, 50_000), (2, 25_424), (3, 17_232), (7, 8192), (12, 4944), (13, 4096)])
    func chunksAreShared(_ ranks: Int, _ most: Int) throws {
        let size = ClusterSize(rows: 50_000, dimensions: 4, k: 8, iterations: 3, ranks: ranks)
        try size.check()
        #expect(size.rowsPerRank == most)
    }

    /// The share is measured on at least k rows, within 64 MiB and about a tenth of a second.
    @Test func theSampleIsSmall() {
        let size = ClusterSize(rows: 1_000_000, dimensions: 64, k: 1000, iterations: 20, ranks: 4)
        #expect(size.sample(gflops: 128) == .init(rows: 100_000, k: 1000, dimensions: 64))
        #expect(size.sample(gflops: 1e5).rows == 1 << 18)
        #expect(size.sample(gflops: 0.001).rows == 2048)
        let large = ClusterSize(rows: 1_000_000_000, dimensions: 4096, k: 50_000, iterations: 20, ranks: 64)
        #expect(large.sample(gflops: 1e5) == .init(rows: 1 << 14, k: 1000, dimensions: 1024))
        let few = ClusterSize(rows: 7, dimensions: 3, k: 7, iterations: 1, ranks: 1)
        #expect(few.sample(gflops: 100) == .init(rows: 7, k: 7, dimensions: 3))
        #expect(size.startSample == .plusPlus(.init(points: 16_384, trials: 8, k: 32, dimensions: 64)))
        #expect(few.startSample == .plusPlus(.init(points: 7, trials: 3, k: 7, dimensions: 3)))
        guard case .parallel(_, let choice) = large.startSample else {
            Issue.record("k \(large.k) starts from a subset")
            return
        }
        #expect(choice == .init(candidates: 16_384, trials: 1, k: 32, dimensions: 1024))
    }

    @Test(arguments: [
        ("50GB/s", 50e9), ("400Gbit/s", 50e9), ("12.5 GB/s", 12.5e9), ("1e3MB/s", 1e9), ("8bit/s", 1), ("7B/s", 7),
        ("100Mbit/s", 12.5e6), ("2kB/s", 2000),
    ])
    func ratesHaveUnits(_ text: String, _ expected: Double) throws {
        #expect(abs(try UnitNumber.rate(text, option: "--network") - expected) <= 1e-12 * expected)
    }

    @Test(arguments: [("5us", 5e-6), ("0us", 0), ("0.1ms", 1e-4), ("300ns", 3e-7), ("1 s", 1), ("2µs", 2e-6)])
    func timesHaveUnits(_ text: String, _ expected: Double) throws {
        #expect(abs(try UnitNumber.time(text, option: "--latency") - expected) <= 1e-12)
    }

    @Test(arguments: [
        ("50", "--network is '50'; a number with its unit is needed, such as 50GB/s or 400Gbit/s; units are B/s, kB/s"),
        ("50Gb/s", "a number with its unit is needed"), ("50gb/s", "a number with its unit is needed"),
        ("", "--network is ''; a number with its unit is needed"),
        ("GB/s", "before the unit GB/s a number is needed"), ("fastGB/s", "before the unit GB/s a number is needed"),
        ("0GB/s", "a rate from 1 B/s"), ("-1GB/s", "a rate from 1 B/s"), ("infGB/s", "not infinity"),
    ])
    func otherRatesAreRefused(_ text: String, _ words: String) throws {
        let failure = #expect(throws: Failure.self) { try UnitNumber.rate(text, option: "--network") }
        #expect(failure?.exitCode == 64 && failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }
}
