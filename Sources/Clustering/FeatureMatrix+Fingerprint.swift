import Ranks
import Support

extension FeatureMatrix {
    /// The extents and a checksum of all values, as they are clustered. The text is the same for any number of ranks, and
    /// differs if a value differs. Every rank reads its own rows. Collective if `spread` is given.
    /// - Parameter spread: this rank's rows of the matrix; nil for all of them.
    /// - Throws: what reading rows throws; ``ClusteringError/ranks(_:)``.
    package func fingerprint(spread: RowSpread?) throws(ClusteringError) -> String {
        // Each chunk has its own checksum, which includes its place, so the sum of these is the same for any spread.
        var sum: [UInt64] = [0]
        func add(_ values: UnsafeRawBufferPointer, _ rows: Range<Int>) {
            var checksum = Checksum()
            withUnsafeBytes(of: UInt64(rows.lowerBound)) { checksum.add($0) }
            checksum.add(values)
            sum[0] &+= checksum.value
        }
        let rows = spread?.rows ?? 0..<count
        if isBytes {
            try forEachPiece(of: rows, atMost: RowSpread.chunkRows, as: UInt8.self) {
                values, rows throws(ClusteringError) in
                add(UnsafeRawBufferPointer(values), rows)
            }
        } else {
            try forEachPiece(of: rows, atMost: RowSpread.chunkRows, as: Float.self) {
                values, rows throws(ClusteringError) in
                add(UnsafeRawBufferPointer(values), rows)
            }
        }
        if let communicator = spread?.communicator {
            let own = sum[0]
            sum[0] = try acrossRanks { () throws(RanksError) in
                var words = [own]
                try communicator.sum(&words)
                return words[0]
            }
        }
        var whole = Checksum()
        (shift ?? []).withUnsafeBytes { whole.add($0) }
        sum.withUnsafeBytes { whole.add($0) }
        return "\(count) x \(dimensions), checksum \(String(whole.value, radix: 16))"
    }
}
