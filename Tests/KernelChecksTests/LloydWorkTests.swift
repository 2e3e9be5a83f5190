import Clustering
import KernelChecks
import OpenCL
import Testing

@testable import Compute

@Suite struct LloydWorkTests {
    /// Counts by hand, for half of 8,192 points of 4 numbers, k 8.
    @Test func workIsThatOfTheSize() {
        let work = LloydWork(rows: 4096, of: 8192, k: 8, dimensions: 4)
        // A multiply-add per point, centroid and dimension; points and labels, and the centroids.
        #expect(work.assignment == OperationCost(operations: 262_144, bytes: 82_048))
        // An addition per point and dimension, a division per coordinate of a centroid.
        #expect(work.update == OperationCost(operations: 16_416, bytes: 82_048))
        // 16 of 32 blocks of 256 in one round: 64 sums and corrections and 8 counts of each are written and read, and each
        // sum is scaled; then 40 totals of 8 bytes.
        #expect(work.blockPoints == 256 && work.blocksAtOnce == 32 && work.updateLaunches == 3)
        #expect(work.sums == OperationCost(operations: 1024, bytes: 2 * 4608 + 320))
        let fit = work.fit(iterations: 3)
        #expect(fit.map { $0.0 } == [work.assignment, work.update] && fit.map { $0.times } == [4, 3])
        #expect(LloydWork(rows: 2048, k: 8, dimensions: 4).total == 2048)
        // Without corrections.
        let plain = LloydWork(rows: 4096, of: 8192, k: 8, dimensions: 4, compensated: false)
        #expect(plain.sums == OperationCost(operations: 512, bytes: 2 * 2560 + 320))

        let start = PlusPlusWork(points: 4096, trials: 4, k: 8, dimensions: 4)
        // Eight times three operations per point, candidate and dimension; points, and distances before and after.
        #expect(start.cost == OperationCost(operations: 1_572_864, bytes: 1_179_648) && start.launches == 17)
    }

