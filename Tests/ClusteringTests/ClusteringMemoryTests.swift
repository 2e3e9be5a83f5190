import Testing

@testable import Clustering

/// The memory for a size alone, before there are any rows.
@Suite struct ClusteringMemoryTests {
    private static let kinds: [KMeans] = [
        KMeans(k: 9, kind: .lloyd(iterations: 1)), KMeans(k: 9, kind: .lloyd(iterations: 1), start: .random),
        KMeans(k: 9, kind: .miniBatch()), KMeans(k: 1100, kind: .lloyd(iterations: 1)),
        KMeans(k: 9, kind: .lloyd(iterations: 1), start: .parallel()),
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
        // The same rows as the first of three ranks.
        let share = ClusteringMemory(matrix: matrix, components: nil, kmeans: kmeans, total: 8100)
        let planned = ClusteringMemory(rows: count, of: 8100, dimensions: dimensions, kmeans: kmeans)
        #expect(planned.resident == share.resident && planned.resident > found.resident)
        #expect(planned.streamed(pieceCount: 512) == share.streamed(pieceCount: 512))
    }

    /// Computed by hand for half of 8,192 rows of 4 numbers, k 8; block sums and the start are those of all rows.
    @Test func aRankHasItsPartOfTheRows() {
        let kmeans = KMeans(k: 8, kind: .lloyd(iterations: 3, tolerance: 0))
        let part = ClusteringMemory(rows: 4096, of: 8192, dimensions: 4, kmeans: kmeans)
        #expect(part.pieceUnit == 256)
        // Labels and distances; centroids; 32 blocks with corrections, and the totals; the start's rows and distances.
        let (result, centroids): (Int, Int) = (4096 * 8, 3 * 8 * 6 * 4)
        let (sums, start): (Int, Int) = ((2 + 32 * 2) * 8 * 5 * 4, 8192 * (4 * 12 + 32))
        // The totals, as the host exchanges them: 8 bytes for each sum and count.
        #expect(part.exchanged == 8 * (8 * 4 + 8))
        let constant = result + centroids + sums + start + part.exchanged
        #expect(constant == 699_584)
        // Coordinates, label and distance of each row, and three copies of a row that is being moved.
        #expect(part.resident == constant + 4096 * 72)
        #expect(part.hostResident == 4096 * 56 + part.exchanged)
        #expect(part.streamed(pieceCount: 256) == constant + 256 * 72)
        #expect(part.gathered == 8192 * 8)
        let whole = ClusteringMemory(rows: 8192, of: 8192, dimensions: 4, kmeans: kmeans)
        #expect(whole.exchanged == 0 && whole.gathered == 0 && whole.pieceUnit == part.pieceUnit)
        #expect(whole.resident - part.resident == 4096 * 80 - part.exchanged)
    }
}
