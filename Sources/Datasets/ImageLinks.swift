import Foundation
import Support

/// Symbolic links to files, in a folder for each class, which is as a rule the name of the folder that a file is in.
///
/// Paths are bytes, as the system has them: not all are UTF-8. Where two files of one class have the same name, the later
/// ones get a number before their ending: `0001.jpg`, `0001-2.jpg`.
package struct ImageLinks: Sendable {
    /// One link.
    package struct Link: Equatable, Sendable {
        /// The class.
        package let folder: [UInt8]
        /// The link's own name.
        package let name: [UInt8]
        /// The absolute path of the file.
        package let target: [UInt8]
    }

    /// The links, in the order of their files.
    package let links: [Link]

    /// Links to files.
    /// - Parameters:
    ///   - targets: absolute paths, each of which ends with a name.
    ///   - classes: the class of each; where nil, the name of the folder that it is in.
    package init(to targets: [[UInt8]], of classes: [[UInt8]]? = nil) {
        var taken: [[UInt8]: Set<[UInt8]>] = [:]
        // The numbers of a name go on where they ended: many files may share one.
        var numbers: [[UInt8]: Int] = [:]
        links = targets.enumerated().map { index, target in
            var (folder, name) = Self.place(of: target)
            if let classes { folder = classes[index] }
            var own = name
            var number = numbers[folder + [slash] + name] ?? 1
            while !taken[folder, default: []].insert(own).inserted {
                number += 1
                own = Self.numbered(name, number)
            }
            numbers[folder + [slash] + name] = number
            return Link(folder: folder, name: own, target: target)
        }
    }

    /// How many classes there are.
    package var folderCount: Int { Set(links.map(\.folder)).count }

    /// Makes the folders and links in a folder that is there.
    /// - Throws: ``FileError`` that names the link.
    package func make(in directory: String) throws(FileError) {
        let root = FileName(directory)
        for folder in Set(links.map(\.folder)) {
            let path = root / FileName(folder)
            guard path.withCString({ mkdir($0, 0o777) }) == 0 else { throw .creating(path.shown) }
        }
        for link in links {
            let path = root / FileName(link.folder) / FileName(link.name)
            let result = FileName(link.target).withCString { target in path.withCString { symlink(target, $0) } }
            guard result == 0 else { throw .creating(path.shown) }
        }
    }

    /// Why `path` is no file that a link can lead to; nil where it is one.
    package static func fault(of path: [UInt8]) -> String? {
        if path.contains(0) { return "it has a byte of value 0" }
        guard let status = FileStatus(FileName(path)) else { return systemMessage() }
        return status.isFolder ? "it is a directory" : nil
    }

    /// `path` as it is from `folder` on, which is absolute.
    package static func absolute(_ path: [UInt8], from folder: String) -> [UInt8] {
        path.first == slash ? path : Array(folder.utf8) + (folder.hasSuffix("/") ? [] : [slash]) + path
    }

    /// The name of the folder that a file is in, and its own.
    private static func place(of target: [UInt8]) -> (folder: [UInt8], name: [UInt8]) {
        let parts = target.split(separator: slash)
        let name = parts.last.map(Array.init) ?? []
        let parent = parts.dropLast().last { $0 != [dot] }.map(Array.init) ?? []
        if !parent.isEmpty, parent != [dot, dot] { return (parent, name) }
        // The system knows what `..` leads to.
        let folder = Array(target.prefix(target.lastIndex(of: slash) ?? 0)) + [slash]
        var real: [UInt8] = []
        if let resolved = FileName(folder).withCString({ realpath($0, nil) }) {
            let bytes = UnsafeRawBufferPointer(start: resolved, count: strlen(resolved))
            real = bytes.split(separator: slash).last.map(Array.init) ?? []
            free(resolved)
        }
        return (real.isEmpty ? Array("files".utf8) : real, name)
    }

    private static func numbered(_ name: [UInt8], _ number: Int) -> [UInt8] {
        let suffix = Array("-\(number)".utf8)
        guard let end = name.lastIndex(of: dot), end > 0 else { return name + suffix }
        return name[..<end] + suffix + name[end...]
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")
