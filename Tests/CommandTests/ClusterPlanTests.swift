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
        let last = 262_144e-9 + 20e-6
        expect(plan.lastAssignment, last, 0, "last assignment")
        expect(plan.total, start + 3 * compute + last, rows + 3 * sums, "total")
        // As in ClusteringMemoryTests.
        #expect(
            plan.memoryBytesPerRank
                == .init(resident: 994_496, host: 229_696, device: 764_800, streamed: 718_016, gathered: 65_536))
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
    }

    /// A billion rows on 64 H100s, from their data sheet.
    @Test func aBillionRows() throws {
        let size = ClusterSize(rows: 1_000_000_000, dimensions: 768, k: 50_000, iterations: 20, ranks: 64)
        try size.check()
        let device = DeviceRates(
            name: "NVIDIA H100", gflops: 67_000, gbs: 3350, launchMicroseconds: 3)
        let plan = ClusterPlan(size, on: device, over: RankNetwork(bytesPerSecond: 50e9, latency: 0))
        // 244,141 chunks of 4,096 rows: 3,815 for the ranks that have the most.
        #expect(plan.chunkRows == 4096 && plan.rowsPerRank == 15_626_240 && plan.startRows == 150_000)
        // 17.912 s of arithmetic, 14.4 ms for the rows, 2.801 s for 9.38 TB of block sums, 45.8 ms for 15,263 launches.
        #expect(abs(plan.iteration.computeSeconds - 20.77342) < 1e-4)
        // 8 x (50,000 x 768 + 50,000) bytes.
        #expect(plan.networkBytesPerIteration.summed == 307_600_000)
        #expect(plan.networkBytesPerIteration.sentPerRank == 605_587_500)
        #expect(abs(plan.iteration.networkSeconds - 0.01211175) < 1e-9)
        // 50,000 times 462 MB, and 100,001 launches.
        #expect(abs(plan.start.computeSeconds - 7.19552) < 1e-4)
        // 150,000 rows of 3,072 bytes and a place of 8, of which 63 64ths are sent.
        #expect(abs(plan.start.networkSeconds - 0.009095625) < 1e-9)
        #expect(plan.memoryBytesPerRank.gathered == 8_000_000_000)
        #expect(plan.memoryBytesPerRank.device > 15_626_240 * 768 * 4)
        #expect(
            plan.lines[0].hasPrefix("an estimate, not a measurement: 1000000000 rows of 768 numbers, k 50000, on 64"))
        #expect(plan.lines.contains { $0 == "network: 50.0 GB/s per rank" }, "\(plan.lines)")
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
        #expect(size.startSample == .init(points: 16_384, trials: 8, k: 32, dimensions: 64))
        #expect(large.startSample == .init(points: 16_384, trials: 1, k: 32, dimensions: 1024))
        #expect(few.startSample == .init(points: 7, trials: 3, k: 7, dimensions: 3))
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
        ("0GB/s", "a rate above 0"), ("-1GB/s", "a rate above 0"), ("infGB/s", "not infinity"),
    ])
    func otherRatesAreRefused(_ text: String, _ words: String) throws {
        let failure = #expect(throws: Failure.self) { try UnitNumber.rate(text, option: "--network") }
        #expect(failure?.exitCode == 64 && failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }
}
