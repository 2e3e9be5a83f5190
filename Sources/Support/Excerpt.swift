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
