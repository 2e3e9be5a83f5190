import Compute
import Foundation
import Ranks
import Testing

@testable import Clustering
import Support
import TestSupport

/// Keeps every state, and stops after a number of iterations.
private final class Recorder: LloydKeeper {
    let resumed: LloydState?
    let last: Int
    private(set) var states: [LloydState] = []
    private(set) var calls: [String] = []
    private var done: Int

    init(from resumed: LloydState? = nil, stopAfter last: Int = .max) {
        self.resumed = resumed
        self.last = last
        done = resumed?.iterations ?? 0
    }

    var isStopping: Bool {
        done += 1
        return done >= last
    }
    func begin() { calls.append("begin") }
    func isDue(stopping: Bool) -> Bool { true }
    func keep(_ state: LloydState) throws(FileError) { states.append(state) }
    func end() { calls.append("end") }
}

/// A disk that is full.
private final class FullDisk: LloydKeeper {
    let resumed: LloydState? = nil
    let isStopping = false
    private(set) var hasEnded = false
    func begin() {}
    func isDue(stopping: Bool) -> Bool { true }
    func keep(_ state: LloydState) throws(FileError) {
        throw .writeFailed(file: "x", reason: "No space left on device")
    }
    func end() { hasEnded = true }
}

@Suite struct LloydKeeperTests {
    private static let blobs = Blobs(count: 9000, dimensions: 5, groups: 11, spread: 90, seed: 8)

    private func expectSame(_ found: KMeansClustering, _ expected: KMeansClustering) {
        #expect(found.labels == expected.labels && found.distances == expected.distances)
        #expect(found.centroids.map(\.bitPattern) == expected.centroids.map(\.bitPattern))
        #expect(found.inertia.bitPattern == expected.inertia.bitPattern && found.iterations == expected.iterations)
    }

    /// From any of its states, an interrupted clustering gets the same bits as an uninterrupted one, in memory and streamed.
    @Test(
        arguments: TestBackends.names,
        [KMeans.Kind.lloyd(iterations: 9, tolerance: 0), .spherical(iterations: 7, tolerance: 0)])
    func goesOnToTheSameBits(name: String, kind: KMeans.Kind) throws {
        let backend = try TestBackends.make(name)
        let blobs = Self.blobs
        let matrix = try FeatureMatrix(floats: blobs.values, count: blobs.count, dimensions: blobs.dimensions)
        let kmeans = KMeans(k: 40, kind: kind, start: .random, seed: 5)
        let resident = try kmeans.source(of: matrix, on: backend)
        let expected = try kmeans.fit(resident, on: backend)
        #expect(expected.iterations > 4)

        let watching = Recorder()
        expectSame(try kmeans.fit(resident, on: backend, keeper: watching), expected)
        #expect(watching.states.map(\.iterations) == Array(1..<expected.iterations))
        #expect(watching.calls == ["begin", "end"])
        for last in [1, 3] {
            let stopped = Recorder(stopAfter: last)
            #expect(throws: ClusteringError.self) { try kmeans.fit(resident, on: backend, keeper: stopped) }
            #expect(stopped.states == Array(watching.states.prefix(last)) && stopped.calls == ["begin", "end"])
        }
        let streamed = PointSource(streaming: matrix, through: nil, pieceCount: RowSpread.chunkRows)
        for state in [watching.states[0], watching.states[watching.states.count - 1]] {
            for source in [resident, streamed] {
                let keeper = Recorder(from: state)
                expectSame(try kmeans.fit(source, on: backend, keeper: keeper), expected)
                #expect(keeper.states == watching.states.filter { $0.iterations > state.iterations })
            }
        }
    }

