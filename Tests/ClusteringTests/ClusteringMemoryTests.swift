import Testing

@testable import Clustering

/// Memory that is known from a size alone, before there are any rows.
@Suite struct ClusteringMemoryTests {
    private static let kinds: [KMeans] = [
        KMeans(k: 9, kind: .lloyd(iterations: 1)), KMeans(k: 9, kind: .lloyd(iterations: 1), start: .random),
        KMeans(k: 9, kind: .miniBatch()), KMeans(k: 1100, kind: .lloyd(iterations: 1)),
    ]

    @Test(arguments: kinds.indices) func theSizeSaysWhatAMatrixDoes(_ kind: Int) throws {
        let (count, dimensions, kmeans) = (2700, 12, Self.kinds[kind])
        let values = (0..<count * dimensions).map { Float($0 % 101) }
        let matrix = try FeatureMatrix(
            reader: StoredArray(values, dimensions: dimensions), count: count, dimensions: dimensions)
        let expected = ClusteringMemory(matrix: matrix, components: nil, kmeans: kmeans)
        let found = ClusteringMemory(rows: count, of: count, dimensions: dimensions, kmeans: kmeans)
        #expect(found.pieceUnit == expected.pieceUnit)
        #expect(found.resident == expected.resident && found.hostResident == expected.hostResident)
        #expect(found.streamed(pieceCount: 512) == expected.streamed(pieceCount: 512))
    }

    /// By hand, for half of 4,096 rows of 4 numbers, k 8: block sums and the start are those of all rows.
    @Test func aRankHasItsPartOfTheRows() {
        let kmeans = KMeans(k: 8, kind: .lloyd(iterations: 3, tolerance: 0))
        let part = ClusteringMemory(rows: 2048, of: 4096, dimensions: 4, kmeans: kmeans)
        #expect(part.pieceUnit == 256)
        // Labels and distances; centroids; 16 blocks with corrections, and the totals; the start's rows and distances.
        let (result, centroids): (Int, Int) = (2048 * 8, 3 * 8 * 6 * 4)
        let (sums, start): (Int, Int) = ((2 + 16 * 2) * 8 * 5 * 4, 4096 * (4 * 12 + 32))
        let constant = result + centroids + sums + start
        #expect(constant == 350_080)
        // Coordinates, label and distance of each row; and three copies of a row on its way.
        #expect(part.resident == constant + 2048 * 72)
        #expect(part.hostResident == 2048 * 56)
        #expect(part.streamed(pieceCount: 256) == constant + 256 * 72)
        let whole = ClusteringMemory(rows: 4096, of: 4096, dimensions: 4, kmeans: kmeans)
        #expect(whole.pieceUnit == part.pieceUnit && whole.resident - part.resident == 2048 * 80)
    }
}
