import Foundation

/// A file that an option of a command names.
struct NamedFile {
    var option: String
    var path: String

    /// Nil where the option was not given.
    init?(_ option: String, _ path: String?) {
        guard let path else { return nil }
        self.option = option
        self.path = path
    }

    /// The same for two names of one file, whichever links lead to it, whether or not it is there.
    fileprivate var identity: String {
        if let resolved = Self.resolve(path) { return resolved }
        // NSString's own functions for this trap on a path of one letter.
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        return (Self.resolve(parent) ?? parent) + "/" + name
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Refuses an output that would take the place of what the command reads, or of another output.
/// - Throws: ``Failure`` with the two options.
func checkOutputs(_ outputs: [NamedFile?], against inputs: [NamedFile?]) throws {
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
        taken.append((output, false))
    }
}
