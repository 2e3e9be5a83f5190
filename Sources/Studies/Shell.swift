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
}
