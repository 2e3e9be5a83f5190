import Foundation
import Support

/// Several .npy files that are one matrix: those of a folder, or those that a pattern of the shell names.
struct NumPyShards: MatrixFormat {
    var accepted: String { "a folder or a quoted pattern of such files" }

    /// What names several files.
    enum Kind {
        case folder, pattern
    }

    /// What `path` is; nil where it names one file. What is there is no pattern, whatever its name.
    static func kind(of path: String) -> Kind? {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) {
            return isDirectory.boolValue ? .folder : nil
        }
        return path.contains { "*?[".contains($0) } ? .pattern : nil
    }

    func recognises(_ path: String) -> Bool { Self.kind(of: path) != nil }

    /// In the order of the bytes of their names.
    func files(_ path: String) -> [String] {
        let found: [String]
        if Self.kind(of: path) == .pattern {
            found = matches(path)
        } else {
            var folder = path
            while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            found = names.filter { $0.hasSuffix(".npy") && !$0.hasPrefix(".") }
                .map { folder == "/" ? "/\($0)" : "\(folder)/\($0)" }
        }
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// - Throws: ``DatasetError``: `.file` where no file is found or one cannot be read, and the files' faults; `.malformed`
    ///   for a file of another width, rank or type than most.
    func open(_ path: String) throws(DatasetError) -> OpenedMatrix {
        let files = files(path)
        guard !files.isEmpty else {
            var isDirectory: ObjCBool = false
            let isFolder = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            throw .file(
                .unreadable(
                    file: path, reason: isFolder ? "no .npy file is in this folder" : "no file matches this pattern"))
        }
        FileDescriptors.raiseLimit(to: files.count + 256)
        var shards: [MatrixFile] = []
        for path in files {
            let file = try OpenFile(path)
            do throws(DatasetError) {
                shards.append(try MatrixFile(numPy: FilePart(file), in: file, at: 0))
            } catch .malformed(let file, let reason) {
                throw .malformed(file: file, reason: "\(reason); \(Self.advice)")
            }
        }
        try checkAlike(shards)
        return OpenedMatrix(values: try JoinedRows.join(shards), notes: [Self.orderNote(files)].compactMap { $0 })
    }

    /// What helps where a folder has other files too.
    private static let advice = "a quoted pattern such as 'train-*.npy' takes some of a folder's files"

    /// What the shell would name. Unlike the shell's, the order does not depend on the locale: whoever calls sorts.
    func matches(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, GLOB_NOSORT, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in found.gl_pathv[index].map { String(cString: $0) } }
    }

    /// Holds every shard against the width and the type that most have.
    private func checkAlike(_ shards: [MatrixFile]) throws(DatasetError) {
        struct Kind: Hashable {
            let width: Int
            let type: ValueType
        }
        func kind(_ shard: MatrixFile) -> Kind { Kind(width: shard.columnCount, type: shard.type) }
        var counts: [Kind: Int] = [:]
        for shard in shards { counts[kind(shard), default: 0] += 1 }
        // Of kinds that are as frequent, that of the first file.
        let most = counts.values.max() ?? 0
        guard let model = shards.first(where: { counts[kind($0)] == most }),
            let odd = shards.first(where: { kind($0) != kind(model) })
        else { return }
        throw .malformed(
            file: odd.name,
            reason: "its rows are \(odd.columnCount) x \(odd.type), and those of \(model.name) are "
                + "\(model.columnCount) x \(model.type), where one width and type are needed; \(Self.advice)")
    }

    /// That names which are not in the order of their numbers are read in that of their bytes; nil where these are the same.
    static func orderNote(_ files: [String]) -> String? {
        let byNumber = files.enumerated().sorted { a, b in
            switch compareByNumbers(a.element, b.element) {
            case .orderedAscending: true
            case .orderedDescending: false
            case .orderedSame: a.offset < b.offset
            }
        }.map(\.element)
        guard let first = files.indices.first(where: { files[$0] != byNumber[$0] }) else { return nil }
        func shown(_ files: [String]) -> String {
            let names = files[first...].prefix(4).map { excerpt($0.split(separator: "/").last.map(String.init) ?? $0) }
            return (first > 0 ? "…, " : "") + names.joined(separator: ", ")
                + (files.count > first + names.count ? ", …" : "")
        }
        return
            "\(files.count) files are read in the order of their names' bytes (\(shown(files))), which is not that of "
            + "their numbers (\(shown(byNumber)))"
    }

    /// Compares names with their runs of digits as numbers.
    private static func compareByNumbers(_ a: String, _ b: String) -> ComparisonResult {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        var (rest, other) = (Array(a.utf8)[...], Array(b.utf8)[...])
        while let left = rest.first, let right = other.first {
            guard digits.contains(left), digits.contains(right) else {
                if left != right { return left < right ? .orderedAscending : .orderedDescending }
                rest = rest.dropFirst()
                other = other.dropFirst()
                continue
            }
            let (number, opposite) = (rest.prefix { digits.contains($0) }, other.prefix { digits.contains($0) })
            let (bare, bareOther) = (
                number.drop { $0 == digits.lowerBound }, opposite.drop { $0 == digits.lowerBound }
            )
            if bare.count != bareOther.count {
                return bare.count < bareOther.count ? .orderedAscending : .orderedDescending
            }
            if !bare.elementsEqual(bareOther) {
                return bare.lexicographicallyPrecedes(bareOther) ? .orderedAscending : .orderedDescending
            }
            rest = rest.dropFirst(number.count)
            other = other.dropFirst(opposite.count)
        }
        return rest.isEmpty == other.isEmpty ? .orderedSame : rest.isEmpty ? .orderedAscending : .orderedDescending
    }
}
