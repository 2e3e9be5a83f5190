import Foundation
import Support

/// Temporary files of a session that was killed while it wrote them.
enum UnfinishedFiles {
    /// The directory's own files that only the holder of its lock writes.
    private static let files: Set<String> = ["study.yaml", "environment.json", "runs.jsonl", "runs.rejected.jsonl"]
    /// `coppice report` writes these too, without a lock; a minute is longer than that takes.
    private static let tables: Set<String> = ["results.csv", "summary.csv"]
    private static let longestWriting = 60.0
    private static var folders: [String] { ["selections", "tuning"] + ArtifactKey.kinds.map { $0.folder } }

    /// Removes them from a directory that no other process is using. Files that cannot be removed stay.
    static func remove(in directory: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
            guard let target = AtomicFile.target(ofTemporary: name) else { continue }
            let path = "\(directory)/\(name)"
            if files.contains(target) || tables.contains(target) && age(of: path) > longestWriting { unlink(path) }
        }
        for folder in folders {
            guard let names = FileManager.default.enumerator(atPath: "\(directory)/\(folder)") else { continue }
            for case let name as String in names
            where AtomicFile.target(ofTemporary: URL(fileURLWithPath: name).lastPathComponent) != nil {
                unlink("\(directory)/\(folder)/\(name)")
            }
        }
    }

    /// The seconds since a file was last written; 0 if it does not exist.
    private static func age(of path: String) -> Double {
        var status = stat()
        guard stat(path, &status) == 0 else { return 0 }
        return Date().timeIntervalSince1970 - Double(status.st_mtim.tv_sec)
    }
}
