import Foundation

/// The formats that are read. Each has a file of its own in Formats/, and its line here.
package enum Formats {
    /// Those of data sets: a folder with samples to learn from and samples to test on.
    static let folders: [any FolderFormat] = [
        IDXFolder()
    ]

    /// Those of matrices, a row per sample.
    static let matrices: [any MatrixFormat] = [
        NumPyMatrix(), NPZMatrix(), SafetensorsMatrix(), NumPyShards(),
    ]

    /// What a folder of a data set may be, as part of a sentence.
    static var acceptedFolders: String { folders.map(\.accepted).joined(separator: ", or ") }

    /// Asks each format in turn whether `directory` is its.
    static func look(in directory: String) -> (format: any FolderFormat, contents: FolderContents)? {
        var partial: (any FolderFormat, FolderContents)?
        for format in folders {
            let contents = format.look(in: directory)
            switch contents {
            case .complete: return (format, contents)
            case .lacking: partial = partial ?? (format, contents)
            case .foreign: continue
            }
        }
        return partial
    }

    /// The samples of a matrix; their values stay where they are.
    /// - Throws: ``DatasetError``: `.file`, `.malformed` for what no format recognises, and the faults of the format.
    package static func matrix(_ path: String) throws(DatasetError) -> SampleSet {
        SampleSet(try open(path).values)
    }

    /// Opens a matrix by what a user wrote.
    /// - Throws: the same.
    static func open(_ path: String) throws(DatasetError) -> OpenedMatrix {
        for format in matrices where format.recognises(path) { return try format.open(path) }
        // A file that cannot be read is of no format, and that is what to say of it.
        _ = try OpenFile(path)
        throw .malformed(
            file: path,
            reason: "\(NumPyEntries.refusal); accepted are \(matrices.map(\.accepted).joined(separator: ", "))")
    }

    /// The files that a matrix is read from, as far as they are there.
    package static func files(ofMatrix path: String) -> [String] {
        matrices.first { $0.recognises(path) }?.files(path) ?? [path]
    }
}

/// What a folder is to a format.
enum FolderContents: Equatable {
    /// A data set, with all of its files.
    case complete(files: [String])
    /// A part of a data set, without these files.
    case lacking(files: [String])
    /// Nothing of this format.
    case foreign
}

/// A way in which a data set is laid out in a folder.
protocol FolderFormat: Sendable {
    /// What is accepted, as part of a sentence: "a folder with …".
    var accepted: String { get }

    /// Whether exactly this folder holds a data set of this format.
    func look(in directory: String) -> FolderContents

    /// Reads the files of a folder that was found complete.
    /// - Throws: ``DatasetError``: the files' faults, and `.malformed` where one is known to be of another data set.
    func read(_ location: DatasetLocation) throws(DatasetError) -> (train: SampleSet, test: SampleSet)
}

/// A way in which a matrix is kept.
protocol MatrixFormat: Sendable {
    /// What is accepted, as part of a sentence: "a file of …".
    var accepted: String { get }

    /// Whether what a user wrote names a matrix of this format.
    func recognises(_ path: String) -> Bool

    /// The files that a matrix which was recognised is read from, as far as they are there.
    func files(_ path: String) -> [String]

    /// Opens a matrix that was recognised.
    /// - Throws: ``DatasetError``: the file's faults.
    func open(_ path: String) throws(DatasetError) -> OpenedMatrix
}

/// A matrix whose values stay in its files.
struct OpenedMatrix {
    var values: any StoredValues
    /// What to tell whoever named it: sentences without their full stop.
    var notes: [String] = []
}
