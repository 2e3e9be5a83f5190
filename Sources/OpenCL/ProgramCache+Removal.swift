import Foundation

extension ProgramCache {
    /// Removes what is kept under `key`, and says whether there was anything.
    package func remove(_ key: Key) -> Bool {
        (try? FileManager.default.removeItem(at: directory.appendingPathComponent(key.fileName))) != nil
    }
}
