import Foundation

/// Files that appear whole or not at all.
public enum AtomicFile {
    /// Writes `parts` one after the other to a temporary file beside `path`, syncs it, and renames it into place.
    ///
    /// A link is followed and stays a link. What is there and is no regular file (a device, a pipe) is written to
    /// directly, since a rename would replace it.
    /// - Throws: ``DatasetError/cannotCreate(file:reason:)``, or ``DatasetError/writeFailed(file:reason:)``, after which
    ///   an older file at `path` is unchanged and no temporary file is left.
    public static func write(_ parts: [UnsafeRawBufferPointer], to path: String) throws(DatasetError) {
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists, status.st_mode & S_IFMT == S_IFDIR {
            throw .cannotCreate(file: path, reason: "it is a directory")
        }
        if exists, status.st_mode & S_IFMT != S_IFREG {
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .cannotCreate(file: path, reason: systemMessage()) }
            defer { close(descriptor) }
            for part in parts { try writeAll(part, to: descriptor, path: path) }
            return
        }
        let target = exists ? resolved(path) : path
        let temporary = "\(target).\(getpid())-\(UInt32.random(in: .min ... .max)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .cannotCreate(file: path, reason: systemMessage()) }
        do throws(DatasetError) {
            do throws(DatasetError) {
                for part in parts { try writeAll(part, to: descriptor, path: path) }
                guard fsync(descriptor) == 0 else { throw .writeFailed(file: path, reason: systemMessage()) }
            } catch {
                close(descriptor)
                throw error
            }
            guard close(descriptor) == 0, rename(temporary, target) == 0 else {
                throw .writeFailed(file: path, reason: systemMessage())
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Writes `bytes` as ``write(_:to:)`` writes its parts.
    /// - Throws: the same.
    public static func write(_ bytes: [UInt8], to path: String) throws(DatasetError) {
        var failure: DatasetError?
        bytes.withUnsafeBytes { buffer in
            do throws(DatasetError) { try write([buffer], to: path) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Tells whether ``write(_:to:)`` has a chance, so that nobody works for hours for a file that cannot be made.
    /// Creates nothing.
    /// - Throws: ``DatasetError/cannotCreate(file:reason:)``.
    public static func checkCanWrite(_ path: String) throws(DatasetError) {
        var status = stat()
        let isThere = stat(path, &status) == 0
        if isThere, status.st_mode & S_IFMT == S_IFDIR {
            throw .cannotCreate(file: path, reason: "it is a directory")
        }
        if isThere, status.st_mode & S_IFMT != S_IFREG {
            guard access(path, W_OK) == 0 else { throw .cannotCreate(file: path, reason: systemMessage()) }
            return
        }
        let target = isThere ? resolved(path) : path
        let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
        guard access(folder, W_OK | X_OK) == 0 else { throw .cannotCreate(file: path, reason: systemMessage()) }
    }

    /// Writes all of `bytes` to an open file; `path` is for the error.
    /// - Throws: ``DatasetError/writeFailed(file:reason:)``.
    static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(DatasetError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .writeFailed(file: path, reason: systemMessage()) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private static func resolved(_ path: String) -> String {
        guard let pointer = realpath(path, nil) else { return path }
        defer { free(pointer) }
        return String(cString: pointer)
    }
}
