import Foundation
import Support
import Synchronization

/// The images of a folder's files.
struct DecodedImages: Equatable, Sendable {
    /// A file that is none.
    struct Fault: Equatable, Sendable, Codable {
        /// Its index in the listing.
        let file: Int
        /// What follows its name in a sentence.
        let text: String
        /// Whether its bytes are left out of ``DecodedImages/contents``: they were not all read.
        let isUnread: Bool
    }

    /// The extents of each.
    let shape: SampleShape
    /// [image][channel][y][x]: of the files that have no fault, in the listing's order.
    let pixels: [UInt8]
    /// In the listing's order.
    let faults: [Fault]
    /// Whether the same files give the same again, whatever the state of the system.
    let isLasting: Bool
    /// What a user should know.
    let notes: [String]
    /// A digest of the contents of the files.
    let contents: String
}

/// Decodes the files of a folder on all cores: first all headers, which say of what shape the images will be, then the images.
struct ImageFolderDecoder {
    private let listing: ImageFolderListing
    private let reading: DatasetReading
    /// Files that a core takes at once.
    static let filesAtOnce = 16
    /// Bytes of a file that are read for its header at first.
    private static let headerBytes = 1 << 16
    /// Bytes that a file may have.
    private static let mostBytes = 1 << 30
    /// Images of more pixels are decoded one at a time.
    private static let manyPixels = 1 << 24

    init(_ listing: ImageFolderListing, _ reading: DatasetReading) {
        self.listing = listing
        self.reading = reading
    }

    private enum Header {
        case image(ImageHeader)
        case fault(ImageFault)
    }

    /// - Throws: ``DatasetError`` `.readingCancelled`, `.outOfMemory`, `.empty` where no file is an image.
    func decode() throws(DatasetError) -> DecodedImages {
        let headers = try headers()
        let good = headers.compactMap { if case .image(let header) = $0 { header } else { nil } }
        let shown = FileName(listing.directory).shown
        guard let first = good.first else {
            // The files' faults say more than that there is no image.
            return images(
                SampleShape(height: 1, width: 1), [],
                headers.map { if case .fault(let fault) = $0 { (fault, isUnread: true) } else { nil } }, contents: "",
                notes: [])
        }
        let isUniform = good.allSatisfy { ($0.width, $0.height) == (first.width, first.height) }
        let side = ImageFolder.commonSide
        let shape = SampleShape(
            channels: good.contains { $0.channels == 3 } ? 3 : 1, height: isUniform ? first.height : side,
            width: isUniform ? first.width : side)
        // Twice, since they are divided into two sets.
        let needed = 2 * good.count * shape.featureCount
        if let least = AvailableMemory.shortage(of: needed) {
            throw .outOfMemory(
                file: "\(shown): \(good.count) images of \(shape)", needed: needed, available: least.bytes,
                source: least.source)
        }
        var slots = [Int](repeating: 0, count: headers.count)
        var next = 0
        for index in headers.indices {
            slots[index] = next
            if case .image = headers[index] { next += 1 }
        }
        let pixels = try pixels(headers, slots, shape)
        return images(
            shape, pixels.values, pixels.faults, contents: pixels.contents, notes: notes(good, shape, isUniform))
    }

    /// - Parameters:
    ///   - values: [image][channel][y][x] of every file whose header is good.
    ///   - faults: [file].
    private func images(
        _ shape: SampleShape, _ values: [UInt8], _ faults: [(fault: ImageFault, isUnread: Bool)?], contents: String,
        notes: [String]
    ) -> DecodedImages {
        var kept = values
        // Files whose faults showed in decoding have left gaps.
        if faults.contains(where: { $0.map { !$0.isUnread } ?? false }) {
            var image = 0
            kept = []
            kept.reserveCapacity(values.count)
            for fault in faults where !(fault?.isUnread ?? false) {
                if fault == nil { kept += values[image * shape.featureCount..<(image + 1) * shape.featureCount] }
                image += 1
            }
        }
        return DecodedImages(
            shape: shape, pixels: kept,
            faults: faults.enumerated().compactMap { file, fault in
                fault.map { DecodedImages.Fault(file: file, text: $0.fault.description, isUnread: $0.isUnread) }
            }, isLasting: faults.allSatisfy { $0?.fault.isLasting ?? true }, notes: notes, contents: contents)
    }

