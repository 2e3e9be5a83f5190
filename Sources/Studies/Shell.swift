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
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
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
        for character in command {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "'" {
                word = word ?? ""
                isQuoted.toggle()
            } else if isQuoted {
                word = (word ?? "") + String(character)
            } else if character == "\\" {
                isEscaped = true
            } else if character == " " {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard !isQuoted, !isEscaped else { return nil }
        return words + (word.map { [$0] } ?? [])
    }
}
