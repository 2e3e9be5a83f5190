import Foundation

/// A folder that goes away with its last reference.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("coppice-tests-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package var url: URL { URL(fileURLWithPath: path, isDirectory: true) }

    /// A path inside it.
    package static func / (folder: TemporaryFolder, name: String) -> String { "\(folder.path)/\(name)" }

    /// The names of what is in it, sorted.
    package func names(in subfolder: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self / subfolder).sorted()
    }

    /// The path of `name` inside, holding `bytes` where some are given.
    package func file(_ name: String, _ bytes: [UInt8]? = nil) throws -> String {
        let file = URL(fileURLWithPath: self / name)
        if let bytes {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }
        return file.path
    }
}
