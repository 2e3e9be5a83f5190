import Foundation

/// Files that appear whole or not at all.
package enum AtomicFile {
    /// Writes `parts` one after the other to a temporary file beside `path`, syncs it, and renames it into place.
    ///
    /// A link is followed and stays a link, even one to a file that is not there yet. What is there and is no regular
    /// file (a device, a pipe) is written to directly, since a rename would replace it.
    /// - Throws: ``FileError/cannotCreate(file:reason:)``, or ``FileError/writeFailed(file:reason:)``, after which
    ///   an older file at `path` is unchanged and no temporary file is left.
    package static func write(_ parts: [UnsafeRawBufferPointer], to path: String) throws(FileError) {
        let file = try StagedFile(path)
        for part in parts { try file.write(part) }
        try file.commit()
    }

    /// Writes the pieces that `next` returns until it returns nil, one after the other, as ``write(_:to:)`` writes its
    /// parts: for what is too long to be in memory at once.
    /// - Throws: the same.
    package static func write(to path: String, pieces next: () -> [UInt8]?) throws(FileError) {
        let file = try StagedFile(path)
        while let piece = next() {
            let outcome = piece.withUnsafeBytes { bytes in
                Result { () throws(FileError) in try file.write(bytes) }
            }
            try outcome.get()
        }
        try file.commit()
    }

    /// Writes `header` and then `elements`, as they lie in memory, as ``write(_:to:)`` writes its parts.
    /// - Throws: the same.
    package static func write<Element: BitwiseCopyable>(
        header: [UInt8], elements: [Element], to path: String
    ) throws(FileError) {
        let outcome = header.withUnsafeBytes { header in
            elements.withUnsafeBytes { elements in
                Result { () throws(FileError) in try write([header, elements], to: path) }
            }
        }
        try outcome.get()
    }

    /// Writes `bytes` as ``write(_:to:)`` writes its parts.
    /// - Throws: the same.
    package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        try write(header: [], elements: bytes, to: path)
    }

    /// Tells whether ``write(_:to:)`` has a chance, so that nobody works for hours for a file that cannot be made.
    /// Creates nothing.
    /// - Throws: ``FileError/cannotCreate(file:reason:)``.
    package static func checkCanWrite(_ path: String) throws(FileError) {
        if try isSpecial(path) {
            guard access(path, W_OK) == 0 else { throw .cannotCreate(file: path, reason: systemMessage()) }
            return
        }
        let folder = Paths.folder(of: try destination(of: path))
        guard access(folder, W_OK | X_OK) == 0 else { throw .cannotCreate(file: path, reason: systemMessage()) }
    }

    /// Renames a complete file to `path`, replacing any file there. As with ``write(_:to:)``, a link stays a link, and a
    /// device or pipe receives the contents.
    /// - Throws: as ``write(_:to:)``, and ``FileError/unreadable(file:reason:)``.
    package static func move(_ file: String, to path: String) throws(FileError) {
        if try !isSpecial(path) {
            if rename(file, try destination(of: path)) == 0 { return }
            // A link may lead to another file system.
            guard errno == EXDEV else { throw .writeFailed(file: path, reason: systemMessage()) }
        }
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw .unreadable(file: file, reason: "it is gone")
        }
        try write([UInt8](bytes), to: path)
        unlink(file)
    }

    /// Where a file named `path` is, or will be, at the end of all links.
    /// - Throws: ``FileError/cannotCreate(file:reason:)`` for links that lead in a circle.
    static func destination(of path: String) throws(FileError) -> String {
        guard let target = Paths.destination(of: path) else {
            throw .cannotCreate(file: path, reason: systemMessage(ELOOP))
        }
        return target
    }

    /// Whether `path` is something that a rename must not replace: a device, a pipe.
    /// - Throws: ``FileError/cannotCreate(file:reason:)`` for a directory.
    static func isSpecial(_ path: String) throws(FileError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        if status.st_mode & S_IFMT == S_IFDIR { throw .cannotCreate(file: path, reason: "it is a directory") }
        return status.st_mode & S_IFMT != S_IFREG
    }

    /// A name beside `target` that nothing has. A name that leaves no room for more letters is cut.
    static func temporaryName(for target: String) -> String {
        let name = target.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        let tail = ".\(getpid())-\(UInt32.random(in: .min ... .max)).tmp"
        var head = name
        while head.utf8.count + tail.utf8.count > Int(NAME_MAX), !head.isEmpty { head.removeLast() }
        return "\(Paths.folder(of: target))/\(head)\(tail)"
    }

    /// The final name of a temporary file; nil for a name that ``temporaryName(for:)`` does not produce.
    package static func target(ofTemporary name: String) -> String? {
        name.wholeMatch(of: /(.+)\.[0-9]+-[0-9]+\.tmp/).map { String($0.output.1) }
    }

    /// Writes all of `bytes` to an open file; `path` is for the error.
    /// - Throws: ``FileError/writeFailed(file:reason:)``.
    package static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(FileError)
    {
        var rest = bytes
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .writeFailed(file: path, reason: systemMessage()) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
