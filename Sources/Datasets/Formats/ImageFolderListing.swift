import Foundation
import Support

/// The files of a folder of class folders.
///
/// Hidden files and folders are left out. Folders within class folders belong to the class. Links are followed, but not
/// to a folder that they are in.
struct ImageFolderListing: Sendable {
    /// A file that should be an image.
    struct File: Sendable {
        /// Relative to the listing's folder.
        let path: FileName
        /// The number of its class.
        let label: UInt8
        /// Whether it is in the folder of test images.
        let isTest: Bool
        /// Bytes, and the times of the last change of its contents and of anything about it, in nanoseconds.
        let size, modified, changed: Int
        /// Why it cannot be an image, where that shows without reading it.
        let fault: ImageFault?
    }

    /// The folder as the user named it.
    let directory: String
    /// Training files first, then test files; of each, class by class in order of the paths' bytes.
    let files: [File]
    /// The classes' names: [label].
    let classes: [FileName]
    /// Whether there is a folder of test images.
    let hasTestPart: Bool
    /// What a user should know of it.
    let notes: [String]

    /// Names of folders that hold test images, best first.
    static let testNames = ["test", "val", "valid"]
    /// Ends of the names of image files.
    static let extensions = ["png", "jpg", "jpeg", "jpe", "jfif"]
    /// Most classes: labels are bytes.
    static let mostClasses = 256

