import Compute
import Datasets
import Ranks
import Testing

@testable import Clustering
import Support
import TestSupport

/// Counts the iterations and wants to stop after a number of them.
private final class CountingKeeper: LloydKeeper {
    let resumed: LloydState? = nil
    private let last: Int
    private(set) var calls: [String] = []

    init(stopAfter last: Int) { self.last = last }

    var isStopping: Bool {
        calls.append("pause")
        return calls.count > last
    }
    func begin() { calls.append("begin") }
    func isDue(stopping: Bool) -> Bool { false }
    func keep(_ state: LloydState) throws(FileError) {}
    func stop() { calls.append("stop") }
    func end() { calls.append("end") }
}

/// Clusterings over threads of this process, each with a backend of its own.
@Suite struct ThreadedClusteringTests {
    /// What all ranks found, as each of them has it.
    private struct Found: Equatable, Sendable {
        var labels: [Int32]
        var distances: [Float]
        var centroids: [Float]
        var inertia: Double
        var iterations: Int
    }

    private static func cluster(
        _ matrix: FeatureMatrix, _ kmeans: KMeans, components: Int?, over ranks: Communicator
    ) throws -> Found {
        let backend = CPUBackend()
        let spread = try RowSpread(matrix.count, over: ranks)
        let source = try kmeans.source(of: matrix, components: components, spread: spread, on: backend)
        let own = try kmeans.fit(source, on: backend)
        return Found(
            labels: try ranks.gather(own.labels).values, distances: try ranks.gather(own.distances).values,
            centroids: own.centroids, inertia: own.inertia, iterations: own.iterations)
    }

    /// The last of 8 chunks is short.
    private static func made() -> Blobs {
        Blobs(count: 7 * RowSpread.chunkRows + 123, dimensions: 5, groups: 9, seed: 3)
    }

    @Test(arguments: [2, 3, 7]) func haveTheBitsOfOneRank(size: Int) throws {
        let blobs = Self.made()
        let matrix = try FeatureMatrix(floats: blobs.values, count: blobs.count, dimensions: blobs.dimensions)
        for (start, components) in [(KMeans.Start.plusPlus, Int?.none), (.parallel(), nil), (.random, 3)] {
            let kmeans = KMeans(k: 9, kind: .lloyd(iterations: 6), start: start, seed: 6)
            let expected = try Self.cluster(matrix, kmeans, components: components, over: Communicator())
            // Ranks that take everything common from rank 0 have the same where nothing differs.
            for computesAlike in [true, false] {
                let found = try Communicator.onThreads(size) { ranks in
                    ranks.computesAlike = computesAlike
                    return try Self.cluster(matrix, kmeans, components: components, over: ranks)
                }
                for rank in found {
                    #expect(rank == expected, "\(kmeans.startText), components \(components ?? 0), \(computesAlike)")
                }
            }
        }
    }

    /// One rank that wants it stops all, and each learns of it.
    @Test func aStopIsThatOfAllRanks() throws {
        let blobs = Self.made()
        let matrix = try FeatureMatrix(floats: blobs.values, count: blobs.count, dimensions: blobs.dimensions)
        let calls = try Communicator.onThreads(3) { ranks in
            let kmeans = KMeans(k: 9, kind: .lloyd(iterations: 40, tolerance: 0), start: .random, seed: 6)
            let backend = CPUBackend()
            let source = try kmeans.source(of: matrix, spread: RowSpread(matrix.count, over: ranks), on: backend)
            let keeper = CountingKeeper(stopAfter: ranks.rank == 1 ? 2 : .max)
            let error = #expect(throws: ClusteringError.self) {
                try kmeans.fit(source, on: backend, keeper: keeper)
            }
            #expect(error?.category == .cancelled && error?.isShared == true)
            return keeper.calls
        }
        #expect(calls == Array(repeating: ["begin", "pause", "pause", "stop", "end"], count: 3))
    }

    @Test func moreRanksThanChunksAreRefusedByAll() throws {
        let blobs = Blobs(count: RowSpread.chunkRows + 1, dimensions: 2, groups: 2, seed: 3)
        let refusals = try Communicator.onThreads(3) { ranks -> String in
            do throws(ClusteringError) {
                _ = try RowSpread(blobs.count, over: ranks)
                return ""
            } catch { return error.description }
        }
        #expect(refusals == Array(repeating: refusals[0], count: 3))
        #expect(refusals[0].hasPrefix("3 ranks are too many for 4097 rows"))
    }

    /// Ranks of one process need their memory together, and a rank that gets none does not leave the others waiting.
    @Test func memoryIsSharedByTheRanksOfAProcess() throws {
        let blobs = Self.made()
        let matrix = try FeatureMatrix(floats: blobs.values, count: blobs.count, dimensions: blobs.dimensions)
        let kmeans = KMeans(k: 9, kind: .lloyd(iterations: 1), seed: 6)
        do {
            _ = try Communicator.onThreads(3) { ranks in
                let spread = try RowSpread(matrix.count, over: ranks)
                _ = try kmeans.source(of: matrix, memory: 1 << 20, spread: spread, on: CPUBackend())
            }
            Issue.record("no clustering fits into 1 MiB")
        } catch let error as ClusteringError {
            guard case .memory(_, let needed, let allowed) = error else { throw error }
            #expect(needed > allowed && allowed == 1 << 20)
        }
    }
}
