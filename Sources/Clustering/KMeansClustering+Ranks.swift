import Compute
import Ranks

extension KMeansClustering {
    /// The clustering of the rows of all ranks, on rank 0; nil on the others. Collective.
    /// - Throws: ``ClusteringError/ranks(_:)``.
    package func gathered(over communicator: Communicator) throws(ClusteringError) -> KMeansClustering? {
        let (labels, distances) = try acrossRanks { () throws(RanksError) in
            (try communicator.gather(self.labels, to: 0), try communicator.gather(self.distances, to: 0))
        }
        guard let labels, let distances else { return nil }
        return KMeansClustering(
            labels: labels.values, distances: distances.values, centroids: centroids, shift: shift, k: k,
            dimensions: dimensions, inertia: inertia, iterations: iterations, startSeconds: startSeconds,
            seconds: seconds)
    }
}

extension FeatureMatrix {
    /// A number that differs where the extents, the largest value or some of 256 rows spread over the matrix do, for ranks that
    /// must have the same rows, and for a clustering that goes on: not all of them are read again.
    /// - Throws: what reading rows throws.
    package func sampledFingerprint() throws(ClusteringError) -> String {
        // FNV-1a over 32-bit words.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ word: UInt32) { hash = (hash ^ UInt64(word)) &* 0x100_0000_01B3 }
        add(UInt32(truncatingIfNeeded: count))
        add(UInt32(truncatingIfNeeded: dimensions))
        add(largest.magnitude.bitPattern)
        let rows = min(count, 256)
        for sample in 0..<rows {
            let row = rows == 1 ? 0 : sample * (count - 1) / (rows - 1)
            if isBytes {
                try withRows(row..<row + 1, of: UInt8.self) { values throws(ClusteringError) in
                    for value in values { add(UInt32(value)) }
                }
            } else {
                try withRows(row..<row + 1, of: Float.self) { values throws(ClusteringError) in
                    for value in values { add(value.bitPattern) }
                }
            }
        }
        return "\(count) x \(dimensions), checksum \(String(hash, radix: 16))"
    }
}
