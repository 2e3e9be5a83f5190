import Compute
import Support

/// The percentile bootstrap of a median (Efron, "Bootstrap methods: another look at the jackknife", 1979): the medians
/// of draws of as many values as there are, with replacement.
///
/// Which places of the sorted values a draw's middle falls on depends on their number alone. It is drawn once, and then
/// serves every case of so many runs.
struct MedianBootstrap {
    /// Draws, of which the interval's ends are percentiles.
    static let draws = 10_000

    private struct Middle: Hashable {
        let lower: Int
        let upper: Int
    }
    private let counts: [(middle: Middle, draws: Int)]

    /// Draws for samples of `count` values, at least one.
    init(count: Int, seed: UInt64) {
        var random = RandomStream(seed: seed, run: count, purpose: .bootstrap)
        var histogram: [Middle: Int] = [:]
        var drawn = [Int](repeating: 0, count: count)
        for _ in 0..<Self.draws {
            for place in drawn.indices { drawn[place] = 0 }
            for _ in 0..<count { drawn[random.nextIndex(below: count)] += 1 }
            let lower = Self.place(ofRank: (count - 1) / 2, in: drawn)
            let upper = count % 2 == 1 ? lower : Self.place(ofRank: count / 2, in: drawn)
            histogram[Middle(lower: lower, upper: upper), default: 0] += 1
        }
        counts = histogram.map { ($0.key, $0.value) }
    }

    /// The place that the draw of a rank (from 0) has when the draws, counted by place, are in order.
    private static func place(ofRank rank: Int, in drawn: [Int]) -> Int {
        var passed = 0
        for (place, count) in drawn.enumerated() {
            passed += count
            if passed > rank { return place }
        }
        return drawn.count - 1
    }

    /// The interval that holds the middle `level` of the draws' medians; ends between two draws are interpolated linearly.
    /// - Parameter values: as many as the draws were made for, in any order.
    func interval(of values: [Double], level: Double = 0.95) -> Interval {
        let sorted = values.sorted()
        let medians = counts.map { (value: (sorted[$0.middle.lower] + sorted[$0.middle.upper]) / 2, draws: $0.draws) }
            .sorted { $0.value < $1.value }
        func draw(_ rank: Int) -> Double {
            var passed = 0
            for median in medians {
                passed += median.draws
                if passed > rank { return median.value }
            }
            return medians[medians.count - 1].value
        }
        func percentile(_ share: Double) -> Double {
            let position = share * Double(Self.draws - 1)
            let rank = Int(position)
            let low = draw(rank)
            return low + (draw(rank + 1) - low) * (position - Double(rank))
        }
        return Interval(low: percentile((1 - level) / 2), high: percentile((1 + level) / 2))
    }
}