    /// Lists a folder.
    /// - Throws: ``DatasetError``: `.file` for a folder that cannot be listed; `.malformed` for class folders that differ by
    ///   case alone or beside a part; `.unsupported` for too many classes; `.empty`.
    init(_ directory: String) throws(DatasetError) {
        self.directory = directory
        let shown = FileName(directory).shown
        let top = try Self.folders(in: directory)
        var notes: [String] = []
        var leftOut = LeftOut()
        try leftOut.look(in: directory)
        var lister = FileLister(directory: directory)
        var found: [(part: FileName?, isTest: Bool, name: FileName, files: [FileLister.Found])] = []

        func list(_ part: FileName?, isTest: Bool) throws(DatasetError) {
            let base = part ?? FileName([])
            if let part { try leftOut.look(in: directory, part) }
            // Parts have plain names.
            for name in try Self.folders(in: part.map { "\(directory)/\($0.shown)" } ?? directory) {
                let loops = lister.loops.count
                let files = try lister.files(of: base / name)
                if !files.isEmpty || lister.loops.count == loops { found.append((part, isTest, name, files)) }
            }
        }
        let trainName = FileName("train")
        if Self.isDivided(directory) {
            let present = Self.testNames.filter { top.contains(FileName($0)) }
            try list(trainName, isTest: false)
            if let test = present.first { try list(FileName(test), isTest: true) }
            hasTestPart = !present.isEmpty
            if let test = present.first, test != "test" {
                notes.append("\(shown) has no test/: \(test)/ is taken in its place")
            }
            let others = top.filter { $0 != trainName && $0 != present.first.map { FileName($0) } }
            if !others.isEmpty {
                notes.append("\(shown): \(Self.names(others)) \(others.count == 1 ? "is" : "are") not used")
            }
        } else {
            if let part = top.first(where: { Self.isPart($0) && Self.hasClassFolder("\(directory)/\($0.shown)") }) {
                throw .malformed(
                    file: shown,
                    reason: "it has a folder \(part.shown)/ with class folders, and none named train/: put the class"
                        + " folders of training images there")
            }
            try list(nil, isTest: false)
            hasTestPart = false
        }

        let empty = Set(found.map(\.name)).subtracting(found.filter { !$0.files.isEmpty }.map(\.name)).sorted()
        if !empty.isEmpty {
            notes.append(
                "\(shown): \(Self.names(empty)) \(empty.count == 1 ? "is" : "are") empty, and no"
                    + " class\(empty.count == 1 ? "" : "es")")
        }
        let classes = Set(found.filter { !$0.files.isEmpty }.map(\.name)).sorted()
        try Self.check(classes, shown)
        for loop in lister.loops.prefix(5) {
            notes.append(
                "\((FileName(directory) / loop).shown) is a link to a folder that it is in, and is not followed")
        }
        if lister.loops.count > 5 { notes.append("\(lister.loops.count - 5) more links lead in a circle") }
        leftOut.hidden += lister.hidden
        if let words = leftOut.words { notes.append("\(shown): ignored \(words)") }
        let names = classes.prefix(20).enumerated().map { "\($0) \(excerpt($1.shown, longest: 40))" }
        notes.append(
            "\(shown): classes are " + names.joined(separator: ", ")
                + (classes.count > 20 ? " and \(classes.count - 20) more, in order of their names' bytes" : ""))
        let labels = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, UInt8($0)) })
        files = found.flatMap { folder in
            folder.files.map { file in
                File(
                    path: file.path, label: labels[folder.name] ?? 0, isTest: folder.isTest, size: file.size,
                    modified: file.modified, changed: file.changed, fault: file.fault)
            }
        }
        guard !files.isEmpty else { throw .empty(file: shown) }
        self.classes = classes
        self.notes = notes
    }

    /// - Throws: ``DatasetError`` where these cannot be classes.
    private static func check(_ classes: [FileName], _ shown: String) throws(DatasetError) {
        var owners: [[UInt8]: FileName] = [:]
        for name in classes {
            if let other = owners.updateValue(name, forKey: name.lowercased) {
                throw .malformed(
                    file: shown,
                    reason:
                        "the class folders \(other.shown) and \(name.shown) differ by case alone; rename one of them,"
                        + " or put their files together")
            }
        }
        guard classes.count <= mostClasses else {
            throw .unsupported(
                file: shown, reason: "\(classes.count) class folders are too many; at most \(mostClasses) are accepted")
        }
    }

    /// Folder names in a sentence.
    private static func names(_ names: [FileName]) -> String {
        names.prefix(5).map { "\($0.shown)/" }.joined(separator: ", ")
            + (names.count > 5 ? " and \(names.count - 5) more" : "")
    }

    /// Whether the class folders are in `train/`.
    static func isDivided(_ directory: String) -> Bool { hasClassFolder(directory + "/train") }

    private static func isPart(_ name: FileName) -> Bool {
        name == FileName("train") || testNames.contains { name == FileName($0) }
    }

    /// The folders in a folder, links to folders among them, in order of their names' bytes.
    /// - Throws: ``DatasetError/file(_:)``.
    private static func folders(in path: String) throws(DatasetError) -> [FileName] {
        try FolderEntries(FileName(path)).names.filter { name in
            !name.isHidden && (FileStatus(FileName(path) / name)?.isFolder ?? false)
        }.sorted()
    }

    /// Whether a folder is such a data set, as far as can be told without reading much. A folder that holds a data set of
    /// another format, or one that is known by name, is a folder of data sets.
    static func isRecognised(_ directory: String) -> Bool {
        guard let folders = try? folders(in: directory), !folders.isEmpty else { return false }
        if folders.contains(FileName("train")), hasClassFolder(directory + "/train") { return true }
        let known = Set(KnownDataset.all.map { FileName($0.name) })
        guard !folders.contains(where: known.contains) else { return false }
        let others = Formats.folders.filter { !($0 is ImageFolder) }
        for folder in folders {
            let path = "\(directory)/\(String(decoding: folder.bytes, as: UTF8.self))"
            for format in others {
                if case .complete = format.look(in: path) { return false }
            }
        }
        // Parts without train/ are told so when they are read.
        if folders.contains(where: { isPart($0) && hasClassFolder("\(directory)/\($0.shown)") }) { return true }
        // Some other folder may have pictures in one of many, as a study's directory has its plots.
        let classes = folders.count { holdsImage(FileName(directory) / $0) }
        return classes > 0 && 2 * classes >= folders.count
    }

    /// Whether a folder in this one has an image in it.
    private static func hasClassFolder(_ directory: String) -> Bool {
        let folders = (try? folders(in: directory)) ?? []
        return folders.contains { holdsImage(FileName(directory) / $0) }
    }

    private static func holdsImage(_ folder: FileName) -> Bool {
        guard let names = try? FolderEntries(folder).names.filter({ !$0.isHidden }) else { return false }
        if names.contains(where: { $0.hasExtension(extensions) && FileStatus(folder / $0)?.isFile ?? false }) {
            return true
        }
        // Names without endings: the contents tell.
        return names.prefix(8).contains { name in
            guard FileStatus(folder / name)?.isFile ?? false,
                let start = try? FileBytes.read(folder / name, upTo: 8).get()
            else { return false }
            return start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
                || start.starts(with: [0xFF, 0xD8, 0xFF])
        }
    }
}

