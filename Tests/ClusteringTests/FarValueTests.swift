import Compute
import Support
import TestSupport
import Testing

@testable import Clustering

/// One value far from all others: the units of exact sums follow the largest value.
@Suite struct FarValueTests {
    private static let (rows, columns) = (5000, 3)

    private func matrix(far: Float) throws -> FeatureMatrix {
        var random = RandomStream(seed: 3, run: 0, purpose: .testing)
        var values = (0..<Self.rows * Self.columns).map { _ in Float(random.nextUniform(-1, 1)) }
        values[1234 * Self.columns + 2] = far
        return try FeatureMatrix(floats: values, count: Self.rows, dimensions: Self.columns)
    }

    private func fit(_ matrix: FeatureMatrix, _ kind: KMeans.Kind, memory: Int? = nil) throws -> KMeansClustering {
        let backend = CPUBackend()
        let kmeans = KMeans(k: 20, kind: kind, seed: 1)
        return try kmeans.fit(try kmeans.source(of: matrix, memory: memory, on: backend), on: backend)
    }

    @Test func isRefusedWithItsPlaceWhereSumsWouldLoseTheOthers() throws {
        let matrix = try matrix(far: 1e14)
        do {
            _ = try fit(matrix, .lloyd(iterations: 5))
            Issue.record("a clustering whose sums have lost most rows")
        } catch let error as ClusteringError {
            #expect(error.category == .badData)
            #expect("\(error)".hasPrefix("row 1234, column 2 (counted from 0) has a value 2e+14 times"), "\(error)")
        }
        // Mini-batches add in float32.
        let clustering = try fit(matrix, .miniBatch())
        #expect(Set(clustering.labels).count > 10)
    }

    @Test func changesNoOtherClusterWhereSumsHoldAll() throws {
        // The far row has a cluster of its own; 19 are left for all others.
        let clustering = try fit(matrix(far: 1e9), .lloyd(iterations: 30))
        let alone = clustering.labels[1234]
        #expect(clustering.labels.filter { $0 == alone }.count == 1)
        var sizes = [Int](repeating: 0, count: 20)
        for label in clustering.labels { sizes[Int(label)] += 1 }
        #expect(sizes.filter { $0 > 50 }.count == 19, "\(sizes)")
    }
}
