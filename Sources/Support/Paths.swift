import Foundation

/// Files and folders by name.
package enum Paths {
    /// Where a file named `path` is, or will be once it is made: at the end of all links, which may point to nothing.
    /// Nil for links that lead in a circle.
    package static func destination(of path: String) -> String? {
        var current = path
        // As many as the kernel follows.
        for _ in 0...40 {
            var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            let length = readlink(current, &target, target.count - 1)
            // No link, or not there.
            guard length >= 0 else { return current }
            let text = String(decoding: target.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
            current = text.hasPrefix("/") ? text : "\(folder(of: current))/\(text)"
        }
        return nil
    }

    /// The folder that `path` is in. Its parts are left as they are: `..` after a link is not the folder before it.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes a folder, and those above it, where they are missing. A link to a folder that is missing stays a link, and
    /// the folder is made where it points to.
    /// - Returns: nil, or the code of the call that failed: EEXIST where something else has the name.
    package static func makeFolder(_ path: String) -> Int32? {
        // With a slash at its end a link that points to nothing is no link to the system.
        var bare = path[...]
        while bare.count > 1, bare.hasSuffix("/") { bare.removeLast() }
        let path = String(bare)
        if mkdir(path, 0o777) == 0 { return nil }
        let code = errno
        var status = stat()
        if stat(path, &status) == 0 { return status.st_mode & S_IFMT == S_IFDIR ? nil : EEXIST }
        switch code {
        // Something has the name and yet is not there: a link that points to nothing.
        case EEXIST:
            guard let target = destination(of: path) else { return ELOOP }
            return target == path ? code : makeFolder(target)
        case ENOENT:
            let parent = folder(of: path)
            guard !path.isEmpty, parent != path else { return code }
            if let code = makeFolder(parent) { return code }
            // Another process may have been faster.
            return mkdir(path, 0o777) == 0 || errno == EEXIST ? nil : errno
        default: return code
        }
    }

    /// The path from the root of a file, of a folder, or of files by a pattern of the shell.
    /// - Parameter folder: what it is relative to.
    package static func absolute(_ path: String, from folder: String) -> String {
        if path.hasPrefix("/") { return path }
        let folder = folder == "/" ? "" : folder
        func isSpecial(_ character: Character) -> Bool { "*?[\\".contains(character) }
        let joined = "\(folder)/\(path)"
        guard path.contains(where: isSpecial), !FileManager.default.fileExists(atPath: joined) else { return joined }
        // The folder of a pattern means itself, whatever its name.
        return folder.reduce(into: "") { $0 += isSpecial($1) ? "\\\($1)" : "\($1)" } + "/\(path)"
    }
}
