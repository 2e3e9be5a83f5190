import Foundation
import Support

/// How many samples to keep, as it was asked for.
package enum RequestedSize: Hashable, Sendable, CustomStringConvertible {
    /// Samples.
    case count(Int)
    /// Percent of the whole set.
    case percent(Double)
    /// The whole set.
    case whole

    package var description: String {
        switch self {
        case .count(let count): "\(count)"
        case .percent(let percent): shortest(percent) + "%"
        case .whole: "100%"
        }
    }

    /// The size in a set of `total` samples, a share rounded to the nearest whole number. This is the one check of sizes.
    /// - Throws: ``PruningError/sizeOutOfRange(size:count:)`` where it is not in 1...total.
    package func resolved(of total: Int) throws(PruningError) -> SelectionSize {
        let count =
            switch self {
            case .count(let count): count
            case .percent(let percent): Int((Double(total) * percent / 100).rounded())
            case .whole: total
            }
        guard count >= 1, count <= total else { throw .sizeOutOfRange(size: self, count: total) }
        return SelectionSize(count: count)
    }

    /// The smallest share, in percent and to two digits, that still rounds to one sample of `count`.
    package static func leastPercent(count: Int) -> Double {
        let exact = 50 / Double(count)
        let step = pow(10, (log10(exact)).rounded(.down) - 1)
        return (exact / step).rounded(.up) * step
    }
}

/// A number of samples to keep that was held against the set: ``RequestedSize/resolved(of:)`` makes it, and nothing else.
package struct SelectionSize: Hashable, Sendable {
    /// Samples, at least 1.
    package let count: Int

    fileprivate init(count: Int) { self.count = count }
}
