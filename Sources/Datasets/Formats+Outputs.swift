import Foundation
import Support

extension Formats {
    /// Whether a file would be one of those that a matrix is read from, if it were there.
    /// - Parameters:
    ///   - path: the matrix, as a user names it.
    ///   - file: a file that need not be there.
    package static func matrix(_ path: String, takes file: String) -> Bool {
        guard let shards = matrices.first(where: { $0.recognises(path) }) as? NumPyShards else { return false }
        return shards.takes(file, from: path)
    }

    /// Whether a file would be taken for an image of a folder of class folders, if it were there.
    /// - Parameters:
    ///   - directory: the folder; others take nothing.
    ///   - file: a file that need not be there, nor the folders above it.
    package static func imageFolder(_ directory: String, takes file: String) -> Bool {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory.boolValue,
            let root = realParts(of: directory), let parts = realParts(of: file), parts.starts(with: root)
        else { return false }
        let below = parts.dropFirst(root.count)
        // Hidden files and folders are left out.
        guard below.count > 1, !below.contains(where: { $0.hasPrefix(".") }),
            ImageFolderListing.isRecognised(directory)
        else { return false }
        guard ImageFolderListing.isDivided(directory) else { return true }
        let first = below.first ?? ""
        return below.count > 2 && (["train"] + ImageFolderListing.testNames).contains(first)
    }

    /// The names that a path leads through from the root, links resolved as far as something is there.
    static func realParts(of path: String) -> [String]? {
        var existing = path
        var names: [String] = []
        while true {
            if let resolved = realpath(existing, nil) {
                defer { free(resolved) }
                return String(cString: resolved).split(separator: "/").map(String.init) + names.reversed()
            }
            guard errno == ENOENT, let name = existing.split(separator: "/").last, name != "..",
                Paths.folder(of: existing) != existing
            else { return nil }
            while existing.count > 1, existing.hasSuffix("/") { existing.removeLast() }
            names.append(String(name))
            existing = Paths.folder(of: existing)
        }
    }
}

extension NumPyShards {
    /// Whether a file that need not be there would be among the files of `path`.
    func takes(_ file: String, from path: String) -> Bool {
        guard let parts = Formats.realParts(of: file), let name = parts.last, !name.hasPrefix(".") else { return false }
        func isInside(_ folder: String) -> Bool {
            Formats.realParts(of: folder).map { $0 == parts.dropLast() } ?? false
        }
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) {
            return isDirectory.boolValue && name.hasSuffix(".npy") && isInside(path)
        }
        let pattern = path.split(separator: "/").last.map(String.init) ?? ""
        guard fnmatch(pattern, name, FNM_PERIOD) == 0 else { return false }
        let folder = Paths.folder(of: path)
        return folder.contains { "*?[".contains($0) } ? matches(folder).contains(where: isInside) : isInside(folder)
    }
}
