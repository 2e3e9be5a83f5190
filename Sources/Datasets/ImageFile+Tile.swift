import Support

extension ImageFile {
    /// Bytes that a file may have.
    private static let mostBytes = 1 << 30

    /// Whether a path ends as image files do.
    package static func isNamed(_ path: [UInt8]) -> Bool { FileName(path).hasExtension(ImageFolderListing.extensions) }

    /// Decodes a file, in the size that fits into a square: its longer side is as long as that one's.
    /// - Parameters:
    ///   - path: the bytes of its path.
    ///   - side: pixels.
    /// - Returns: the shape and [channel][y][x], of 1 or 3 channels.
    /// - Throws: ``DatasetError/malformed(file:reason:)``, `.file` and `.outOfMemory`, which name the file.
    package static func tile(
        _ path: [UInt8], side: Int
    ) throws(DatasetError) -> (shape: SampleShape, pixels: [UInt8]) {
        let name = FileName(path)
        guard let status = FileStatus(name) else {
            throw .file(.unreadable(file: name.shown, reason: systemMessage()))
        }
        guard status.isFile else { throw .malformed(file: name.shown, reason: "it is not a regular file") }
        guard status.size <= mostBytes else { throw .malformed(file: name.shown, reason: "it has more than 1 GiB") }
        let bytes: [UInt8]
        switch FileBytes.read(name, upTo: status.size) {
        case .success(let read): bytes = read
        case .failure(let fault): throw .malformed(file: name.shown, reason: fault.description)
        }
        let header = bytes.withUnsafeBytes { bytes in
            Result { () throws(ImageFault) in try ImageFile.header(bytes) }
        }
        // The library may need several times as much again for an image in several passes.
        if case .success(let header) = header, let least = AvailableMemory.shortage(of: 3 * header.byteCount) {
            throw .outOfMemory(
                file: name.shown, needed: 3 * header.byteCount, available: least.bytes, source: least.source)
        }
        let image = try decode(bytes, path: name.shown)
        let longer = max(image.shape.height, image.shape.width)
        func fitted(_ length: Int) -> Int { max(1, (length * side + longer / 2) / longer) }
        let set = try SampleSet(
            pixels: image.pixels, labels: [0], channels: image.shape.channels, height: image.shape.height,
            width: image.shape.width, origin: name.shown
        ).resized(height: fitted(image.shape.height), width: fitted(image.shape.width))
        return (set.shape, set.pixels ?? [])
    }
}