/// What no class has: hidden files and folders, and images beside the class folders.
private struct LeftOut {
    /// Relative to the listing's folder.
    var hidden: [FileName] = []
    private var images: [FileName] = []

    /// Looks at what lies beside the folders in a folder.
    /// - Parameter part: the folder, relative to `directory`.
    /// - Throws: ``DatasetError/file(_:)`` for a folder that cannot be listed.
    mutating func look(in directory: String, _ part: FileName = FileName([])) throws(DatasetError) {
        let folder = part.bytes.isEmpty ? FileName(directory) : FileName(directory) / part
        for name in try FolderEntries(folder).names {
            if name.isHidden {
                hidden.append(part / name)
            } else if name.hasExtension(ImageFolderListing.extensions), FileStatus(folder / name)?.isFile ?? false {
                images.append(part / name)
            }
        }
    }

    /// How many there are and the names of the first, as part of a sentence; nil where there are none.
    var words: String? {
        func list(_ names: [FileName]) -> String {
            names.sorted().prefix(5).map { excerpt($0.shown, longest: 100) }.joined(separator: ", ")
                + (names.count > 5 ? " and \(names.count - 5) more" : "")
        }
        let parts = [
            images.isEmpty ? nil : "\(describeCount(images.count, "image")) outside class folders (\(list(images)))",
            hidden.isEmpty
                ? nil
                : "\(hidden.count) hidden file\(hidden.count == 1 ? " or folder" : "s and folders") (\(list(hidden)))",
        ].compactMap { $0 }
        guard !parts.isEmpty else { return nil }
        return parts.joined(separator: " and ")
    }
}

/// Lists the files of class folders with all folders within.
private struct FileLister {
    /// A file and what the system says of it.
    struct Found {
        let path: FileName
        let size, modified, changed: Int
        let fault: ImageFault?
    }

    let directory: String
    /// Links that are not followed, relative to the directory.
    private(set) var loops: [FileName] = []
    /// Hidden files and folders, relative to the directory.
    private(set) var hidden: [FileName] = []

    init(directory: String) { self.directory = directory }

    /// - Parameter folder: relative to the directory.
    /// - Returns: the files in order of their paths' bytes.
    /// - Throws: ``DatasetError/file(_:)`` for a folder that cannot be listed.
    mutating func files(of folder: FileName) throws(DatasetError) -> [Found] {
        var ancestors: [FileStatus] = []
        var path = FileName(directory)
        if let status = FileStatus(path) { ancestors.append(status) }
        for part in folder.bytes.split(separator: UInt8(ascii: "/")) {
            path = path / FileName(Array(part))
            guard let status = FileStatus(path) else { continue }
            if ancestors.contains(where: status.isSame) {
                loops.append(folder)
                return []
            }
            ancestors.append(status)
        }
        var found: [Found] = []
        try collect(folder, ancestors, into: &found)
        return found.sorted { $0.path < $1.path }
    }

    private mutating func collect(
        _ folder: FileName, _ ancestors: [FileStatus], into found: inout [Found]
    ) throws(DatasetError) {
        for name in try FolderEntries(FileName(directory) / folder).names {
            let path = folder / name
            if name.isHidden {
                hidden.append(path)
                continue
            }
            guard let status = FileStatus(FileName(directory) / path) else {
                found.append(
                    Found(path: path, size: 0, modified: 0, changed: 0, fault: .unreadable(systemMessage())))
                continue
            }
            if status.isFolder {
                guard !ancestors.contains(where: status.isSame) else {
                    loops.append(path)
                    continue
                }
                try collect(path, ancestors + [status], into: &found)
                continue
            }
            var fault: ImageFault?
            if !status.isFile { fault = .unreadable("it is not a regular file") }
            if status.isFile, status.size == 0 { fault = .empty }
            found.append(
                Found(
                    path: path, size: status.size, modified: status.modified, changed: status.changed, fault: fault))
        }
    }
}
