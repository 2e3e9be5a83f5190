import Datasets
import Foundation
import Support

/// A file that an option of a command names.
struct NamedFile {
    /// What the option names.
    enum Kind {
        /// A file, or the folder of a data set.
        case file
        /// A folder that is written, whose files are so many levels down.
        case folder(levels: Int)
        /// Rows that are read: a file, a folder of files, or a pattern of their names.
        case matrix
    }

    var option: String
    var path: String
    var kind: Kind

    /// Nil where the option was not given.
    init?(_ option: String, _ path: String?, kind: Kind = .file) {
        guard let path else { return nil }
        self.option = option
        self.path = path
        self.kind = kind
    }

    /// The files of matrices, and the folders and patterns that name them.
    static func matrices(_ option: String, _ paths: [String]) -> [NamedFile?] {
        paths.flatMap { Formats.files(ofMatrix: $0) }.map { NamedFile(option, $0) }
            + paths.map { NamedFile(option, $0, kind: .matrix) }
    }

    /// The same for two names of one file, whichever links lead to it, whether or not it is there.
    fileprivate var identity: String {
        if let resolved = Self.resolve(path) { return resolved }
        // A link may point to what is not there yet.
        let path = Paths.destination(of: path) ?? path
        // NSString's own functions for this trap on a path of one letter.
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        return (Self.resolve(parent) ?? parent) + "/" + name
    }

    /// Whether reading this once more would take an output, once it is there, for data.
    fileprivate func wouldRead(_ output: NamedFile) -> Bool {
        if case .matrix = kind { return Formats.matrix(path, takes: output.path) }
        guard case .folder(let levels) = output.kind else { return Formats.imageFolder(path, takes: output.path) }
        // The names of what is in the folder are of no account.
        let file = ([output.path] + [String](repeating: "x", count: levels)).joined(separator: "/")
        return Formats.imageFolder(path, takes: file)
    }

    fileprivate var isFolder: Bool { if case .folder = kind { true } else { false } }

    /// Whether it is what standard output goes to, by whatever name; the null device takes anything.
    fileprivate var isStandardOutput: Bool {
        var (file, output, null) = (stat(), stat(), stat())
        guard stat(path, &file) == 0, fstat(STDOUT_FILENO, &output) == 0 else { return false }
        func isSame(_ a: stat, _ b: stat) -> Bool { a.st_dev == b.st_dev && a.st_ino == b.st_ino }
        return isSame(file, output) && !(stat("/dev/null", &null) == 0 && isSame(file, null))
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Refuses an output that would take the place of what the command reads, or of another output, that would be mixed with what
/// the command prints, or that lies where the next command would read it as data.
/// - Throws: ``Failure`` with the two options, or with one that is empty.
func checkOutputs(_ outputs: [NamedFile?], against inputs: [NamedFile?]) throws {
    if let unnamed = (outputs + inputs).compactMap({ $0 }).first(where: \.path.isEmpty) {
        throw Failure(
            "\(unnamed.option) is empty; \(unnamed.isFolder ? "a folder's" : "a file's") name is needed", exitCode: 64)
    }
    var taken = inputs.compactMap { $0 }.map { (file: $0, isInput: true) }
    for output in outputs.compactMap({ $0 }) {
        let identity = output.identity
        // Devices take any number of writers.
        if let other = taken.first(where: { $0.file.identity == identity }), !identity.hasPrefix("/dev/") {
            let purpose = other.isInput ? "which is read" : "which is written too"
            throw Failure(
                "\(output.option) \(output.path) is the file of \(other.file.option), \(purpose); name another output",
                exitCode: 64)
        }
        if output.isStandardOutput {
            throw Failure(
                "\(output.option) \(output.path) is standard output, which has the summary; name a file",
                exitCode: 64)
        }
        taken.append((output, false))
    }
    for output in outputs.compactMap({ $0 }) where !isDevice(output.path) {
        if let input = inputs.compactMap({ $0 }).first(where: { $0.wouldRead(output) }) {
            throw Failure(
                "\(output.option) \(output.path) would be read as a part of \(input.option), \(input.path), the next time; "
                    + "name a place outside of it", exitCode: 64)
        }
    }
}