    /// The threshold depends on the points, not on the state of the iterations.
    @Test func endsWhereNothingMoves() throws {
        let backend = CPUBackend()
        let kmeans = KMeans(k: 11, kind: .lloyd(iterations: 100), start: .random, seed: 2)
        let source = PointSource(try Self.blobs.points(on: backend), isDirect: false)
        let watching = Recorder()
        let expected = try kmeans.fit(source, on: backend, keeper: watching)
        #expect(expected.iterations < 100 && watching.states.count == expected.iterations - 1)
        let middle = watching.states[watching.states.count / 2]
        expectSame(try kmeans.fit(source, on: backend, keeper: Recorder(from: middle)), expected)
    }

    @Test func aStopIsAnErrorOfAllRanks() throws {
        let backend = CPUBackend()
        let kmeans = KMeans(k: 11, kind: .lloyd(iterations: 100), start: .random, seed: 2)
        let source = PointSource(try Self.blobs.points(on: backend), isDirect: false)
        let error = try #require(throws: ClusteringError.self) {
            try kmeans.fit(source, on: backend, keeper: Recorder(stopAfter: 2))
        }
        #expect(error.isShared && error.category == .cancelled)
        #expect(
            "\(error)" == "stopped after 2 iterations; the same command with --resume goes on from there")
    }

    @Test func aFullDiskEndsIt() throws {
        let backend = CPUBackend()
        let kmeans = KMeans(k: 11, kind: .lloyd(iterations: 100), start: .random, seed: 2)
        let source = PointSource(try Self.blobs.points(on: backend), isDirect: false)
        let disk = FullDisk()
        let error = try #require(throws: ClusteringError.self) {
            try kmeans.fit(source, on: backend, keeper: disk)
        }
        #expect(error.category == .writeFailed && !error.isShared && disk.hasEnded)
        #expect("\(error)" == "x: writing failed: No space left on device")
    }

    @Test func aStateOfOtherExtentsIsRefused() throws {
        let backend = CPUBackend()
        let kmeans = KMeans(k: 11, kind: .lloyd(iterations: 100), start: .random, seed: 2)
        let source = PointSource(try Self.blobs.points(on: backend), isDirect: false)
        let state = LloydState(iterations: 1, centroids: [1, 2, 3])
        #expect(throws: ClusteringError.self) {
            try kmeans.fit(source, on: backend, keeper: Recorder(from: state))
        }
    }
}

@Suite struct FingerprintTests {
    private let count = 2 * RowSpread.chunkRows + 5
    private let dimensions = 3
    private var values: [Float] { (0..<count * dimensions).map { Float($0 * 37 % 101) } }

    private func text(_ values: [Float], dimensions: Int = 3) throws -> String {
        try FeatureMatrix(floats: values, count: values.count / dimensions, dimensions: dimensions).fingerprint(
            spread: nil)
    }

    @Test func everyValueCounts() throws {
        let expected = try text(values)
        #expect(expected.hasPrefix("\(count) x \(dimensions), checksum "))
        for place in [0, 1, 4095 * dimensions, 4096 * dimensions, values.count / 2, values.count - 1] {
            var changed = values
            changed[place] += 1
            #expect(try text(changed) != expected, "value \(place)")
        }
        var swapped = values
        for column in 0..<dimensions {
            swapped.swapAt(column, 4096 * dimensions + column)
        }
        #expect(try text(swapped) != expected)
        #expect(try text(values.map { $0 + 1 }) != expected)
        #expect(try text(values, dimensions: 1) != expected)
    }

    @Test func storageAndSpreadDoNotCount() throws {
        let expected = try text(values)
        let matrix = try FeatureMatrix(floats: values, count: count, dimensions: dimensions)
        #expect(try matrix.fingerprint(spread: RowSpread(count, over: Communicator())) == expected)
        let stored = FeatureMatrix(
            unchecked: StoredArray(values, dimensions: dimensions), count: count, dimensions: dimensions)
        #expect(try stored.fingerprint(spread: nil) == expected)
        let bytes = values.map { UInt8($0) }
        let ofBytes = try FeatureMatrix(bytes: bytes, count: count, dimensions: dimensions)
        let storedBytes = FeatureMatrix(
            unchecked: StoredArray(bytes, dimensions: dimensions), count: count, dimensions: dimensions)
        #expect(try ofBytes.fingerprint(spread: nil) == storedBytes.fingerprint(spread: nil))
    }
}

