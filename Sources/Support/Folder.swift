import Foundation

/// Folders of the output.
package enum Folder {
    /// Makes a folder as ``Paths/makeFolder(_:)`` does.
    /// - Throws: ``FileError/cannotCreate(file:reason:)``, or ``FileError/writeFailed(file:reason:)`` where there is
    ///   no room for it.
    package static func make(_ path: String) throws(FileError) {
        switch Paths.makeFolder(path) {
        case nil: return
        case EEXIST?: throw .cannotCreate(file: path, reason: "a file of that name exists")
        case let code?: throw .creating(path, code)
        }
    }
}
