import Clustering
import Compute
import Ranks
import Support

/// Rows of several groups and scales: two of the columns are far smaller than the others.
private func madeRows(_ count: Int, _ dimensions: Int) -> [Float] {
    var random = RandomStream(seed: 19, run: 0, purpose: .testing)
    return (0..<count * dimensions).map { element in
        let (row, column) = element.quotientAndRemainder(dividingBy: dimensions)
        let centre = Double(row % 11 == column ? 40 : 0)
        return Float((centre + random.nextUniform(-9, 9)) * (column < 2 ? 1e-3 : 1))
    }
}

/// FNV-1a over 64-bit words.
private struct Digest {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ words: some Sequence<UInt64>) {
        for word in words { value = (value ^ word) &* 0x100_0000_01B3 }
    }
}

/// Clusters made rows on all ranks, in memory and streamed, and prints a digest of the results, which must be the same for any
/// number of ranks.
func checkClusters(_ ranks: Communicator) throws {
    // The last of 8 chunks is short.
    let (count, dimensions) = (7 * RowSpread.chunkRows + 123, 12)
    let values = madeRows(count, dimensions)
    let floats = try FeatureMatrix(floats: values, count: count, dimensions: dimensions)
    let bytes = try FeatureMatrix(
        bytes: values.map { UInt8(clamping: Int($0) + 9) }, count: count, dimensions: dimensions)
    let spread = try RowSpread(count, over: ranks)
    let backend = CPUBackend()
    var digest = Digest()
    for (matrix, components) in [(floats, Int?.none), (bytes, 3), (floats, 3)] {
        for (k, start) in [(7, KMeans.Start.plusPlus), (300, .random), (40, .parallel())] {
            let kmeans = KMeans(k: k, kind: .lloyd(iterations: 8), start: start, seed: 3)
            let pca = try components.map { try PCA.fit(matrix, components: $0, spread: spread, on: backend) }
            let resident = try kmeans.source(of: matrix, components: components, spread: spread, on: backend)
            let streamed = PointSource(
                streaming: matrix.part(spread.rows), through: pca, pieceCount: RowSpread.chunkRows, spread: spread)
            var found: [UInt64] = []
            for source in [resident, streamed] {
                let clustering = try kmeans.fit(source, on: backend)
                let labels = try ranks.gather(clustering.labels).values
                let distances = try ranks.gather(clustering.distances).values
                try expect(labels.count == count, "\(labels.count) labels of \(count) rows")
                var part = Digest()
                part.add(labels.map { UInt64($0) })
                part.add(distances.map { UInt64($0.bitPattern) })
                part.add(clustering.centroids.map { UInt64($0.bitPattern) })
                part.add([clustering.inertia.bitPattern, UInt64(clustering.iterations)])
                found.append(part.value)
            }
            try expect(found[0] == found[1], "k \(k): \(found) in memory and streamed")
            digest.add(found)
        }
    }
    if ranks.rank == 0 { print("clusters: \(String(digest.value, radix: 16))") }
}

/// Mini-batches run on one rank only: all ranks refuse them with the same error.
func checkMiniBatch(_ ranks: Communicator) throws {
    let count = 7 * RowSpread.chunkRows
    let matrix = try FeatureMatrix(floats: madeRows(count, 2), count: count, dimensions: 2)
    let kmeans = KMeans(k: 3, kind: .miniBatch(), seed: 3)
    let backend = CPUBackend()
    let source = try kmeans.source(of: matrix, spread: RowSpread(count, over: ranks), on: backend)
    _ = try kmeans.fit(source, on: backend)
}
