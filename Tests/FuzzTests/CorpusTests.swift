import Foundation
import FuzzTargets
import Testing

/// The files in Tests/Fuzz/corpus, and all beginnings of the small ones: what fuzzing holds of every file, held here of
/// these in every test run. A name says what must become of its file: read-… is read, refused-… is not.
@Suite struct CorpusTests {
    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fuzz/corpus")

    @Test(arguments: FuzzTarget.allCases) func everyFileIsReadOrRefusedAsItsNameSays(target: FuzzTarget) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("corpus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.corpus.appendingPathComponent(target.rawValue), includingPropertiesForKeys: nil)
        var read = 0
        for file in files {
            let name = file.lastPathComponent
            let bytes = [UInt8](try Data(contentsOf: file))
            let isRead = try target.accepts(bytes, folder: folder.path)
            #expect(name.hasPrefix(isRead ? "read-" : "refused-"), "\(target.rawValue)/\(name)")
            read += isRead ? 1 : 0
            guard bytes.count < 300 else { continue }
            for length in 0..<bytes.count { _ = try target.accepts(Array(bytes[..<length]), folder: folder.path) }
        }
        #expect(read >= 3 && files.count - read >= 5, "\(read) of \(files.count)")
    }
}
