extension Order {
    /// `members` by |score - median of their scores|, the closest first (Moderate-DS; Xia et al., "Moderate coreset: a
    /// universal method of data selection for real-world data-efficient deep learning", ICLR 2023). The median of an even
    /// number is the mean of the two in the middle. Ties go to the lower index. Infinite scores do not count in the
    /// median and come last, by index.
    static func fromMedian(_ members: [Int], by scores: [Float]) -> [Int] {
        let finite = members.map { Double(scores[$0]) }.filter(\.isFinite).sorted()
        if finite.isEmpty { return members }
        let median = (finite[(finite.count - 1) / 2] + finite[finite.count / 2]) / 2
        let keyed = members.map { (distance: abs(Double(scores[$0]) - median), index: $0) }
        return keyed.sorted { $0 < $1 }.map(\.index)
    }
}