    private func notes(_ headers: [ImageHeader], _ shape: SampleShape, _ isUniform: Bool) -> [String] {
        var notes: [String] = []
        func count(_ property: KeyPath<ImageHeader, Bool>) -> Int { headers.count { $0[keyPath: property] } }
        func note(_ count: Int, _ one: String, _ many: String) {
            if count > 0 { notes.append("\(count) image\(count == 1 ? " \(one)" : "s \(many)")") }
        }
        if !isUniform {
            let (widths, heights) = (headers.map(\.width), headers.map(\.height))
            notes.append(
                "images differ in size (\(widths.min() ?? 0) to \(widths.max() ?? 0) columns, \(heights.min() ?? 0) to"
                    + " \(heights.max() ?? 0) rows), and all are resized to \(shape.height)x\(shape.width)")
        }
        note(
            count(\.isTurned), "is turned or mirrored by EXIF, which is ignored",
            "are turned or mirrored by EXIF, which is ignored")
        note(
            count(\.hasAlpha), "has transparency, which is dropped: its colours are taken as they are in the file",
            "have transparency, which is dropped: their colours are taken as they are in the files")
        note(
            count(\.isDeep), "has 16 bits per sample, of which the upper 8 are taken",
            "have 16 bits per sample, of which the upper 8 are taken")
        return notes
    }

    /// The headers of all files: [file].
    private func headers() throws(DatasetError) -> [Header] {
        let files = listing.files
        let directory = FileName(listing.directory)
        return try inParallel("reading headers", filling: .fault(.changed)) { index in
            let file = files[index]
            if let fault = file.fault { return .fault(fault) }
            guard file.size <= Self.mostBytes else { return .fault(.unsupported("it has more than 1 GiB")) }
            let path = directory / file.path
            var length = min(file.size, Self.headerBytes)
            while true {
                switch FileBytes.read(path, upTo: length) {
                case .failure(let fault): return .fault(fault)
                case .success(let bytes):
                    let outcome = bytes.withUnsafeBytes { bytes in
                        Result { () throws(ImageFault) in try ImageFile.header(bytes) }
                    }
                    switch outcome {
                    case .success(let header): return .image(header)
                    case .failure(.truncated) where length < file.size && bytes.count == length:
                        // A header of more than these bytes, with a colour profile for one.
                        length = min(file.size, 16 * length)
                    case .failure(let fault): return .fault(fault)
                    }
                }
            }
        }
    }