    /// By hand, for 4,096 points of 4 numbers and 21 candidates.
    @Test func aParallelStartComparesAllPointsWithEachCandidate() {
        let work = ParallelStartWork(rows: 4096, searches: [1, 4, 16], dimensions: 4, isSpread: false)
        #expect(work.candidates == 21 && work.launches == 9)
        // A multiply-add per point, candidate and dimension, three operations per point and dimension for its distance; points,
        // labels and distances, and the candidates.
        #expect(
            work.costs == [
                OperationCost(operations: 32_768 + 49_152, bytes: 98_304 + 16),
                OperationCost(operations: 131_072 + 49_152, bytes: 98_304 + 64),
                OperationCost(operations: 524_288 + 49_152, bytes: 98_304 + 256),
            ])
        #expect(ParallelStartWork(rows: 4096, searches: [1, 4], dimensions: 4, isSpread: true).launches == 8)
        let choice = CandidateChoiceWork(candidates: 21, trials: 4, k: 8, dimensions: 4)
        #expect(choice.cost == OperationCost(operations: 8526, bytes: 19_488))
        #expect(choice.measured() > 0)
    }

    /// With so many clusters, blocks are summed one at a time, with two launches for each of 7,630.
    @Test func manyClustersTakeManyLaunches() {
        let work = LloydWork(rows: 15_626_240, of: 1_000_000_000, k: 50_000, dimensions: 768)
        #expect(work.blockPoints == 2048 && work.updateLaunches == 15_261)
        #expect(work.assignment.operations == 1_200_095_232_000_000)
        // 7,630 blocks of 76.85 million numbers, written and read; totals of 307.6 MB, which are also read, except the first
        // time.
        #expect(work.sums.bytes == 7630 * 2 * 307_400_000 + (2 * 7630 - 1) * 307_600_000)
        // 37 blocks: 9 rounds of 4, and one of a single block.
        let rounds = LloydWork(rows: 75_000, k: 4000, dimensions: 1000)
        #expect(rounds.blockPoints == 2048 && rounds.blocksAtOnce == 4 && rounds.updateLaunches == 21)
        #expect(rounds.sums.bytes == 37 * 2 * 32_016_000 + (2 * 10 - 1) * 32_032_000)
    }

    @Test func whatIsTimedHasTheSameWork() throws {
        let work = LloydWork(rows: 2001, k: 300, dimensions: 40)
        let assignment = try Benchmark.lloyd(.assignment, of: work).prepare(CPUBackend())
        let update = try Benchmark.lloyd(.update, of: work).prepare(CPUBackend())
        #expect(assignment.cost == work.assignment && update.cost == work.update + work.sums)
        #expect(Benchmark.lloyd(.update, of: work).name == "2001 made points of 40, k 300")
        let start = PlusPlusWork(points: 700, trials: 5, k: 30, dimensions: 12)
        let chosen = try Benchmark.plusPlus(start).prepare(CPUBackend())
        #expect(chosen.cost == start.cost)
        for _ in 0..<2 {
            for prepared in [assignment, update, chosen] { try prepared.run() }
        }
        // As few rows as centroids.
        let few = LloydWork(rows: 5, k: 5, dimensions: 3)
        for part in [LloydWork.Part.assignment, .update] {
            try Benchmark.lloyd(part, of: few).prepare(CPUBackend()).run()
        }
    }

    /// The counted launches are those that a device makes; the coarse form of the centroids takes one more.
    @Test(
        .enabled(if: (try? Device.all().isEmpty) == false, "this host has no OpenCL device"),
        arguments: [(9000, 30, 20), (70_000, 30, 4), (3000, 300, 40)])
    func theLaunchesThatAreCountedAreMade(_ rows: Int, _ k: Int, _ dimensions: Int) throws {
        let backend = try OpenCLBackend(device: try #require(try Device.all().first), profiling: true)
        func launches(of benchmark: Benchmark) throws -> Int {
            func all() throws -> Int {
                try backend.finish()
                return backend.kernelTimes.values.reduce(0) { $0 + $1.launches }
            }
            let prepared = try benchmark.prepare(backend)
            let before = try all()
            try prepared.run()
            return try all() - before
        }
        let work = LloydWork(rows: rows, k: k, dimensions: dimensions)
        let coarse = try backend.makeCoarsePanelsIfUseful(
            of: try backend.makeCentroids(count: k, dimensions: dimensions))
        #expect(
            try launches(of: .lloyd(.assignment, of: work)) == LloydWork.assignmentLaunches + (coarse == nil ? 0 : 1))
        #expect(try launches(of: .lloyd(.update, of: work)) == work.updateLaunches)
        let start = PlusPlusWork(points: rows, trials: 3, k: 6, dimensions: dimensions)
        #expect(try launches(of: .plusPlus(start)) == start.launches)
    }

    /// A k-means|| start on a device makes the launches that are counted; a start from centroids that are given has none of its
    /// own.
    @Test(.enabled(if: (try? Device.all().isEmpty) == false, "this host has no OpenCL device"))
    func theLaunchesOfAParallelStartAreMade() throws {
        let backend = try OpenCLBackend(device: try #require(try Device.all().first), profiling: true)
        let (count, dimensions, k) = (5000, 6, 40)
        let values = MadeRows.floats(count: count, dimensions: dimensions, seed: 2)
        let matrix = try FeatureMatrix(floats: values, count: count, dimensions: dimensions)
        func launches(from start: KMeans.Start) throws -> Int {
            func all() throws -> Int {
                try backend.finish()
                return backend.kernelTimes.values.reduce(0) { $0 + $1.launches }
            }
            let kmeans = KMeans(k: k, kind: .lloyd(iterations: 0), start: start)
            let source = try kmeans.source(of: matrix, on: backend)
            let before = try all()
            _ = try kmeans.fit(source, on: backend)
            return try all() - before
        }
        let given = [Double](repeating: 0, count: k * dimensions)
        let searches = KMeans.ParallelStartSettings().expectedSearches(k: k, of: count)
        let work = ParallelStartWork(rows: count, searches: searches, dimensions: dimensions, isSpread: false)
        #expect(try launches(from: .parallel()) - launches(from: .given(given)) == work.launches)
    }
}
