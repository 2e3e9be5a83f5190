import Foundation

/// The formats that are read. Each has a file of its own in Formats/, and its line here.
package enum Formats {
    /// Those of data sets: a folder with samples to learn from and samples to test on.
    static let folders: [any FolderFormat] = [
        IDXFolder(), CIFARFolder.ten, CIFARFolder.hundred, ImageFolder(),
    ]

    /// Those of matrices, a row per sample.
    static let matrices: [any MatrixFormat] = [
        NumPyMatrix(), NPZMatrix(), SafetensorsMatrix(), NumPyShards(),
    ]

    /// What a folder of a data set may be, as part of a sentence.
    static var acceptedFolders: String { folders.map(\.accepted).joined(separator: ", or ") }

    /// Asks each format in turn whether `directory` is its.
    /// - Parameter name: the data set that is looked for. Formats that a known one is not in are not asked.
    static func look(
        in directory: String, for name: String? = nil
    ) -> (format: any FolderFormat, contents: FolderContents)? {
        let known = name.flatMap(KnownDataset.named)?.name
        var complete: (format: any FolderFormat, contents: FolderContents)?
        var partial: (format: any FolderFormat, contents: FolderContents)?
        for format in folders {
            if let known, !format.knownNames.isEmpty, !format.knownNames.contains(known) { continue }
            let contents = format.look(in: directory, for: name)
            switch contents {
            case .complete:
                guard let first = complete else {
                    complete = (format, contents)
                    continue
                }
                // What lies beside the files of a known layout may be anything, but not another known layout.
                guard !first.format.knownNames.isEmpty, !format.knownNames.isEmpty else { continue }
                return (first.format, .several(names: first.format.knownNames + format.knownNames))
            case .several: partial = (format, contents)
            case .lacking: partial = partial ?? (format, contents)
            case .foreign: continue
            }
        }
        return complete ?? partial
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
    /// Data sets of other names than the one that is looked for, each of which takes one.
    case several(names: [String])
    /// Nothing of this format.
    case foreign
}

/// A way in which a data set is laid out in a folder.
protocol FolderFormat: Sendable {
    /// What is accepted, as part of a sentence: "a folder with …".
    var accepted: String { get }

    /// The known data sets that are in this format; none for a format that anything may be in.
    var knownNames: [String] { get }

    /// Whether exactly this folder holds a data set of this format.
    func look(in directory: String) -> FolderContents

    /// The same where a folder may hold several: the one of that name.
    func look(in directory: String, for name: String?) -> FolderContents

    /// Reads the files of a folder that was found complete.
    /// - Throws: ``DatasetError``: the files' faults, and `.malformed` where one is known to be of another data set.
    func read(_ location: DatasetLocation) throws(DatasetError) -> (train: SampleSet, test: SampleSet)

    /// The same for formats that can be read in several ways.
    func read(_ location: DatasetLocation, _ reading: DatasetReading) throws(DatasetError) -> FolderSamples
}

extension FolderFormat {
    func read(_ location: DatasetLocation, _ reading: DatasetReading) throws(DatasetError) -> FolderSamples {
        let (train, test) = try read(location)
        return FolderSamples(train: train, test: test)
    }
}

extension FolderFormat {
    var knownNames: [String] { [] }

    func look(in directory: String, for name: String?) -> FolderContents { look(in: directory) }

    /// Whether there is a file, or a link to one, at `path`.
    func isFile(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
    }
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
