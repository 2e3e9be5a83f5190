import Compute
import Foundation
import Testing

@testable import Clustering
import Support
import TestSupport

/// Points that are brought to the backend piece by piece: the same bits as with all of them there at once.
@Suite struct PointSourceTests {
    private static let (count, dimensions) = (2700, 12)

    private static func matrix(bytes: Bool, stored: Bool) throws -> FeatureMatrix {
        var random = RandomStream(seed: 3, run: 1, purpose: .testing)
        let pixels = (0..<count * dimensions).map {
            UInt8((random.nextIndex(below: 50) + 13 * ($0 % dimensions)) % 256)
        }
        let floats = pixels.map { Float($0) * 0.37 - 20 }
        if stored {
            let reader =
                bytes ? StoredArray(pixels, dimensions: dimensions) : StoredArray(floats, dimensions: dimensions)
            return try FeatureMatrix(reader: reader, count: count, dimensions: dimensions)
        }
        return bytes
            ? try FeatureMatrix(bytes: pixels, count: count, dimensions: dimensions)
            : try FeatureMatrix(floats: floats, count: count, dimensions: dimensions)
    }

    private static let ways: [(name: String, kind: KMeans.Kind, start: KMeans.Start)] = [
        ("lloyd, k-means++", .lloyd(iterations: 6), .plusPlus),
        ("lloyd, random", .lloyd(iterations: 6, tolerance: 0), .random), ("mini-batch", .miniBatch(), .plusPlus),
        ("lloyd, k-means||", .lloyd(iterations: 2), .parallel()),
    ]

    /// All ways on one backend, which builds each program once.
    @Test(arguments: TestBackends.names) func streamingChangesNoBit(name: String) throws {
        let backend = try TestBackends.make(name)
        for (k, components, bytes) in [(7, Int?.none, false), (1100, nil, true), (20, 3, true)] {
            let whole = try Self.matrix(bytes: bytes, stored: false)
            let stored = try Self.matrix(bytes: bytes, stored: true)
            let pca = try components.map { try PCA.fit(stored, components: $0, on: backend) }
            for way in Self.ways {
                let kmeans = KMeans(k: k, kind: way.kind, start: way.start, seed: 5)
                let unit = ClusteringMemory(matrix: stored, components: components, kmeans: kmeans).pieceUnit
                #expect(unit < Self.count)
                for matrix in k == 7 ? [stored, whole] : [stored] {
                    // Floats of a file have a shift, those of an array have none.
                    let expected = try kmeans.fit(
                        kmeans.source(of: bytes ? whole : matrix, components: components, on: backend), on: backend)
                    let source = PointSource(streaming: matrix, through: pca, pieceCount: unit)
                    #expect(source.isStreamed && source.dimensions == components ?? Self.dimensions)
                    let found = try kmeans.fit(source, on: backend)
                    let what = "\(way.name), k \(k)"
                    #expect(found.labels == expected.labels, "\(what)")
                    #expect(found.distances == expected.distances && found.centroids == expected.centroids, "\(what)")
                    #expect(found.iterations == expected.iterations && found.inertia == expected.inertia, "\(what)")
                }
            }
        }
    }

    @Test func moreThanIsAllowedIsRefusedWithWhatIsNeeded() throws {
        let backend = CPUBackend()
        let matrix = try Self.matrix(bytes: false, stored: true)
        let kmeans = KMeans(k: 9, kind: .lloyd(iterations: 1))
        do {
            _ = try kmeans.source(of: matrix, memory: 5 << 20, on: backend)
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.category == .usage)
            for word in ["\(Self.count) samples of \(Self.dimensions)", "k 9", "needs", "5M are allowed"] {
                #expect(error.description.contains(word), "\(error.description)")
            }
        }
        #expect(try !kmeans.source(of: matrix, memory: 1 << 50, on: backend).isStreamed)
    }

    /// More rows, more clusters, more components: each needs more, and streaming needs less than all rows do.
    @Test func memoryGrowsWithWhatIsClustered() throws {
        func need(_ count: Int, k: Int, components: Int? = nil) throws -> (resident: Int, streamed: Int) {
            let matrix = try FeatureMatrix(
                bytes: [UInt8](repeating: 0, count: count * 4), count: count, dimensions: 4)
            let memory = ClusteringMemory(
                matrix: matrix, components: components, kmeans: KMeans(k: k, kind: .lloyd(iterations: 1)))
            return (memory.resident, memory.streamed(pieceCount: memory.pieceUnit))
        }
        let some = try need(100_000, k: 10)
        // Coordinates, label and distance on the device, the last two here too.
        #expect(some.resident > 100_000 * (4 * 6 + 8) && some.resident < 4 * 100_000 * (4 * 6 + 8))
        #expect(some.streamed < some.resident && some.streamed > 100_000 * 8)
        #expect(try need(200_000, k: 10).resident > some.resident + 100_000 * 32 - 1)
        #expect(try need(100_000, k: 5000).streamed > some.streamed + 4 * 5000 * 4 * 5)
    }

    @Test func rowsThatCannotBeReadAreSaidSo() throws {
        let reader = StoredArray([UInt8](repeating: 1, count: 99 * 4), dimensions: 4)
        let matrix = try FeatureMatrix(reader: reader, count: 100, dimensions: 4)
        let source = PointSource(streaming: matrix, through: nil, pieceCount: 256)
        #expect {
            try KMeans(k: 2, kind: .lloyd(iterations: 1)).fit(source, on: CPUBackend())
        } throws: {
            ($0 as? ClusteringError)?.category == .noInput && "\($0)".contains("are gone")
        }
        let bad = StoredArray([Float](repeating: 1, count: 20) + [.nan], dimensions: 3)
        #expect { try FeatureMatrix(reader: bad, count: 7, dimensions: 3) } throws: {
            "\($0)".contains("row 6, column 2")
        }
    }
}
