import Foundation
import Support

/// Where the images are that ids name: the ids are paths or, in JSONL, have a field `path`.
package struct ImagePaths: Sendable {
    /// What names the images.
    package let ids: SampleIDs
    /// Where relative paths start from, absolute.
    package let root: String

    /// Images that are named.
    /// - Parameter folder: where relative paths start from; where nil, the folder of the file of lines, or the data set's.
    /// - Throws: ``DatasetError/file(_:)`` where that folder is not there.
    package init(_ ids: SampleIDs, from folder: String? = nil) throws(DatasetError) {
        self.ids = ids
        let start =
            switch ids {
            case .lines(let lines): folder ?? Paths.folder(of: lines.path)
            case .paths(let files): files.directory
            }
        guard let resolved = realpath(start, nil) else {
            throw .file(.unreadable(file: start, reason: systemMessage()))
        }
        defer { free(resolved) }
        root = String(cString: resolved)
    }

    /// The bytes of the name of a sample's class; nil where it is that of the folder that the image is in.
    package func folder(_ index: Int) -> [UInt8]? {
        if case .paths(let files) = ids { files.classes[index] } else { nil }
    }

    /// The absolute path of the image of a sample.
    /// - Throws: ``DatasetError`` of reading the line; `.malformed`, which names it, where it has no path.
    package func path(_ index: Int) throws(DatasetError) -> [UInt8] {
        var path = try ids.id(index)
        guard case .lines(let lines) = ids else { return ImageLinks.absolute(path, from: root) }
        if lines.isJSON {
            let field: JSONField?
            do throws(Sentence) {
                field = try path.withUnsafeBytes { text in
                    Result { () throws(Sentence) in try JSONField.named("path", in: text) }
                }.get()
            } catch {
                throw lines.malformed(line: index, error.description)
            }
            switch field {
            case .string(let bytes): path = bytes
            case nil: throw lines.malformed(line: index, "it has no field \"path\", which names the image")
            case .some(let other):
                throw lines.malformed(line: index, "\"path\" is \(other.kind); a string is needed")
            }
        }
        if path.isEmpty { throw lines.malformed(line: index, "the path is empty") }
        return ImageLinks.absolute(path, from: root)
    }
}
