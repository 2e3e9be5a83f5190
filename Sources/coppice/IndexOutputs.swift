import Datasets
import Foundation
import Support

/// The files of indices that a command writes, and beside each a list of the samples' ids: what is kept, in rank order, and
/// what is dropped, by rising index.
struct IndexOutputs {
    /// What the lists beside the indices have.
    enum Lists {
        /// None are written.
        case none
        /// The lines of `--ids`.
        case lines(Identifiers)
        /// The paths of the images of a folder.
        case paths
    }

    let out: String
    let dropped: String?
    private let lists: Lists

    /// Outputs of these names; paths go beside regular files alone.
    init(out: String, dropped: String?, lists: Lists) {
        (self.out, self.dropped, self.lists) = (out, dropped, lists)
    }

    /// The list beside `--out`; nil where there is none.
    var keptList: String? { list(beside: out) }
    /// The list beside `--dropped`.
    var droppedList: String? { dropped.flatMap { list(beside: $0) } }

    /// Whether the lists have JSON objects.
    var areJSON: Bool { if case .lines(let lines) = lists { lines.isJSON } else { false } }

    private func list(beside array: String) -> String? {
        switch lists {
        case .none: nil
        case .lines(let lines): lines.name(beside: array)
        case .paths: isDevice(array) ? nil : Identifiers.name(beside: array, isJSON: false)
        }
    }

    /// All of them.
    var files: [NamedFile] {
        [
            NamedFile("--out", out), NamedFile("the list beside --out", keptList),
            NamedFile("--dropped", dropped), NamedFile("the list beside --dropped", droppedList),
        ].compactMap { $0 }
    }

    /// - Throws: ``Failure`` where the lines of `--ids` would go beside a device or a pipe.
    func checkPlaces() throws {
        guard case .lines = lists else { return }
        for (option, path) in [("--out", out), ("--dropped", dropped)] {
            guard let path, isDevice(path) else { continue }
            throw Failure(
                "\(option) \(path) is a device or a pipe, and the lines of --ids go beside it; name a file",
                exitCode: 64)
        }
    }

    /// Files of an earlier selection that have the name of a list beside `--out` or `--dropped` and are not written now.
    var staleLists: [String] {
        let written = files.map(\.path)
        return [out, dropped].compactMap { $0 }.flatMap { array in
            [false, true].map { Identifiers.name(beside: array, isJSON: $0) }
        }.filter { !written.contains($0) && FileManager.default.fileExists(atPath: $0) }
    }

    /// The same without lists, where one of the ids does not fit on a line.
    /// - Parameter note: called with a sentence that says so.
    func writable(_ ids: SampleIDs?, note: (String) -> Void) -> IndexOutputs {
        guard let index = ids?.firstBroken, let list = keptList else { return self }
        note("note: \(list) is not written: the path of sample \(index) has a line break in it")
        return IndexOutputs(out: out, dropped: dropped, lists: .none)
    }

    /// Writes the files beside their places, `--out` last.
    /// - Parameters:
    ///   - kept: the indices of what is kept.
    ///   - count: how many samples there are.
    ///   - ids: what the lists have.
    /// - Throws: `FileError`, `DatasetError`.
    func stage(_ kept: [Int], of count: Int, ids: SampleIDs?) throws -> [StagedFile] {
        var files: [StagedFile] = []
        if let dropped {
            let isKept = kept.reduce(into: [Bool](repeating: false, count: count)) { $0[$1] = true }
            let indices = isKept.indices.filter { !isKept[$0] }
            if let ids, let droppedList { files.append(try stage(indices, of: ids, to: droppedList)) }
            files.append(try NumPy.stage(indices.map(Int64.init), shape: [indices.count], to: dropped))
        }
        if let ids, let keptList { files.append(try stage(kept, of: ids, to: keptList)) }
        files.append(try NumPy.stage(kept.map(Int64.init), shape: [kept.count], to: out))
        return files
    }

    private func stage(_ indices: [Int], of ids: SampleIDs, to path: String) throws -> StagedFile {
        let file = try StagedFile(path)
        try ids.write(indices, to: file)
        try file.seal()
        return file
    }

    /// What the command says of them, for people.
    /// - Parameter origin: the file of the ids, or the folder that paths start from.
    func lines(origin: String) -> [String] {
        let what: String
        if case .paths = lists { what = "their paths within \(origin)" } else { what = "their lines of \(origin)" }
        return [
            keptList.map { "\(what) are in \($0)" },
            dropped.map { "what was dropped is in \($0)" + (droppedList.map { ", and listed in \($0)" } ?? "") },
        ].compactMap { $0 }
    }
}

/// Whether it is there and neither a file nor a folder.
func isDevice(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
}
