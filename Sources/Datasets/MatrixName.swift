/// The parts of what a user names a matrix by, told apart as ``Features/open(_:)`` tells them.
package enum MatrixName: Equatable, Sendable {
    /// A file that is one matrix.
    case file
    /// An array of a file of NumPy's: FILE.npz:NAME.
    case array(file: String, name: String)
    /// A tensor of a file: FILE.safetensors:NAME.
    case tensor(file: String, name: String)
    /// The .npy files in a folder.
    case folder
    /// The files of a pattern of the shell.
    case pattern

    /// The parts of `path`.
    package init(_ path: String) {
        if let name = ArrayName(path, ending: ".npz") {
            self = .array(file: name.file, name: name.array)
        } else if let name = ArrayName(path, ending: ".safetensors") {
            self = .tensor(file: name.file, name: name.array)
        } else if let kind = NumPyShards.kind(of: path) {
            self = kind == .folder ? .folder : .pattern
        } else {
            self = .file
        }
    }
}
