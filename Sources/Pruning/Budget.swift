import Foundation
import Support

/// What samples may cost together, and what each costs: tokens, bytes, seconds.
package struct Budget: Sendable {
    /// The most that the kept samples cost.
    package let limit: Amount
    /// What each sample costs: [count].
    package let costs: [Amount]

    /// A budget for samples of these costs.
    package init(limit: Amount, costs: [Amount]) {
        self.limit = limit
        self.costs = costs
    }

    /// Goes down `ranked` and keeps every sample that still fits; the others are passed over.
    /// - Returns: the kept samples in rank order, and what they cost, which is never above ``limit``.
    package func fill(_ ranked: [Int]) -> (kept: [Int], used: Amount) {
        var used = Amount()
        let kept = ranked.filter { index in
            let cost = costs[index]
            guard cost <= limit - used else { return false }
            used = used + cost
            return true
        }
        return (kept, used)
    }
}

/// A number from 0 up that adds without rounding: sums of decimal fractions are what they are on paper.
///
/// Numbers are exact to 18 digits after the point, and rounded up beyond, so that a sum is never less than what was
/// written. Those above ``most`` are all alike: more than any limit.
package struct Amount: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// In units of 10^-18.
    private let units: Int128

    private static let places = 18
    private static let unit: Int128 = 1_000_000_000_000_000_000
    /// 10^18, the largest number that is told apart from larger ones.
    package static let most = Amount(units: unit * unit)

    private init(units: Int128) { self.units = units }

    /// Nothing.
    package init() { units = 0 }

    /// A number as JSON and people write it; nil for one below 0, and for text that is no number.
    package init?(_ text: String) {
        // Nearly all are small whole numbers. Leading zeros are no number to either reader.
        if text.utf8.count < 19, text.utf8.first != UInt8(ascii: "+"), text.utf8.first != UInt8(ascii: "0"),
            let whole = Int(text), whole >= 0
        {
            units = Int128(whole) * Self.unit
            return
        }
        guard let number = try? DecimalNumber(text) else { return nil }
        guard let units = number.units(of: Self.places) else {
            // Below 0, or beyond.
            guard number.double > 0 else { return nil }
            self.units = Self.most.units + 1
            return
        }
        self.units = min(units, Self.most.units + 1)
    }

    package static func < (left: Amount, right: Amount) -> Bool { left.units < right.units }
    package static func + (left: Amount, right: Amount) -> Amount { Amount(units: left.units + right.units) }
    package static func - (left: Amount, right: Amount) -> Amount { Amount(units: left.units - right.units) }

    /// The number in decimal, without zeros at its end; "more than 10^18" where it is above ``most``.
    package var description: String {
        if self > Self.most { return "more than 10^18" }
        let (whole, rest) = units.quotientAndRemainder(dividingBy: Self.unit)
        if rest == 0 { return "\(whole)" }
        var digits = "\(rest)"
        digits = String(repeating: "0", count: Self.places - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(whole).\(digits)"
    }

    /// The number, exactly.
    package var decimal: Decimal { Decimal(string: description, locale: Locale(identifier: "en_US_POSIX")) ?? .nan }
}
