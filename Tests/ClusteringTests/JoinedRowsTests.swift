import Compute
import Support
import TestSupport
import Testing

@testable import Clustering

/// Two matrices as one, and points as rows in the host's memory.
@Suite struct JoinedRowsTests {
    private static let dimensions = 5

    private func numbers(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        return (0..<count * Self.dimensions).map { _ in UInt8(random.nextIndex(below: 200)) }
    }

    /// All rows, their shift added again.
    private func rows(_ matrix: FeatureMatrix) throws -> [Double] {
        let source = PointSource(
            try matrix.points(on: CPUBackend()), less: matrix.shift, isDirect: !matrix.isBytes)
        let found = try source.rows(at: (0..<Int32(matrix.count)).map { $0 }, on: CPUBackend())
        return found.values.enumerated().map { Double($1) + (matrix.shift?[$0 % Self.dimensions] ?? 0) }
    }

    @Test func rowsOfTwoTypesAreOneMatrix() throws {
        let (few, many) = (numbers(7, seed: 1), numbers(300, seed: 2))
        func matrices(_ values: [UInt8]) throws -> [FeatureMatrix] {
            let count = values.count / Self.dimensions
            return [
                try FeatureMatrix(bytes: values, count: count, dimensions: Self.dimensions),
                try FeatureMatrix(floats: values.map { Float($0) }, count: count, dimensions: Self.dimensions),
                try FeatureMatrix(
                    reader: StoredArray(values.map { Float($0) }, dimensions: Self.dimensions), count: count,
                    dimensions: Self.dimensions),
                try FeatureMatrix(
                    reader: StoredArray(values.map { Double($0) }, dimensions: Self.dimensions), count: count,
                    dimensions: Self.dimensions),
                try FeatureMatrix(
                    reader: StoredArray(values.map { Int32($0) }, dimensions: Self.dimensions), count: count,
                    dimensions: Self.dimensions),
            ]
        }
        for first in try matrices(few) {
            for second in try matrices(many) {
                let joined = try FeatureMatrix.joining(first, second)
                #expect(joined.count == 307 && joined.dimensions == Self.dimensions)
                #expect(joined.isBytes == (first.isBytes && second.isBytes))
                #expect(try rows(joined) == (few + many).map { Double($0) })
            }
        }
    }

    @Test func faultsAreThoseOfTheJoinedRows() throws {
        let one = try FeatureMatrix(floats: [1, 2, 3, 4], count: 2, dimensions: 2)
        let other = try FeatureMatrix(floats: [1, 2, 3], count: 1, dimensions: 3)
        #expect(throws: ClusteringError.self) { try FeatureMatrix.joining(one, other) }
        // Near the middle of its own rows, and far from that of all.
        let far = try FeatureMatrix(
            reader: StoredArray([1e30, 1e30] as [Float], dimensions: 2), count: 1, dimensions: 2)
        do {
            _ = try FeatureMatrix.joining(one, far)
            Issue.record("a value that is too large was taken")
        } catch {
            guard case .tooLarge(let row, _, _, _) = error else { throw error }
            #expect(row == 2)
        }
    }

    @Test(arguments: TestBackends.names) func rowsComeInTheOrderThatWasAskedFor(name: String) throws {
        let backend = try TestBackends.make(name)
        // More numbers than are on their way at once.
        let (count, dimensions) = (3000, 700)
        let values = (0..<count * dimensions).map { Float($0 / dimensions * 3 + $0 % dimensions) }
        let matrix = try FeatureMatrix(
            reader: StoredArray(values, dimensions: dimensions), count: count, dimensions: dimensions)
        var random = RandomStream(seed: 4, run: 0, purpose: .testing)
        let indices = (0..<2500).map { _ in Int32(random.nextIndex(below: count)) }
        let resident = PointSource(try matrix.points(on: backend), less: matrix.shift, isDirect: true)
        let streamed = PointSource(streaming: matrix, through: nil, pieceCount: ClusteringShape.blockUnit)
        let shift = try #require(matrix.shift)
        for source in [resident, streamed] {
            let found = try source.rows(at: indices, on: backend)
            #expect(found.count == indices.count && found.dimensions == dimensions)
            let isRight = indices.indices.allSatisfy { place in
                let first = Int(indices[place]) * dimensions
                return (0..<dimensions).allSatisfy {
                    found.values[place * dimensions + $0] == Float(Double(values[first + $0]) - shift[$0])
                }
            }
            #expect(isRight)
            #expect(try source.rows(at: [], on: backend).count == 0)
        }
    }
}
