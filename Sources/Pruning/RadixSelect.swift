/// Keeps an exact number of samples of each group, those with the lowest keys, of samples that are spread over ranks.
///
/// No rank sees another's samples. The bits of the keys are looked at from the highest down, a digit at a time: every rank
/// counts how many of its samples have each digit, and the counts are added over all ranks. In each group the samples whose
/// digit is below the one in which the quota ends are kept, those above it are not, and those that have this digit go on to the
/// next one. A sample's number follows its key, so ties go to the lower index and no two samples are equal in the end. The
/// result depends on neither the number of bits per digit nor the way the samples are spread.
package struct RadixSelect<Fault: Error> {
    private let ranks: RankSums<Fault>
    /// The number of this rank's first sample among those of all ranks.
    private let first: Int
    /// The number of samples of all ranks.
    private let total: Int
    /// The most counts of digits that are added at once; digits get as many bits as fit, and at least one.
    var mostCounts = 1 << 22

    private static var mostDigitBits: Int { 16 }

    /// - Parameters:
    ///   - first: the number of this rank's first sample among those of all ranks.
    ///   - total: the number of samples of all ranks.
    package init(over ranks: RankSums<Fault>, first: Int, total: Int) {
        (self.ranks, self.first, self.total) = (ranks, first, total)
    }

    /// Marks those of this rank's samples that are among the lowest of their groups. Collective.
    /// - Parameters:
    ///   - keys: [sample].
    ///   - groups: the group of each sample, [sample]; negative for a sample in no group, which is not kept.
    ///   - quotas: the number of samples that each group keeps, [group], the same on all ranks; a smaller group keeps all.
    /// - Returns: [sample].
    /// - Throws: what adding over ranks throws.
    package func lowest(
        of keys: OrderedKeys, in groups: [Int32], quotas: [Int]
    ) throws(Fault) -> [Bool] {
        var counts = [Int64](repeating: 0, count: quotas.count)
        for group in groups where group >= 0 { counts[Int(group)] += 1 }
        try ranks.sum(&counts)
        // The number of undecided samples that each group still keeps.
        var left = zip(quotas, counts).map { max(0, min($0, Int($1))) }
        var open = quotas.indices.filter { left[$0] > 0 && left[$0] < counts[$0] }
        var isKept = [Bool](repeating: false, count: groups.count)
        var slots = Self.slots(of: open, among: quotas.count)
        var waiting: [Int] = []
        for (sample, group) in groups.enumerated() where group >= 0 {
            if slots[Int(group)] >= 0 { waiting.append(sample) } else { isKept[sample] = left[Int(group)] > 0 }
        }
        let indexBits = total > 1 ? Int.bitWidth - (total - 1).leadingZeroBitCount : 0
        var shift = keys.bits + indexBits
        while !open.isEmpty {
            let bits = digitBits(groups: open.count, of: shift)
            shift -= bits
            let mask: UInt128 = 1 << UInt128(bits) - 1
            func digit(_ sample: Int) -> Int {
                let word = UInt128(keys.values[sample]) &<< UInt128(indexBits) | UInt128(first + sample)
                return Int(word &>> UInt128(shift) & mask)
            }
            var histogram = [Int64](repeating: 0, count: open.count << bits)
            for sample in waiting { histogram[Int(slots[Int(groups[sample])]) << bits + digit(sample)] += 1 }
            try ranks.sum(&histogram)
            var ends = [Int](repeating: 0, count: open.count)
            for (slot, group) in open.enumerated() {
                // Fewer samples are left to give than the group has, so this ends within its counts.
                while left[group] > 0, histogram[slot << bits + ends[slot]] <= left[group] {
                    left[group] -= Int(histogram[slot << bits + ends[slot]])
                    ends[slot] += 1
                }
            }
            var rest: [Int] = []
            for sample in waiting {
                let group = Int(groups[sample])
                let (digit, end) = (digit(sample), ends[Int(slots[group])])
                if digit < end { isKept[sample] = true }
                if digit == end, left[group] > 0 { rest.append(sample) }
            }
            waiting = rest
            open = open.filter { left[$0] > 0 }
            slots = Self.slots(of: open, among: quotas.count)
        }
        return isKept
    }

    /// The places of the groups that go on to the next digit, [group]; negative for the others.
    private static func slots(of open: [Int], among groups: Int) -> [Int32] {
        var slots = [Int32](repeating: -1, count: groups)
        for (slot, group) in open.enumerated() { slots[group] = Int32(slot) }
        return slots
    }

    /// Bits of the next digit, the same on all ranks. There are no more counts than samples, as far as possible.
    private func digitBits(groups: Int, of left: Int) -> Int {
        let counts = max(2, min(mostCounts, total) / groups)
        return min(left, Self.mostDigitBits, Int.bitWidth - 1 - counts.leadingZeroBitCount)
    }
}
