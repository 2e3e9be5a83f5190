import Foundation

/// Committed files that other programs made.
package enum Fixtures {
    /// The path of a file in Tests/Fixtures.
    package static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/" + name).path
    }
}
