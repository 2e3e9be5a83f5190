import Foundation
import Support

/// The names in a folder, in no order, without `.` and `..`.
struct FolderEntries {
    let names: [FileName]

    /// - Throws: ``DatasetError/file(_:)`` for a folder that cannot be listed.
    init(_ folder: FileName) throws(DatasetError) {
        guard let stream = folder.withCString({ opendir($0) }) else {
            throw .file(.unreadable(file: folder.shown, reason: systemMessage()))
        }
        defer { closedir(stream) }
        var names: [FileName] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            // The name goes on for as long as it is, which a copy of the structure would not.
            let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 0
            let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
            let bytes = UnsafeRawBufferPointer(start: start, count: strlen(start))
            if bytes.elementsEqual(".".utf8) || bytes.elementsEqual("..".utf8) { continue }
            names.append(FileName(Array(bytes)))
        }
        guard errno == 0 else { throw .file(.unreadable(file: folder.shown, reason: systemMessage())) }
        self.names = names
    }
}

/// What the system says of a file, at the end of all links.
struct FileStatus {
    let isFile, isFolder: Bool
    /// Bytes.
    let size: Int
    /// The times of the last change of the contents, and of anything about the file, in nanoseconds since 1970.
    let modified, changed: Int
    private let device: UInt64
    private let number: UInt64

    /// Nil for what is not there; `errno` says why.
    init?(_ path: FileName) {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { return nil }
        self.init(status)
    }

    fileprivate init(_ status: stat) {
        isFile = status.st_mode & S_IFMT == S_IFREG
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        size = Int(status.st_size)
        modified = Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
        changed = Int(status.st_ctim.tv_sec) &* 1_000_000_000 &+ Int(status.st_ctim.tv_nsec)
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
    }

    /// Whether both are the same file, whichever links lead there.
    func isSame(_ other: FileStatus) -> Bool { device == other.device && number == other.number }
}

/// The contents of small files.
enum FileBytes {
    /// Reads the first `count` bytes of a regular file, or all of it where it has fewer.
    static func read(_ path: FileName, upTo count: Int) -> Result<[UInt8], ImageFault> {
        let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { return .failure(.unreadable(systemMessage())) }
        defer { close(descriptor) }
        var failure: ImageFault?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let received = Foundation.read(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled)
                if received < 0, errno == EINTR { continue }
                if received < 0 { failure = .unreadable(systemMessage()) }
                guard received > 0 else { return }
                filled += received
            }
        }
        return failure.map { .failure($0) } ?? .success(bytes)
    }
}
