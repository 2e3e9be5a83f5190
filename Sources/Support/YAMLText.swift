/// Scalars of YAML.
package enum YAMLText {
    /// What YAML 1.1 takes for a boolean or for nothing.
    private static let otherThanText: Set<String> = ["y", "n", "yes", "no", "true", "false", "on", "off", "null"]

    /// Whether every reader takes `name` for text without quotes: "null", "no" and "1e5" would be something else.
    package static func isPlain(_ name: String) -> Bool {
        name.wholeMatch(of: /[A-Za-z][A-Za-z0-9._-]*/) != nil && !otherThanText.contains(name.lowercased())
    }
}
