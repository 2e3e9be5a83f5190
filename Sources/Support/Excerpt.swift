/// Text out of somebody's file as a sentence can show it: on one line, with nothing in it that a terminal obeys, and
/// its beginning only where it is long.
package func excerpt(_ text: String, longest: Int = 60) -> String {
    var shown = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if index == longest { return shown + "…" }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: shown += scalar.escaped(asASCII: true)
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return shown
}

/// A count and its noun, in the plural unless the count is 1: "1 line", "2 lines".
package func describeCount(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