@Suite struct KMeansCheckpointTests {
    private let key = [Agreement("the samples of --features", "7 x 3, checksum 1f"), Agreement("--k", "2")]
    private var checkpoint: KMeansCheckpoint {
        KMeansCheckpoint(
            key: key, device: "a GPU 1.0", k: 2, dimensions: 3,
            state: LloydState(iterations: 12, centroids: [1, -2, 3.5, .leastNonzeroMagnitude, -0.0, 6e37]))
    }

    @Test func readsBackWhatWasWritten() throws {
        let folder = try TemporaryFolder()
        let path = folder / "c"
        #expect(try KMeansCheckpoint.read(path) == nil)
        try checkpoint.write(to: path)
        let found = try #require(try KMeansCheckpoint.read(path))
        #expect(found == checkpoint)
        #expect(found.state.centroids.map(\.bitPattern) == checkpoint.state.centroids.map(\.bitPattern))
        // A later checkpoint replaces the whole file.
        var later = checkpoint
        later.state = LloydState(iterations: 13, centroids: [Float](repeating: 1, count: 6))
        try later.write(to: path)
        #expect(try KMeansCheckpoint.read(path) == later)
        #expect(try folder.names() == ["c"])
    }

    /// Neither a truncated file nor one with a changed bit is accepted as a checkpoint.
    @Test func damageIsSeen() throws {
        let folder = try TemporaryFolder()
        let path = folder / "c"
        try checkpoint.write(to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        func expectRefusal(_ bytes: Data, _ what: String) throws {
            try bytes.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: CheckpointError.self, "\(what)") { try KMeansCheckpoint.read(path) }
            #expect(error?.category == .badData && error?.description.hasPrefix(path) == true, "\(what)")
        }
        for length in 0..<whole.count { try expectRefusal(whole.prefix(length), "\(length) bytes") }
        try expectRefusal(whole + [0], "a byte more")
        for place in 0..<whole.count {
            var bytes = whole
            bytes[place] ^= 1 << UInt8(place % 8)
            try expectRefusal(bytes, "byte \(place)")
        }
    }

    @Test func otherFormatsAreNamed() throws {
        let folder = try TemporaryFolder()
        let path = folder / "c"
        try checkpoint.write(to: path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[8] = 9
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(throws: CheckpointError.otherFormat(file: path, format: 9)) { try KMeansCheckpoint.read(path) }
    }

    @Test func whatIsNoFileIsRefused() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: CheckpointError.self) { try KMeansCheckpoint.read(folder / ".") }
        #expect(error?.category == .noInput)
    }

    @Test func anotherClusteringIsNamed() throws {
        func refusal(_ key: [Agreement], k: Int = 2, dimensions: Int = 3) -> String? {
            do { try checkpoint.check(against: key, k: k, dimensions: dimensions, file: "c") } catch {
                return error.description
            }
            return nil
        }
        #expect(refusal(key) == nil)
        #expect(
            refusal([key[0], Agreement("--k", "3")])
                == "c is of another clustering: --k is 2 there and 3 here; give the same files and options, or start again "
                + "without --resume")
        #expect(refusal([key[0]])?.contains("--k is 2 there and nothing here") == true)
        #expect(refusal(key + [Agreement("--pca", "4")])?.contains("--pca is nothing there and 4 here") == true)
        #expect(refusal(key, k: 5)?.contains("the number of centroids is 2 there and 5 here") == true)
        #expect(refusal(key, dimensions: 1)?.contains("the numbers per centroid is 3") == true)
    }

    @Test func aFullDiskIsAnError() throws {
        #expect(throws: FileError.self) { try checkpoint.write(to: "/dev/full") }
    }
}
