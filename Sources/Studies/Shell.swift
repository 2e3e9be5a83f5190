/// Words of a POSIX shell.
package enum Shell {
    /// `word` as a shell reads it back: in single quotes where it holds anything but letters, digits and what no shell
    /// gives a meaning.
    package static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII
                    && (scalar.properties.isAlphabetic || "0123456789_-./:,+@%".unicodeScalars.contains(scalar))
            }
        guard !isPlain else { return word }
        // By scalars: a quote and the accent that follows it are one character, and the shell sees the quote.
        return word.unicodeScalars.reduce("'") { $0 + ($1 == "'" ? "'\\''" : String($1)) } + "'"
    }

    /// A command line of `words`.
    package static func command(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    /// The words of a command line that ``command(_:)`` wrote; nil if a quote stays open or it
    /// ends in a backslash.
    package static func words(_ command: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        var isEscaped = false
        for scalar in command.unicodeScalars {
            if isEscaped {
                word = (word ?? "") + String(scalar)
                isEscaped = false
            } else if scalar == "'" {
                word = word ?? ""
                isQuoted.toggle()
            } else if isQuoted {
                word = (word ?? "") + String(scalar)
            } else if scalar == "\\" {
                isEscaped = true
            } else if scalar == " " {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(scalar)
            }
        }
        guard !isQuoted, !isEscaped else { return nil }
        return words + (word.map { [$0] } ?? [])
    }
}
