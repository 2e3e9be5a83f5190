import Foundation
import Support

/// Takes the files of a data set out of its archive, which lies in the folder that they go to.
///
/// The archive is read here and not by the system's `tar`: nothing but the files that are wanted is written, each with
/// exactly the size that is known, and it works the same on every host. A file has the name NAME.part until the whole archive
/// was read. `SHA256SUMS` then tells later fetches (and `sha256sum --check`) whether the files are still as they came.
struct ArchiveUnpacking {
    private let archive: KnownArchive
    private let directory: String

    /// The list of checksums, in the form of `sha256sum`.
    static let sumsName = "SHA256SUMS"

    /// Unpacks into `directory`, where the archive is too.
    init(_ archive: KnownArchive, directory: String) {
        self.archive = archive
        self.directory = directory
    }

    private func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Whether every file is there, as it came out of the archive.
    var isDone: Bool {
        guard let text = try? String(contentsOfFile: path(Self.sumsName), encoding: .utf8) else { return false }
        let lines = Set(text.split(whereSeparator: \.isNewline).map(String.init))
        return archive.members.allSatisfy { member in
            let contents = try? FileContents(of: path(member.name), decompresses: false, limit: member.byteCount)
            return contents.map { $0.byteCount == member.byteCount && lines.contains(line($0.sha256, member)) } ?? false
        }
    }

    private func line(_ sum: String, _ member: KnownArchive.Member) -> String { "\(sum)  \(member.name)" }

    /// Unpacks the files and removes the archive.
    /// - Throws: ``DatasetError`` `.malformed` for an archive that lacks a file or has one of another size, what
    ///   ``TarReader`` throws, `.file`, `.cancelled`. No file has its name then, unless it had it before.
    func run() throws(DatasetError) {
        do throws(DatasetError) {
            let sums = try writeParts()
            try inFiles { () throws(FileError) in
                for member in archive.members {
                    try AtomicFile.move(path(member.name + ".part"), to: path(member.name))
                }
                let lines = archive.members.map { line(sums[$0.name] ?? "", $0) + "\n" }
                try AtomicFile.write(Array(lines.joined().utf8), to: path(Self.sumsName))
            }
        } catch {
            for member in archive.members { unlink(path(member.name + ".part")) }
            throw error
        }
        unlink(path(archive.file.name))
    }

    /// Writes each file as NAME.part.
    /// - Returns: their SHA-256 by name.
    private func writeParts() throws(DatasetError) -> [String: String] {
        let archivePath = path(archive.file.name)
        let reader = try TarReader(archivePath)
        var sums: [String: String] = [:]
        while let entry = try reader.next() {
            guard let member = archive.members.first(where: { "\(archive.folder)/\($0.name)" == entry.path }) else {
                continue
            }
            guard entry.byteCount == member.byteCount, sums[member.name] == nil else {
                throw .malformed(
                    file: archivePath,
                    reason:
                        "\(entry.path) has \(entry.byteCount) bytes, or is in it twice; once \(member.byteCount) bytes"
                        + " are expected")
            }
            sums[member.name] = try write(reader, to: path(member.name + ".part"))
        }
        let missing = archive.members.map(\.name).filter { sums[$0] == nil }
        guard missing.isEmpty else {
            throw .malformed(file: archivePath, reason: "it lacks \(missing.joined(separator: ", "))")
        }
        return sums
    }

    /// Writes the present entry.
    /// - Returns: its SHA-256.
    private func write(_ reader: TarReader, to part: String) throws(DatasetError) -> String {
        let descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .file(.creating(part)) }
        defer { close(descriptor) }
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { piece.deallocate() }
        var hash = SHA256()
        while true {
            try checkCancellation()
            let received = UnsafeRawBufferPointer(rebasing: piece[..<(try reader.read(into: piece))])
            guard !received.isEmpty else { break }
            hash.update(received)
            try inFiles { () throws(FileError) in try AtomicFile.writeAll(received, to: descriptor, path: part) }
        }
        guard fsync(descriptor) == 0 else { throw .file(.writeFailed(file: part, reason: systemMessage())) }
        return hash.digest
    }

    private func checkCancellation() throws(DatasetError) {
        if Task.isCancelled { throw .cancelled(name: archive.file.name) }
    }
}
