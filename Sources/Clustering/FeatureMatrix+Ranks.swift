import Datasets
import Ranks
import Support

extension FeatureMatrix {
    /// The samples on one of several ranks, which check them together: each reads its own rows and those of the next rank, so
    /// that differing files are found. If there are fewer rows than columns, every rank reads all rows, as its PCA does. The
    /// result is that of ``init(_:forComponents:)``. Collective.
    /// - Parameters:
    ///   - name: the name of the samples in messages, such as `the samples of X.npy`.
    ///   - forComponents: whether PCA follows, which accepts only smaller values.
    /// - Throws: what the other initialiser throws for this rank's rows; ``ClusteringError/ranks(_:)`` if the ranks disagree;
    ///   ``ClusteringError/differentRows(name:rows:owner:other:)``.
    package init(_ samples: SampleSet, named name: String, forComponents: Bool, spread: RowSpread)
        throws(ClusteringError)
    {
        let communicator = spread.communicator
        let plain = try FeatureMatrix(unchecked: samples)
        let checksum = try plain.sampledChecksum()
        try acrossRanks { () throws(RanksError) in
            let value = "\(plain.count) x \(plain.dimensions) \(samples.values.typeName), checksum \(hex(checksum))"
            try communicator.agree(on: [Agreement(name, value)])
        }
        let limit: Float = plain.isBytes ? .infinity : Self.largestTaken(plain.dimensions, forComponents: forComponents)
        var own = Checksum()
        let found = try plain.largest(in: spread.rows, limit: limit) { own.add($0) }
        try plain.compare(with: spread, named: name, own.value)
        let everyone = try acrossRanks { () throws(RanksError) in
            (
                try communicator.gather([found.magnitude]).values,
                try communicator.gather([Int64(found.row), Int64(found.column)]).values
            )
        }
        var largest = (magnitude: Float(0), row: 0, column: 0)
        for (rank, magnitude) in everyone.0.enumerated() where magnitude > largest.magnitude {
            largest = (magnitude, Int(everyone.1[2 * rank]), Int(everyone.1[2 * rank + 1]))
        }
        self = try plain.known(largest: largest)
    }

    /// Compares the rows of every rank with those that the previous rank has in the same place.
    /// - Parameter checksum: the checksum of this rank's rows.
    private func compare(with spread: RowSpread, named name: String, _ checksum: UInt64) throws(ClusteringError) {
        let (communicator, size) = (spread.communicator, spread.communicator.size)
        guard size > 1 else { return }
        // The ranks whose rows this one reads, by their distance.
        let distances = count < dimensions ? 1..<size : 1..<2
        var others: [UInt64] = []
        for distance in distances {
            let rows = spread.rows(ofRank: (communicator.rank + distance) % size)
            var other = Checksum()
            _ = try largest(in: rows, limit: .infinity) { other.add($0) }
            others.append(other.value)
        }
        let found = others
        let (owners, readers) = try acrossRanks { () throws(RanksError) in
            (try communicator.gather([checksum]).values, try communicator.gather(found).values)
        }
        for reader in 0..<size {
            for distance in distances {
                let owner = (reader + distance) % size
                guard readers[reader * distances.count + distance - 1] == owners[owner] else {
                    throw .differentRows(name: name, rows: spread.rows(ofRank: owner), owner: owner, other: reader)
                }
            }
        }
    }

    /// A number that differs if the shift differs, or any of 256 rows spread over the matrix.
    private func sampledChecksum() throws(ClusteringError) -> UInt64 {
        var checksum = Checksum()
        (shift ?? []).withUnsafeBytes { checksum.add($0) }
        let rows = min(count, 256)
        for sample in 0..<rows {
            let row = rows == 1 ? 0 : sample * (count - 1) / (rows - 1)
            _ = try largest(in: row..<row + 1, limit: .infinity) { checksum.add($0) }
        }
        return checksum.value
    }
}

private func hex(_ number: UInt64) -> String { String(number, radix: 16) }

extension RowSpread {
    /// The rows of a rank, by their numbers among all rows.
    func rows(ofRank rank: Int) -> Range<Int> { Self.rows(ofRank: rank, of: communicator.size, total: total) }
}
