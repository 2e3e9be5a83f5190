import Studies

/// Numbers and lists as a report's sentences have them.
package enum Wording {
    /// "1 run", "2 runs".
    static func counted(_ count: Int, _ thing: String) -> String {
        "\(Number.grouped(Double(count))) \(thing)\(count == 1 ? "" : "s")"
    }

    /// "a", "a and b", "a, b and c".
    static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }

    /// The first words of a list and how many more there are.
    static func list(_ words: [String], atMost count: Int) -> String {
        words.count <= count ? list(words) : list(words.prefix(count) + ["\(words.count - count) more"])
    }

    /// The first of many lines and a line that says how many more there are.
    package static func bounded(_ lines: [String], atMost count: Int = 10) -> [String] {
        lines.count <= count ? lines : lines.prefix(count) + ["\(grouped(lines.count - count)) more lines like these"]
    }

    private static func grouped(_ count: Int) -> String { Number.grouped(Double(count)) }

    /// A difference in points with its sign; the minus is the typographic one.
    static func signed(_ value: Double, _ decimals: Int = 2) -> String {
        let text = Number.fixed(value.magnitude, decimals)
        let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
        return (isZero ? "" : value < 0 ? "\u{2212}" : "+") + text
    }

    /// Ends of an interval of differences.
    static func signed(_ interval: Interval) -> String { "\(signed(interval.low)) to \(signed(interval.high))" }

    /// A probability to three significant digits.
    static func probability(_ p: Double) -> String {
        guard p >= 0.001 else { return "< 0.001" }
        var scale = 1000.0
        while p * scale < 100 { scale *= 10 }
        return Number.exact((p * scale).rounded() / scale)
    }

    /// A number of images.
    static func size(_ value: Double) -> String { Number.grouped(value) }

    /// Seconds to about three digits.
    static func seconds(_ value: Double) -> String {
        Number.fixed(value, value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0)
    }

    /// A sentence's first letter made large.
    static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    /// A name for a file or an id: small letters, digits and hyphens.
    static func slug(_ text: String) -> String {
        var slug = ""
        for character in text.lowercased() {
            if character.isASCII, character.isLetter || character.isNumber {
                slug.append(character)
            } else if !slug.isEmpty, slug.last != "-" {
                slug.append("-")
            }
        }
        if slug.last == "-" { slug.removeLast() }
        return slug
    }

    /// Text as it may stand in HTML, in an attribute too.
    static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { [38, 60, 62, 34, 39].contains($0) }) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// The name of a method as tables and legends have it.
    /// - Parameter needsWholeSet: whether its runs train on more samples than they keep.
    static func method(_ name: String, needsWholeSet: Bool) -> String {
        needsWholeSet ? "\(name) (needs the whole set)" : name
    }
}
