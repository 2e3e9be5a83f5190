import Datasets
import Foundation
import Support

/// Text files of the output that appear whole or not at all.
package enum OutputFile {
    /// Writes `text` in place of what is at `path`.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`; an older file is then unchanged.
    package static func write(_ text: String, to path: String) throws(StudyError) {
        try writing { () throws(FileError) in try AtomicFile.write(Array(text.utf8), to: path) }
        sync(directory: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }

    /// Runs `body`, its write errors turned into a study's, which say that what was finished is kept.
    package static func writing(_ body: () throws(FileError) -> Void) throws(StudyError) {
        do {
            try body()
        } catch .cannotCreate(let file, let reason) {
            throw .cannotCreate(path: file, reason: reason)
        } catch .writeFailed(let file, let reason) {
            throw .writeFailed(path: file, reason: reason)
        } catch {
            throw .data(.file(error))
        }
    }

    /// Runs `body`, its errors of files as ``writing(_:)-(()throws(FileError)->Void)`` has them.
    package static func writing(_ body: () throws(DatasetError) -> Void) throws(StudyError) {
        var failure: FileError?
        do {
            try body()
        } catch .file(let error) {
            failure = error
        } catch {
            throw .data(error)
        }
        if let failure { try writing { () throws(FileError) in throw failure } }
    }

    /// Puts the names in a directory on the disk. Files that were synced are on it already, but not where they are.
    static func sync(directory: String) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        // Some file systems sync no directories; they keep names in their own ways.
        fsync(descriptor)
        close(descriptor)
    }

    /// Makes a directory, and those above it.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    package static func makeDirectory(_ path: String) throws(StudyError) {
        try writing { () throws(FileError) in try Folder.make(path) }
        sync(directory: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }
}
