import Support

/// Why one mirror did not give a file.
package struct MirrorFailure: Sendable, Equatable {
    /// The address that was asked.
    package let address: String
    /// What happened, as part of a sentence.
    package let reason: String

    /// Describes a failure.
    package init(address: String, reason: String) {
        self.address = address
        self.reason = reason
    }
}

/// A file that a user has to fetch.
package struct WantedFile: Sendable, Equatable {
    /// Its name where it is served.
    package let name: String
    /// SHA-256 in lower-case hexadecimal: of an archive itself, of the uncompressed contents of any other file.
    package let sha256: String
    /// True for an archive, out of which a fetch takes the files.
    package let isArchive: Bool
    /// Where it is.
    package let addresses: [String]

    init(_ file: ServedFile, addresses: [String]) {
        name = file.servedName
        sha256 = file.file.sha256
        isArchive = file.isArchive
        self.addresses = addresses
    }
}

/// What can go wrong with data. Each description is one sentence: what, in which file, and what would be accepted.
package enum DatasetError: Equatable, CategorizedError {
    /// No data set in any place that was looked at; `remedy` is the command that would bring it.
    case notFound(name: String, looked: [String], remedy: String)
    /// A folder that holds data sets with names of their own, none of them the one that was given.
    case ambiguous(directory: String, names: [String])
    /// Two names that stand for the same files.
    case sameFolder(names: [String], directory: String)
    /// A name that is not in the catalogue.
    case unknownName(name: String, known: [String])
    /// A data set that this program cannot download; `remedy` is the command that would bring it.
    case notFetchable(name: String, remedy: String)
    /// A file that cannot be read, created or written.
    case file(FileError)
    /// Fewer bytes than the header promises.
    case truncated(file: String, expected: Int, found: Int)
    /// More bytes than the header promises.
    case oversized(file: String, expected: Int)
    /// Not the format that belongs in this place.
    case wrongMagic(file: String, expected: UInt32, found: UInt32)
    /// The gzip stream is damaged.
    case corruptGzip(file: String, reason: String)
    /// A file without images or labels.
    case empty(file: String)
    /// Images and labels that do not belong together.
    case countMismatch(images: String, imageCount: Int, labels: String, labelCount: Int)
    /// A file that something has written to since it was opened.
    case changed(file: String)
    /// Any other fault in a file's contents.
    case malformed(file: String, reason: String)
    /// More than fits into the memory that is left, which `source` limits.
    case outOfMemory(file: String, needed: Int, available: Int, source: String)
    /// A well-formed file of a kind that is not read here.
    case unsupported(file: String, reason: String)
    /// A size that no image can be resized to.
    case invalidSize(height: Int, width: Int)
    /// Every mirror failed; what was received is kept and the next attempt goes on from there.
    case fetchFailed(name: String, file: String, failures: [MirrorFailure])
    /// No program that could fetch it is installed; the user can.
    case noWebTool(name: String, directory: String, files: [WantedFile])
    /// Another process is fetching into the same folder.
    case fetchInProgress(directory: String)
    /// The fetch was cancelled; what was received is kept.
    case cancelled(name: String)
    /// Reading the files of a folder was cancelled.
    case readingCancelled(directory: String)

    package var category: ErrorCategory {
        switch self {
        case .unknownName, .sameFolder, .ambiguous: .usage
        case .truncated, .oversized, .wrongMagic, .corruptGzip, .empty, .countMismatch, .changed, .malformed,
            .unsupported, .invalidSize:
            .badData
        case .notFound, .notFetchable: .noInput
        case .file(let error): error.category
        case .noWebTool, .outOfMemory: .unavailable
        case .fetchFailed, .fetchInProgress: .temporary
        case .cancelled, .readingCancelled: .cancelled
        }
    }

    package var description: String {
        switch self {
        case .notFound(let name, let looked, let remedy):
            "no data set \(name) in \(looked.joined(separator: ", ")); \(remedy)"
        case .ambiguous(let directory, let names):
            names.count == 1
                ? "\(directory) holds the data set \(names[0]), and none of another name; --dataset \(names[0]) takes it"
                : "\(directory) holds several data sets, \(names.dropLast().joined(separator: ", ")) and "
                    + "\(names.suffix(1).joined()); --dataset with one of these names takes it"
        case .sameFolder(let names, let directory):
            "\(names.joined(separator: " and ")) would both be the files of \(directory); each needs a folder of its own, as "
                + "--data DIR with \(names.map { "DIR/\($0)" }.joined(separator: " and "))"
        case .unknownName(let name, let known):
            "there is no data set named \(name) to fetch; known are \(known.joined(separator: ", "))"
        case .notFetchable(let name, let remedy): "\(name) is not downloaded by this program; \(remedy)"
        case .file(let error): error.description
        case .truncated(let file, let expected, let found):
            "\(file): truncated: its header promises \(expected) bytes and \(found) are there"
        case .oversized(let file, let expected):
            "\(file): oversized: there are more bytes than the \(expected) that its header promises"
        case .wrongMagic(let file, let expected, let found):
            "\(file): wrong magic number \(hexadecimal(found)): \(hexadecimal(expected)) is expected here"
        case .corruptGzip(let file, let reason): "\(file): corrupt gzip: \(reason)"
        case .empty(let file): "\(file): empty: at least one image with its label is needed"
        case .countMismatch(let images, let imageCount, let labels, let labelCount):
            "\(images) holds \(imageCount) images and \(labels) holds \(labelCount) labels: the counts must be equal"
        case .changed(let file):
            "\(file): it changed while it was read; start again once nothing writes to it any more"
        case .malformed(let file, let reason), .unsupported(let file, let reason): "\(file): \(reason)"
        case .invalidSize(let height, let width):
            "images cannot be resized to \(height)x\(width): both must be at least 1 and the result must fit in memory"
        case .outOfMemory(let file, let needed, let available, let source):
            "\(file): \(needed >> 20) MiB of memory are needed, and \(source) leaves \(available >> 20) MiB"
        case .fetchFailed(let name, let file, let failures):
            "\(name) was not fetched: no mirror gave a good \(file) ("
                + failures.map { "\($0.address): \($0.reason)" }.joined(separator: "; ") + "); try again later"
        case .noWebTool(let name, let directory, let files): Self.instructions(name, directory, files)
        case .fetchInProgress(let directory):
            "\(directory): another process is fetching into this folder; try again when it is done"
        case .cancelled(let name): "fetching \(name) was interrupted; what was received is kept for the next attempt"
        case .readingCancelled(let directory): "\(directory): reading was interrupted"
        }
    }
}

/// Runs `body`, its errors of files as those of data.
func inFiles<Result>(_ body: () throws(FileError) -> Result) throws(DatasetError) -> Result {
    do { return try body() } catch { throw .file(error) }
}

extension DatasetError {
    /// How a user can do what no program here can.
    fileprivate static func instructions(_ name: String, _ directory: String, _ files: [WantedFile]) -> String {
        let start = "\(name) was not fetched: neither curl nor wget is on the PATH; install one of them, or put "
        let isArchive = files.contains(where: \.isArchive)
        var lines = [
            isArchive
                ? "\(start)this file into \(directory) and run the same command again, which checks and unpacks it:"
                : "\(start)these files into \(directory) (each is one address's file, and the SHA-256 is that of its "
                    + "contents after `gzip -d`):"
        ]
        for file in files {
            lines.append("  \(file.name)  SHA-256 \(file.sha256)")
            lines += file.addresses.map { "    \($0)" }
        }
        return lines.joined(separator: "\n")
    }
}

/// A magic number as file-format descriptions write it.
private func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
