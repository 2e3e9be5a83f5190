import Datasets
import Foundation

/// Text files of the output that appear whole or not at all.
public enum OutputFile {
    /// Writes `text` in place of what is at `path`.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`; an older file is then unchanged.
    public static func write(_ text: String, to path: String) throws(StudyError) {
        try writing { () throws(DatasetError) in try AtomicFile.write(Array(text.utf8), to: path) }
        sync(directory: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }

    /// Runs `body`, its write errors turned into a study's. A file that a full disk has no room to begin is a failed
    /// write.
    static func writing(_ body: () throws(DatasetError) -> Void) throws(StudyError) {
        do {
            try body()
        } catch .cannotCreate(let file, let reason) {
            throw reason == systemMessage(ENOSPC)
                ? .writeFailed(path: file, reason: reason) : .cannotCreate(path: file, reason: reason)
        } catch .writeFailed(let file, let reason) {
            throw .writeFailed(path: file, reason: reason)
        } catch {
            throw .data(error)
        }
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
    static func makeDirectory(_ path: String) throws(StudyError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            guard let underlying, underlying.domain == NSPOSIXErrorDomain else {
                throw .cannotCreate(path: path, reason: error.localizedDescription)
            }
            throw .creating(path, Int32(underlying.code))
        }
        sync(directory: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }
}
