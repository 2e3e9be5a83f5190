import Foundation
import Ranks
import Support

/// The file from which an interrupted clustering by Lloyd's iterations continues.
///
/// It has a magic number, the format's number, the SHA-256 of everything after it as 64 hexadecimal digits, four numbers (bytes
/// of text, k, dimensions, iterations), the text (names and values, each followed by a zero byte), and the centroids. Numbers
/// are 64-bit, centroids float32, all little-endian.
package struct KMeansCheckpoint: Equatable, Sendable {
    /// Everything that the clustering depends on except the number of ranks: files, options, seed.
    package var key: [Agreement]
    /// The device that computed it, and its driver. Another one may round differently.
    package var device: String
    /// k.
    package var k: Int
    /// d.
    package var dimensions: Int
    /// The state to continue from.
    package var state: LloydState

    /// - Parameters:
    ///   - state: a state with k x d centroids.
    package init(key: [Agreement], device: String, k: Int, dimensions: Int, state: LloydState) {
        self.key = key
        self.device = device
        self.k = k
        self.dimensions = dimensions
        self.state = state
    }

    /// The number of the format. It also rises when the same options come to other bits.
    package static let format = 1
    private static let magic = Array("COPKMEAN".utf8)
    private static let digestCount = 64
    private static let digested = magic.count + 8 + digestCount
    private static let headerCount = digested + 4 * 8

    /// Names and values as text; the device is the last of them.
    private var text: [UInt8] { Agreement.encoded(key + [Agreement("the device", device)]) }

    /// Writes the file, or leaves the old one if that fails.
    /// - Throws: ``FileError``.
    package func write(to path: String) throws(FileError) {
        let text = text
        let body = [text.count, k, dimensions, state.iterations].flatMap { Self.bytes($0) } + text
        let digest = Array(Self.digest(body, state.centroids).utf8)
        let header = Self.magic + Self.bytes(Self.format) + digest + body
        try AtomicFile.write(header: header, elements: state.centroids, to: path)
    }

    /// Reads a file; nil if there is none.
    /// - Throws: ``CheckpointError/file(_:)``, ``CheckpointError/damaged(file:reason:)``,
    ///   ``CheckpointError/otherFormat(file:format:)``.
    package static func read(_ path: String) throws(CheckpointError) -> KMeansCheckpoint? {
        // Without O_NONBLOCK, opening a pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .file(.unreadable(file: path, reason: systemMessage()))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .file(.unreadable(file: path, reason: "it is not a regular file"))
        }
        let size = Int(status.st_size)
        let header = try bytes(min(size, headerCount), from: descriptor, path)
        guard header.starts(with: magic) else {
            throw .damaged(file: path, reason: "it does not begin like a checkpoint")
        }
        guard header.count == headerCount else { throw .damaged(file: path, reason: "it ends too soon") }
        let format = number(header, at: magic.count)
        guard format == UInt64(Self.format) else { throw .otherFormat(file: path, format: format) }
        let numbers = (0..<4).map { Int(exactly: number(header, at: digested + 8 * $0)) ?? -1 }
        let (textCount, k, dimensions, iterations) = (numbers[0], numbers[1], numbers[2], numbers[3])
        let elements = (size - headerCount - textCount) / MemoryLayout<Float>.stride
        guard (0...size - headerCount).contains(textCount), k > 0, dimensions > 0, iterations > 0,
            product(k, dimensions) == elements,
            size == headerCount + textCount + elements * MemoryLayout<Float>.stride
        else {
            throw .damaged(
                file: path,
                reason: "its \(size) bytes do not match the sizes in its header")
        }
        let text = try bytes(textCount, from: descriptor, path)
        var failure: CheckpointError?
        let centroids = [Float](unsafeUninitializedCapacity: elements) { room, count in
            let destination = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(room)[..<(4 * elements)])
            do throws(CheckpointError) { try fill(destination, from: descriptor, path) } catch { failure = error }
            count = failure == nil ? elements : 0
        }
        if let failure { throw failure }
        let digest = digest(Array(header[digested...]) + text, centroids)
        guard Array(digest.utf8) == Array(header[magic.count + 8..<digested]) else {
            throw .damaged(file: path, reason: "its checksum is wrong")
        }
        guard let agreements = agreements(text), let device = agreements.last,
            centroids.allSatisfy(\.isFinite)
        else { throw .damaged(file: path, reason: "its values are impossible") }
        return KMeansCheckpoint(
            key: agreements.dropLast(), device: device.value, k: k, dimensions: dimensions,
            state: LloydState(iterations: iterations, centroids: centroids))
    }

    /// Refuses a checkpoint of another clustering.
    /// - Parameters:
    ///   - key: what this clustering depends on.
    ///   - file: the name of the checkpoint in errors.
    /// - Throws: ``CheckpointError/otherClustering(file:name:found:wanted:)``.
    package func check(
        against key: [Agreement], k: Int, dimensions: Int, file: String
    ) throws(CheckpointError) {
        let extents = { (k: Int, dimensions: Int) in
            [Agreement("the number of centroids", "\(k)"), Agreement("the numbers per centroid", "\(dimensions)")]
        }
        let found = self.key + extents(self.k, self.dimensions)
        let wanted = key + extents(k, dimensions)
        var names = wanted.map(\.name)
        for name in found.map(\.name) where !names.contains(name) { names.append(name) }
        for name in names {
            let (there, here) = (found.first { $0.name == name }?.value, wanted.first { $0.name == name }?.value)
            guard there != here else { continue }
            throw .otherClustering(file: file, name: name, found: there ?? "nothing", wanted: here ?? "nothing")
        }
    }

    // MARK: - Bytes

    private static func bytes(_ value: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(value).littleEndian) { Array($0) }
    }

    private static func number(_ bytes: [UInt8], at start: Int) -> UInt64 {
        bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func digest(_ body: [UInt8], _ centroids: [Float]) -> String {
        var hash = SHA256()
        body.withUnsafeBytes { hash.update($0) }
        centroids.withUnsafeBytes { hash.update($0) }
        return hash.digest
    }

    /// Nil for text that ``Agreement/encoded(_:)`` does not make.
    private static func agreements(_ text: [UInt8]) -> [Agreement]? {
        guard let string = String(validating: text, as: UTF8.self), !text.isEmpty else { return nil }
        let isPlain = string.unicodeScalars.allSatisfy { $0.value == 0 || $0.properties.generalCategory != .control }
        let agreements = Agreement.decoded(text[...])
        return isPlain && Agreement.encoded(agreements) == text ? agreements : nil
    }

    private static func bytes(_ count: Int, from descriptor: Int32, _ path: String) throws(CheckpointError) -> [UInt8] {
        var failure: CheckpointError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            let destination = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(room)[..<count])
            do throws(CheckpointError) { try fill(destination, from: descriptor, path) } catch { failure = error }
            filled = failure == nil ? count : 0
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads on until `destination` is full.
    private static func fill(
        _ destination: UnsafeMutableRawBufferPointer, from descriptor: Int32, _ path: String
    ) throws(CheckpointError) {
        var filled = 0
        while filled < destination.count {
            let count = Foundation.read(
                descriptor, destination.baseAddress?.advanced(by: filled), destination.count - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(.unreadable(file: path, reason: systemMessage())) }
            guard count > 0 else { throw .damaged(file: path, reason: "it became shorter while it was read") }
            filled += count
        }
    }
}

/// The reason why a clustering does not continue from a checkpoint. Each description is one sentence.
package enum CheckpointError: Equatable, CategorizedError {
    /// A file that cannot be read.
    case file(FileError)
    /// A file that is not a checkpoint, or was changed.
    case damaged(file: String, reason: String)
    /// A checkpoint in another format.
    case otherFormat(file: String, format: UInt64)
    /// A checkpoint of other samples or options.
    case otherClustering(file: String, name: String, found: String, wanted: String)

    package var category: ErrorCategory {
        if case .file(let error) = self { error.category } else { .badData }
    }

    package var description: String {
        switch self {
        case .file(let error): error.description
        case .damaged(let file, let reason):
            "\(file): \(reason); a checkpoint that a clustering left is needed, and without --resume the clustering starts "
                + "again"
        case .otherFormat(let file, let format):
            "\(file) is a checkpoint of format \(format), and this version reads format \(KMeansCheckpoint.format); go on "
                + "with the version that made it, or start again without --resume"
        case .otherClustering(let file, let name, let found, let wanted):
            "\(file) is of another clustering: \(excerpt(name, longest: 40)) is \(excerpt(found)) there and "
                + "\(excerpt(wanted)) here; give the same files and options, or start again without --resume"
        }
    }
}
