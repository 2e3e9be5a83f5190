/// A set of samples, one bit for each sample of the whole.
package struct SampleBits: Sendable {
    private var words: [UInt64]
    /// How many samples are in it.
    package let count: Int

    /// The set of `indices`; nil where one is outside 0 to `total` - 1, or is there twice.
    package init?(_ indices: [Int], of total: Int) {
        var words = [UInt64](repeating: 0, count: (max(0, total) + 63) / 64)
        for index in indices {
            guard index >= 0, index < total else { return nil }
            let bit: UInt64 = 1 << UInt64(index & 63)
            guard words[index >> 6] & bit == 0 else { return nil }
            words[index >> 6] |= bit
        }
        self.words = words
        count = indices.count
    }

    /// The Jaccard index (Jaccard 1901), |A and B| / |A or B|: 1 for equal sets, 0 for sets without a common sample, and 1
    /// for two empty ones.
    package func jaccard(_ other: SampleBits) -> Double {
        var common = 0
        for (one, two) in zip(words, other.words) { common += (one & two).nonzeroBitCount }
        let union = count + other.count - common
        return union == 0 ? 1 : Double(common) / Double(union)
    }
}
