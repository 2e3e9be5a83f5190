import Foundation
import Support

/// The decoded images of a folder, kept between commands: a file per folder, in the user's folder for caches.
///
/// A line with a digest of all that follows and the length of the JSON; JSON that says what it was made from: the path, size
/// and times of every file, a digest of all contents, the libraries; then the pixels. Anything that does not fit means
/// decoding again.
struct ImageFolderCache {
    private let path: String
    private let listing: ImageFolderListing
    /// Most bytes of pixels that are kept.
    static let mostBytes = 4 << 30

    /// What it was made from, and what is in it.
    private struct Header: Codable {
        let version: Int
        let libraries: String
        /// A digest of every file's path, size and times.
        let files: String
        /// A digest of every file's path and contents.
        let contents: String
        let channels: Int
        let height: Int
        let width: Int
        let faults: [DecodedImages.Fault]
        let notes: [String]
    }

    private static let version = 1

    /// - Parameter folder: where decoded images are kept, whatever folder they are from; made when it is missing.
    init(folder: String, listing: ImageFolderListing) {
        let place = realpath(listing.directory, nil)
        defer { free(place) }
        var hash = SHA256()
        hash.update(place.map { String(cString: $0) } ?? listing.directory)
        path = "\(folder)/\(hash.digest.prefix(32)).images"
        self.listing = listing
    }

    /// What is cached of these very files; nil where nothing is, or nothing that fits.
    /// - Throws: ``DatasetError/readingCancelled(directory:)``.
    func read(_ reading: DatasetReading) throws(DatasetError) -> DecodedImages? {
        guard let reader = try? ByteReader(path: path, decompresses: false),
            let line = try? reader.read(upTo: Self.lineLength), line.count == Self.lineLength,
            let length = Int(String(decoding: line[65...].dropLast(), as: UTF8.self)), length > 0,
            let text = try? reader.read(upTo: length), text.count == length,
            let header = try? JSONDecoder().decode(Header.self, from: Data(text)),
            header.version == Self.version, header.libraries == ImageFile.libraries
        else { return nil }
        guard header.channels == 1 || header.channels == 3, header.height > 0, header.width > 0,
            header.faults.map(\.file) == Set(header.faults.map(\.file)).sorted(),
            header.faults.allSatisfy({ listing.files.indices.contains($0.file) }),
            let count = product([
                listing.files.count - header.faults.count, header.channels, header.height, header.width,
            ]), reader.fileSize == line.count + length + count
        else { return nil }
        if reading.rechecksContents {
            guard try contents(header.faults, reading) == header.contents else { return nil }
        } else {
            guard header.files == listing.stamp else { return nil }
        }
        guard let pixels = try? reader.readElements(of: UInt8.self, count: count), pixels.count == count,
            Self.line(text, pixels) == line
        else { return nil }
        return DecodedImages(
            shape: SampleShape(channels: header.channels, height: header.height, width: header.width), pixels: pixels,
            faults: header.faults, isLasting: true, notes: header.notes, contents: header.contents)
    }

    /// Keeps decoded images, where that is worth it. A failure is noted and no more.
    func write(_ images: DecodedImages, _ reading: DatasetReading) {
        // Files that are being written have no lasting contents.
        guard images.isLasting, !images.pixels.isEmpty, images.pixels.count <= Self.mostBytes else { return }
        let header = Header(
            version: Self.version, libraries: ImageFile.libraries, files: listing.stamp, contents: images.contents,
            channels: images.shape.channels, height: images.shape.height, width: images.shape.width,
            faults: images.faults, notes: images.notes)
        let folder = Paths.folder(of: path)
        do {
            let text = [UInt8](try JSONEncoder().encode(header))
            try Folder.make(folder)
            removeRemains(in: folder)
            try AtomicFile.write(
                header: Self.line(text, images.pixels) + text, elements: images.pixels, to: path)
        } catch {
            let reason = (error as? FileError)?.description ?? "\(error)"
            reading.note("the decoded images are not kept for the next command: \(reason)")
        }
    }

    /// Removes what commands that were killed have left.
    private func removeRemains(in folder: String) {
        let hourAgo = Int(Date().timeIntervalSince1970 - 3600) * 1_000_000_000
        for name in (try? FolderEntries(FileName(folder)).names) ?? [] where name.hasExtension(["tmp"]) {
            let file = FileName(folder) / name
            if let status = FileStatus(file), status.isFile, status.modified < hourAgo {
                _ = file.withCString { unlink($0) }
            }
        }
    }

    /// The digest of the contents of the files as they are now; nil where they cannot all be read.
    private func contents(
        _ faults: [DecodedImages.Fault], _ reading: DatasetReading
    ) throws(DatasetError) -> String? {
        let unread = Set(faults.filter(\.isUnread).map(\.file))
        let digest = ContentsDigest(listing)
        let directory = FileName(listing.directory)
        let files = listing.files
        let areRead = try listing.inParallel("comparing contents", reading, filling: false) { index in
            if unread.contains(index) {
                digest.skip(index)
                return true
            }
            let file = files[index]
            guard file.fault == nil, file.size < 1 << 30,
                case .success(let bytes) = FileBytes.read(directory / file.path, upTo: file.size + 1),
                bytes.count == file.size
            else { return false }
            digest.add(index, bytes)
            return true
        }
        return areRead.allSatisfy { $0 } ? digest.text : nil
    }

    /// Bytes of the first line, with its end.
    private static let lineLength = 64 + 1 + 12 + 1

    /// The first line of a file with this JSON and these pixels.
    private static func line(_ header: [UInt8], _ pixels: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        header.withUnsafeBytes { hash.update($0) }
        pixels.withUnsafeBytes { hash.update($0) }
        let length = String(header.count)
        return Array("\(hash.digest) \(String(repeating: "0", count: max(0, 12 - length.count)))\(length)\n".utf8)
    }
}

extension ImageFolderListing.File {
    /// What tells a file that has changed, without its contents.
    var stamp: String { "\(size) \(modified) \(changed)" }
}

extension ImageFolderListing {
    /// A digest of the path, class, size and times of every file.
    var stamp: String {
        var hash = SHA256()
        for file in files {
            file.path.bytes.withUnsafeBytes { hash.update($0) }
            hash.update("\0\(file.label) \(file.isTest) \(file.stamp)\n")
        }
        return hash.digest
    }
}