    /// Decodes every file with a good header into its slot.
    private func pixels(
        _ headers: [Header], _ slots: [Int], _ shape: SampleShape
    ) throws(DatasetError) -> (values: [UInt8], faults: [(fault: ImageFault, isUnread: Bool)?], contents: String) {
        let files = listing.files
        let directory = FileName(listing.directory)
        let large = Locked<Void>(())
        let size = shape.featureCount
        let count = headers.count { if case .image = $0 { true } else { false } }
        var faults: [(fault: ImageFault, isUnread: Bool)?] = []
        var contents = ""
        var failure: DatasetError?
        let values = [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialized in
            buffer.initialize(repeating: 0)
            initialized = buffer.count
            // Each file has a slot of its own.
            nonisolated(unsafe) let buffer = buffer
            let digest = ContentsDigest(listing)
            do throws(DatasetError) {
                faults = try inParallel("decoding", filling: nil) { index in
                    let header: ImageHeader
                    switch headers[index] {
                    case .fault(let fault):
                        digest.skip(index)
                        return (fault, true)
                    case .image(let found): header = found
                    }
                    let bytes: [UInt8]
                    switch FileBytes.read(directory / files[index].path, upTo: files[index].size + 1) {
                    case .failure(let fault): return (fault, false)
                    case .success(let read): bytes = read
                    }
                    guard bytes.count == files[index].size else { return (.changed, false) }
                    digest.add(index, bytes)
                    let slot = UnsafeMutableBufferPointer(
                        rebasing: buffer[slots[index] * size..<(slots[index] + 1) * size])
                    func decode() -> ImageFault? { Self.decode(bytes, header, shape, into: slot) }
                    let isLarge = header.width * header.height > Self.manyPixels
                    return (isLarge ? large.withLock { _ in decode() } : decode()).map { ($0, false) }
                }
                contents = digest.text
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return (values, faults, contents)
    }

    /// Decodes one file into its slot, resized where it has another size.
    private static func decode(
        _ bytes: [UInt8], _ header: ImageHeader, _ shape: SampleShape, into slot: UnsafeMutableBufferPointer<UInt8>
    ) -> ImageFault? {
        bytes.withUnsafeBytes { bytes in
            do throws(ImageFault) {
                if (header.width, header.height) == (shape.width, shape.height) {
                    try ImageFile.decode(bytes, header: header, channels: shape.channels, into: slot)
                    return nil
                }
                let length = header.width * header.height * shape.channels
                // The library may need several times as much again for an image in several passes.
                if AvailableMemory.shortage(of: 3 * length) != nil { throw .noMemory(3 * length) }
                let planes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: length)
                defer { planes.deallocate() }
                try ImageFile.decode(bytes, header: header, channels: shape.channels, into: planes)
                PlaneResizer(
                    sourceHeight: header.height, sourceWidth: header.width, height: shape.height, width: shape.width
                ).resize(0..<shape.channels, from: UnsafeBufferPointer(planes), into: slot)
                return nil
            } catch {
                return error
            }
        }
    }

    /// Does something to each file, some at once on every core.
    /// - Returns: [file].
    /// - Throws: ``DatasetError/readingCancelled(directory:)``.
    private func inParallel<Value>(
        _ stage: String, filling value: Value, _ body: (_ file: Int) -> Value
    ) throws(DatasetError) -> [Value] {
        try listing.inParallel(stage, reading, filling: value, body)
    }
}

extension ImageFolderListing {
    /// Does something to each file, some at once on every core.
    /// - Parameters:
    ///   - stage: what is being done, for the progress.
    ///   - value: what the results are at first.
    /// - Returns: [file].
    /// - Throws: ``DatasetError/readingCancelled(directory:)``.
    func inParallel<Value>(
        _ stage: String, _ reading: DatasetReading, filling value: Value, _ body: (_ file: Int) -> Value
    ) throws(DatasetError) -> [Value] {
        let size = ImageFolderDecoder.filesAtOnce
        let done = Atomic(0)
        let isStopped = Atomic(false)
        var values = [Value](repeating: value, count: files.count)
        values.withUnsafeMutableBufferPointer { values in
            // Each index is written by one iteration alone.
            nonisolated(unsafe) let values = values
            nonisolated(unsafe) let body = body
            DispatchQueue.concurrentPerform(iterations: (files.count + size - 1) / size) { block in
                if isStopped.load(ordering: .relaxed) { return }
                if reading.isCancelled() { return isStopped.store(true, ordering: .relaxed) }
                let range = block * size..<min(files.count, (block + 1) * size)
                for index in range { values[index] = body(index) }
                let total = done.add(range.count, ordering: .relaxed).newValue
                reading.progress(stage, total, files.count)
            }
        }
        if isStopped.load(ordering: .relaxed) { throw .readingCancelled(directory: FileName(directory).shown) }
        return values
    }
}

/// A digest of the names and contents of files, which come in any order.
final class ContentsDigest: Sendable {
    private let listing: ImageFolderListing
    /// [file]: of files whose bytes were not all read, of what the listing says.
    private let digests: Locked<[String]>

    init(_ listing: ImageFolderListing) {
        self.listing = listing
        digests = Locked([String](repeating: "", count: listing.files.count))
    }

    /// Takes a file's contents.
    func add(_ file: Int, _ bytes: [UInt8]) {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        let digest = hash.digest
        digests.withLock { $0[file] = digest }
    }

    /// Takes a file as the listing has it.
    func skip(_ file: Int) {
        let digest = listing.files[file].stamp
        digests.withLock { $0[file] = digest }
    }

    /// The digest of all files, in lower-case hexadecimal.
    var text: String {
        var hash = SHA256()
        digests.withLock { digests in
            for (file, digest) in zip(listing.files, digests) {
                file.path.bytes.withUnsafeBytes { hash.update($0) }
                hash.update("\0\(file.label) \(file.isTest) \(digest)\n")
            }
        }
        return hash.digest
    }
}
