import Foundation

/// A folder that is filled beside its place, and takes it once it is complete. One that never does goes away with its last
/// reference.
package final class StagedFolder {
    /// The place that it takes, as errors name it.
    package let path: String
    /// Where it is filled.
    package let temporary: String
    private let target: String
    private var isInPlace = false

    /// Makes a temporary folder beside `path`, and the folders above it where they are missing.
    /// - Throws: what ``check(_:)`` throws; ``FileError/writeFailed(file:reason:)`` where there is no room.
    package init(_ path: String) throws(FileError) {
        self.path = path
        target = try Self.check(path)
        temporary = AtomicFile.temporaryName(for: target)
        try Folder.make(Paths.folder(of: target))
        guard mkdir(temporary, 0o777) == 0 else {
            isInPlace = true
            throw .creating(path)
        }
    }

    deinit {
        if !isInPlace { try? FileManager.default.removeItem(atPath: temporary) }
    }

    /// Puts the folder in its place.
    /// - Throws: ``FileError/cannotCreate(file:reason:)`` where something has come to be there meanwhile.
    package func commit() throws(FileError) {
        guard rename(temporary, target) == 0 else { throw .cannotCreate(file: path, reason: systemMessage()) }
        isInPlace = true
    }

    /// Tells whether a folder can take the place `path`: nothing is there, or an empty folder. Makes nothing.
    /// - Returns: the place without links and without slashes at its end.
    /// - Throws: ``FileError/cannotCreate(file:reason:)``.
    @discardableResult package static func check(_ path: String) throws(FileError) -> String {
        var bare = path[...]
        while bare.count > 1, bare.hasSuffix("/") { bare.removeLast() }
        var target = try AtomicFile.destination(of: String(bare))
        var status = stat()
        if stat(target, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw .cannotCreate(file: path, reason: "a file of that name exists")
            }
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: target) else {
                throw .cannotCreate(file: path, reason: "the folder that is there cannot be read")
            }
            guard names.isEmpty else {
                throw .cannotCreate(file: path, reason: "it exists and is not empty; a new or empty folder is needed")
            }
            // `.` and names that end with `..` have no place beside them under this name.
            if let real = realpath(target, nil) {
                target = String(cString: real)
                free(real)
            }
        }
        var parent = Paths.folder(of: target)
        while stat(parent, &status) != 0, errno == ENOENT, Paths.folder(of: parent) != parent {
            parent = Paths.folder(of: parent)
        }
        guard stat(parent, &status) == 0 else { throw .cannotCreate(file: path, reason: systemMessage()) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .cannotCreate(file: path, reason: systemMessage(ENOTDIR))
        }
        guard access(parent, W_OK | X_OK) == 0 else { throw .cannotCreate(file: path, reason: systemMessage()) }
        return target
    }
}
