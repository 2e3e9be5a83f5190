import Support

/// How similar each point is to those that come before it in its cluster, and what a threshold or a budget keeps.
package struct Redundancy: Sendable {
    /// 1 - the largest cosine of each point to an earlier member of its cluster, [count], 0 to 2; infinity for first members
    /// and for rows of zeros.
    package private(set) var gaps: [Double]
    /// The member that it is of, the earliest of equals, numbered as in the source; negative where there is none.
    package private(set) var nearest: [Int32]

    private static let none: Int32 = -1
    private static let withoutDirection: Int32 = -2

    /// Before anything was compared.
    init(count: Int) {
        gaps = [Double](repeating: .infinity, count: count)
        nearest = [Int32](repeating: Self.none, count: count)
    }

    /// Takes in a cosine; of equal ones the first stays.
    mutating func take(_ gap: Double, of point: Int, to earlier: Int32) {
        guard gap < gaps[point], nearest[point] != Self.withoutDirection else { return }
        (gaps[point], nearest[point]) = (gap, earlier)
    }

    /// Takes in that a point is a row of zeros.
    mutating func takeZeros(_ point: Int) { (gaps[point], nearest[point]) = (.infinity, Self.withoutDirection) }

    /// The result for one point.
    package struct Finding: BitwiseCopyable, Sendable {
        fileprivate let point: Int32
        fileprivate let nearest: Int32
        fileprivate let gap: Double
    }

    /// The results by rising point, without the first members.
    package var findings: [Finding] {
        nearest.indices.filter { nearest[$0] != Self.none }.map {
            Finding(point: Int32(truncatingIfNeeded: $0), nearest: nearest[$0], gap: gaps[$0])
        }
    }

    /// Joins the results of separate clusters, for `count` points.
    package init(count: Int, _ findings: [Finding]) {
        self.init(count: count)
        for finding in findings {
            (gaps[Int(finding.point)], nearest[Int(finding.point)]) = (finding.gap, finding.nearest)
        }
    }

    /// How many points are rows of zeros.
    package var zeroCount: Int { nearest.count { $0 == Self.withoutDirection } }

    /// The gap as ``Score/semdedup`` has it, which is what thresholds are compared with: float32.
    private static func rounded(_ gap: Double) -> Double { Double(Float(gap)) }

    /// The points whose largest cosine is at most 1 - eps, the least redundant first, ties to the lower point.
    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)`` unless eps is above 0 and at most 1.
    package func kept(eps: Double) throws(ScoringError) -> [Int] {
        try Self.check(eps: eps)
        return ranked(gaps.indices.filter { Self.rounded(gaps[$0]) >= Self.rounded(eps) })
    }

    /// The `size` least redundant points in that order; all where there are fewer.
    package func kept(size: Int) -> [Int] { Array(ranked(Array(gaps.indices)).prefix(size)) }

    /// How many points each eps drops.
    package func dropped(at thresholds: [Double]) -> [Int] {
        let rising = gaps.map(Self.rounded).sorted()
        return thresholds.map { eps in
            var (low, high) = (0, rising.count)
            while low < high {
                let middle = (low + high) / 2
                if rising[middle] < Self.rounded(eps) { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private func ranked(_ points: [Int]) -> [Int] {
        points.sorted { gaps[$0] != gaps[$1] ? gaps[$0] > gaps[$1] : $0 < $1 }
    }

    /// The thresholds of a curve, rising: 1e-4 to 0.5, twenty per decade, to three digits.
    package static let curve: [Double] =
        (0...74).compactMap { step in
            let (decade, place) = (step / 20, step % 20)
            let digits = Double(
                [
                    100, 112, 126, 141, 158, 178, 200, 224, 251, 282, 316, 355, 398, 447, 501, 562, 631, 708, 794, 891,
                ][place])
            // A quotient of whole numbers is the double that its digits are read as.
            let eps = digits / [1e6, 1e5, 1e4, 1e3][decade]
            return eps <= 0.5 ? eps : nil
        } + [0.5]

    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)`` unless eps is above 0 and at most 1.
    package static func check(eps: Double) throws(ScoringError) {
        guard eps > 0, eps <= 1 else {
            throw .badParameter(
                name: "eps", value: "\(eps)",
                accepted: "it has to be above 0 and at most 1: rows are dropped at a cosine above 1 - eps")
        }
    }
}
