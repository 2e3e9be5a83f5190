import Compute
import Support
import TestSupport
import Testing

@testable import Clustering

/// Rows on their way from a file: by all cores, ahead of those who ask, in any order.
@Suite struct StoredRowsTests {
    @Test func theFirstFaultInOrderIsTheOneThatIsReported() throws {
        for first in [0, 3, 9] {
            #expect {
                try onAllCores(5..<105, atMost: 10) { rows throws(ClusteringError) in
                    if rows.lowerBound >= 5 + 10 * first { throw .unreadable(reason: "from \(rows)") }
                }
            } throws: {
                "\($0)".contains("from \(5 + 10 * first)..<\(15 + 10 * first)")
            }
        }
        let seen = Locked<[Int]>([])
        try onAllCores(5..<28, atMost: 10) { rows throws(ClusteringError) in seen.withLock { $0 += rows } }
        #expect(seen.withLock { $0.sorted() } == Array(5..<28))
    }

    @Test func everyPieceComesInItsTurn() throws {
        let (count, dimensions) = (301, 7)
        let values = (0..<count * dimensions).map { Float($0) - 0.25 }
        let matrix = try FeatureMatrix(
            reader: StoredArray(values, dimensions: dimensions), count: count, dimensions: dimensions)
        let shift = try #require(matrix.shift)
        for (range, limit) in [(0..<301, 64), (3..<7, 64), (10..<300, 29), (5..<5, 3)] {
            var found: [Float] = []
            var next = range.lowerBound
            try matrix.forEachPiece(of: range, atMost: limit, as: Float.self) { piece, rows throws(ClusteringError) in
                #expect(rows.lowerBound == next && rows.count <= limit && piece.count == rows.count * dimensions)
                next = rows.upperBound
                found += piece
            }
            let expected = (range.lowerBound * dimensions..<range.upperBound * dimensions).map {
                Float(Double(values[$0]) - shift[$0 % dimensions])
            }
            #expect(next == range.upperBound && found == expected)
        }
    }

    /// Reading ahead must not outlive whoever gives up.
    @Test func aPieceThatIsRefusedEndsTheReading() throws {
        let matrix = try FeatureMatrix(
            reader: StoredArray([Float](repeating: 1, count: 400), dimensions: 4), count: 100, dimensions: 4)
        var seen = 0
        #expect(throws: ClusteringError.self) {
            try matrix.forEachPiece(of: 0..<100, atMost: 10, as: Float.self) { _, rows throws(ClusteringError) in
                seen += 1
                if rows.lowerBound == 20 { throw .unreadable(reason: "enough") }
            }
        }
        #expect(seen == 3)
    }

    @Test func theLargestMagnitudeIsTheFirstOfItsKind() {
        func place(_ changes: [Int: Float], above least: Float = 0, limit: Float = 100) -> Int? {
            var values = [Float](repeating: -1, count: 10_000)
            for (index, value) in changes { values[index] = value }
            return values.withUnsafeBufferPointer { firstLargest(of: $0, above: least, limit: limit) }
        }
        #expect(place([:]) == 0 && place([:], above: 1) == nil && place([5000: 2, 9999: -2], above: 1) == 5000)
        #expect(place([17: -3, 9000: 50, 9001: -50]) == 9000)
        #expect(place([100: 101, 200: .nan, 9000: 5000]) == 100)
        #expect(place([4000: .nan, 5000: .infinity]) == 4000 && place([4000: -.infinity, 5000: .nan]) == 4000)
        #expect(place([9999: .nan], above: 50) == 9999)
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
