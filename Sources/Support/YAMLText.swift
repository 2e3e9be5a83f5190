/// YAML scalars.
package enum YAMLText {
    /// The words that YAML 1.1 reads as booleans or null.
    private static let otherThanText: Set<String> = ["y", "n", "yes", "no", "true", "false", "on", "off", "null"]

    /// True if every YAML reader takes `name` as text without quotes, unlike "null", "no" and "1e5".
    package static func isPlain(_ name: String) -> Bool {
        name.wholeMatch(of: /[A-Za-z][A-Za-z0-9._-]*/) != nil && !otherThanText.contains(name.lowercased())
    }
}
