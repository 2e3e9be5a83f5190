import Foundation
import Support

/// An array of two dimensions in an archive of NumPy's: FILE.npz:NAME.
struct NPZMatrix: MatrixFormat {
    var accepted: String { "FILE.npz:NAME" }

    func recognises(_ path: String) -> Bool {
        if ArrayName(path, ending: ".npz") != nil { return true }
        guard let file = try? OpenFile(path), let start = try? file.bytes(at: 0, count: 4) else { return false }
        return ZipArchive.isStart(start)
    }

    func files(_ path: String) -> [String] { [ArrayName(path, ending: ".npz")?.file ?? path] }

    /// - Throws: ``DatasetError``: the faults of the archive and of the array in it; `.malformed` where there is no array of
    ///   that name.
    func open(_ path: String) throws(DatasetError) -> OpenedMatrix {
        let wanted = ArrayName(path, ending: ".npz")
        let archive = try ZipArchive(try OpenFile(wanted?.file ?? path))
        let arrays = archive.names.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
        guard let wanted else {
            throw .malformed(file: path, reason: "it holds \(ArrayName.list(arrays)); name one as \(path):NAME")
        }
        var member = try archive.member(wanted.array + ".npy")
        if member == nil { member = try archive.member(wanted.array) }
        guard let member else {
            throw .malformed(
                file: wanted.file,
                reason: "there is no \(excerpt(wanted.array)) in it; it holds \(ArrayName.list(arrays))")
        }
        let name = "\(wanted.file):\(excerpt(wanted.array))"
        let (file, start) = try archive.contents(of: member, named: name)
        let part = FilePart(file, start..<start + member.size, path: name)
        let notes =
            member.isDeflated
            ? [
                "\(name) is compressed, and was inflated to a temporary file of \((member.size + (1 << 20) - 1) >> 20) MiB in "
                    + FileManager.default.temporaryDirectory.path
            ] : []
        return OpenedMatrix(values: try MatrixFile(numPy: part, in: file, at: start), notes: notes)
    }
}

/// An array in a file of several, as a user writes it: FILE:NAME.
struct ArrayName {
    let file: String
    let array: String

    /// Nil where `path` is not of that form, or is itself a file.
    init?(_ path: String, ending: String) {
        guard let mark = path.range(of: ending + ":"), !FileManager.default.fileExists(atPath: path) else { return nil }
        let end = path.index(before: mark.upperBound)
        (file, array) = (String(path[..<end]), String(path[mark.upperBound...]))
    }

    /// Names as part of a sentence.
    static func list(_ names: [String]) -> String {
        guard !names.isEmpty else { return "no arrays" }
        let shown = names.sorted().prefix(10).map { excerpt($0, longest: 30) }.joined(separator: ", ")
        return names.count > 10 ? "\(shown) and \(names.count - 10) more" : shown
    }
}
