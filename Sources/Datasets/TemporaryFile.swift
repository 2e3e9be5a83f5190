import Foundation
import Support

/// A file that is written once, has no name, and goes away when it is closed.
final class TemporaryFile {
    private var descriptor: Int32
    private let folder: String

    init() throws(DatasetError) {
        folder = FileManager.default.temporaryDirectory.path
        var name = Array("\(folder)/coppice-XXXXXX".utf8CString)
        descriptor = mkstemp(&name)
        guard descriptor >= 0 else { throw .file(.creating("\(folder)/coppice-XXXXXX")) }
        unlink(name)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func append(_ bytes: UnsafeRawBufferPointer) throws(DatasetError) {
        try inFiles { () throws(FileError) in
            try AtomicFile.writeAll(bytes, to: descriptor, path: "\(folder): a temporary file")
        }
    }

    /// Gives the descriptor away.
    func release() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }
}
