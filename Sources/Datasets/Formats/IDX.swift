import Foundation
import Support

/// An array of unsigned bytes in the IDX format of the MNIST database: a magic number (0, 0, 8 for unsigned bytes, the
/// number of dimensions), each dimension as a big-endian 32-bit number, then the bytes, last dimension fastest.
package struct IDX: Sendable, Equatable, KnownContents {
    /// The dimensions, slowest first: [count] for labels, [count, height, width] for images.
    package let dimensions: [Int]
    /// The elements; as many as the dimensions' product.
    package let bytes: [UInt8]

    /// Reads a file with `rank` dimensions, through gzip (of one member or several) where the contents are gzip,
    /// whatever the name says.
    ///
    /// Memory follows what the file holds; a header that promises more is an error before anything is allocated for it.
    /// - Throws: ``DatasetError`` `.file`, `.wrongMagic`, `.truncated`, `.oversized`, `.corruptGzip`, `.empty`.
    package static func read(_ path: String, rank: Int) throws(DatasetError) -> IDX {
        let reader = try ByteReader(path: path)
        let headerSize = 4 + 4 * rank
        let header = try reader.read(upTo: headerSize)
        guard !header.isEmpty else { throw .empty(file: path) }
        let words = stride(from: 0, to: header.count - 3, by: 4).map { index in
            header[index..<index + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        let magic = magicNumber(rank: rank)
        if let found = words.first, found != magic {
            throw .wrongMagic(file: path, expected: magic, found: found)
        }
        guard header.count == headerSize else {
            throw .truncated(file: path, expected: headerSize, found: header.count)
        }
        let dimensions = words[1...].map(Int.init)
        guard !dimensions.contains(0) else { throw .empty(file: path) }
        var payload = 1
        for dimension in dimensions {
            let (product, overflow) = payload.multipliedReportingOverflow(by: dimension)
            guard !overflow, product < Int.max - headerSize else {
                throw .malformed(file: path, reason: "its header's dimensions \(dimensions) are beyond any file")
            }
            payload = product
        }
        let expected = headerSize + payload
        if !reader.isCompressed {
            guard reader.fileSize >= expected else {
                throw .truncated(file: path, expected: expected, found: reader.fileSize)
            }
            guard reader.fileSize == expected else { throw .oversized(file: path, expected: expected) }
        }
        let bytes = try reader.read(upTo: payload)
        guard bytes.count == payload else {
            throw .truncated(file: path, expected: expected, found: headerSize + bytes.count)
        }
        guard try reader.isAtEnd() else { throw .oversized(file: path, expected: expected) }
        return IDX(dimensions: dimensions, bytes: bytes)
    }

    /// Writes `bytes` with these dimensions, uncompressed, whole or not at all.
    /// - Throws: ``DatasetError`` `.malformed` when the shape does not fit, `.file`.
    package static func write(_ bytes: [UInt8], dimensions: [Int], to path: String) throws(DatasetError) {
        guard !dimensions.isEmpty, dimensions.allSatisfy({ (1...Int(UInt32.max)).contains($0) }),
            dimensions.count < 256, product(dimensions) == bytes.count
        else {
            throw .malformed(file: path, reason: "\(bytes.count) bytes do not have the dimensions \(dimensions)")
        }
        let header = header(dimensions: dimensions)
        try inFiles { () throws(FileError) in try AtomicFile.write(header: header, elements: bytes, to: path) }
    }

    /// Bytes of the uncompressed file.
    var uncompressedSize: Int { 4 + 4 * dimensions.count + bytes.count }

    /// SHA-256 of the uncompressed file, in lower-case hexadecimal.
    var sha256: String {
        var hash = SHA256()
        Self.header(dimensions: dimensions).withUnsafeBytes { hash.update($0) }
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.digest
    }

    /// SHA-256 of the uncompressed file's beginning, as ``KnownFile/startSHA256`` has it.
    var startSHA256: String {
        var hash = SHA256()
        let header = Self.header(dimensions: dimensions)
        header.withUnsafeBytes { hash.update($0) }
        bytes.prefix(KnownFile.startByteCount - header.count).withUnsafeBytes { hash.update($0) }
        return hash.digest
    }

    private static func magicNumber(rank: Int) -> UInt32 { 0x0800 | UInt32(rank) }

    private static func header(dimensions: [Int]) -> [UInt8] {
        ([magicNumber(rank: dimensions.count)] + dimensions.map { UInt32($0) }).flatMap { word in
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
        }
    }
}

/// The four parts of a data set of images in IDX files, under the names that MNIST gave them.
enum DatasetPart: String, CaseIterable, Sendable {
    case trainImages = "train-images-idx3-ubyte"
    case trainLabels = "train-labels-idx1-ubyte"
    case testImages = "t10k-images-idx3-ubyte"
    case testLabels = "t10k-labels-idx1-ubyte"

    /// What MNIST begins the names of test files with, and what other data sets do.
    fileprivate static let testWords = ["t10k", "test"]

    /// The name where test files begin with `testWord`.
    fileprivate func name(_ testWord: String) -> String {
        rawValue.hasPrefix(Self.testWords[0]) ? testWord + rawValue.dropFirst(Self.testWords[0].count) : rawValue
    }

    /// Endings of names under which the part is accepted, best first.
    fileprivate func endings(_ testWord: String) -> [String] {
        let dashed = name(testWord)
        let dotted = dashed.replacingOccurrences(of: "-idx", with: ".idx")
        return [dashed, dashed + ".gz", dotted, dotted + ".gz"]
    }
}

/// Four IDX files of any images, named like MNIST's, each with or without .gz. All names may have the same prefix, such as
/// `emnist-letters-`, and test files may be called `test-…` instead of `t10k-…`.
struct IDXFolder: FolderFormat {
    let knownNames = [KnownDataset.mnist.name, KnownDataset.fashionMNIST.name]

    var accepted: String {
        "a folder with \(DatasetPart.allCases.map(\.rawValue).joined(separator: ", ")), each with or without .gz"
    }

    func look(in directory: String) -> FolderContents { look(in: directory, for: nil) }

    func look(in directory: String, for name: String?) -> FolderContents {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter {
            !$0.hasPrefix(".") && ($0.hasSuffix("-ubyte") || $0.hasSuffix("-ubyte.gz")) && isFile("\(directory)/\($0)")
        }
        let candidates = IDXFiles.all(among: names)
        let complete = candidates.filter(\.missing.isEmpty)
        let folder = URL(fileURLWithPath: directory).standardizedFileURL.lastPathComponent
        func title(_ files: IDXFiles) -> String { files.prefix.isEmpty ? folder : files.title(among: complete) }
        // The set that is called so, else MNIST's own names, whatever else is there, else the only set. Files with a prefix have
        // a name: under another one they would be taken for what they are not.
        let unnamed = complete.first(where: \.prefix.isEmpty)
        let isFree = name == nil || name == folder || complete.allSatisfy(\.prefix.isEmpty)
        let isKnown = name.map(knownNames.contains) ?? false
        if let chosen = complete.first(where: { !$0.prefix.isEmpty && title($0) == name })
            ?? (isFree || isKnown ? unnamed : nil) ?? (isFree && complete.count == 1 ? complete.first : nil)
        {
            return .complete(files: chosen.files.map { "\(directory)/\($0)" })
        }
        if !complete.isEmpty { return .several(names: complete.map(title)) }
        // Of those that are not complete, the one that lacks least.
        return candidates.min { $0.missing.count < $1.missing.count }.map { .lacking(files: $0.missing) } ?? .foreign
    }

    /// - Throws: ``DatasetError``: every fault of ``IDX/read(_:rank:)``, `.countMismatch`, and `.malformed` where a file is
    ///   known to be another one.
    func read(_ location: DatasetLocation) throws(DatasetError) -> (train: SampleSet, test: SampleSet) {
        // The small files first: a fault in them shows before the large ones are read.
        let test = try images(.testImages, .testLabels, location)
        return (try images(.trainImages, .trainLabels, location), test)
    }

    private func images(
        _ imagePart: DatasetPart, _ labelPart: DatasetPart, _ location: DatasetLocation
    ) throws(DatasetError) -> SampleSet {
        let (imagePath, images) = try array(imagePart, rank: 3, location)
        let (labelPath, labels) = try array(labelPart, rank: 1, location)
        guard images.dimensions[0] == labels.dimensions[0] else {
            throw .countMismatch(
                images: imagePath, imageCount: images.dimensions[0], labels: labelPath,
                labelCount: labels.dimensions[0])
        }
        return try SampleSet(
            pixels: images.bytes, labels: labels.bytes, height: images.dimensions[1], width: images.dimensions[2],
            origin: imagePath)
    }

    private func array(
        _ part: DatasetPart, rank: Int, _ location: DatasetLocation
    ) throws(DatasetError) -> (path: String, array: IDX) {
        // The files of a location are in the order of the parts.
        guard let index = DatasetPart.allCases.firstIndex(of: part), index < location.files.count else {
            throw .file(.unreadable(file: location.directory, reason: "it lacks \(part.rawValue)"))
        }
        let array = try IDX.read(location.files[index], rank: rank)
        try KnownDataset.check(array, at: location.files[index], as: part.rawValue, of: location.name)
        return (location.files[index], array)
    }
}

/// The files of one data set among the names in a folder.
private struct IDXFiles {
    /// The prefix of every name; empty for MNIST's own.
    let prefix: String
    /// What the names of its test files begin with.
    let testWord: String
    /// The names that are there, in the order of the parts.
    let files: [String]
    /// The names of the parts that are not.
    let missing: [String]

    /// What it is called: what stands before the names, without what joins it to them.
    func title(among others: [IDXFiles]) -> String {
        if others.count(where: { $0.prefix == prefix }) > 1 { return prefix + testWord }
        return String(prefix.reversed().drop { "-_.".contains($0) }.reversed())
    }

    /// Every data set of which a part is there, in order of what stands before the names. Test files that begin with `t10k`
    /// and others that begin with `test` make two.
    static func all(among names: [String]) -> [IDXFiles] {
        var prefixes: Set<String> = []
        for ending in DatasetPart.testWords.flatMap({ word in DatasetPart.allCases.flatMap { $0.endings(word) } }) {
            for name in names where name.hasSuffix(ending) { prefixes.insert(String(name.dropLast(ending.count))) }
        }
        let names = Set(names)
        return prefixes.sorted().flatMap { prefix in
            let candidates = DatasetPart.testWords.map { word in
                let parts = DatasetPart.allCases.map { part in
                    (name: part.name(word), file: part.endings(word).map { prefix + $0 }.first(where: names.contains))
                }
                return IDXFiles(
                    prefix: prefix, testWord: word, files: parts.compactMap(\.file),
                    missing: parts.filter { $0.file == nil }.map { prefix + $0.name })
            }
            let least = candidates.map(\.missing.count).min()
            let best = candidates.filter { $0.missing.count == least }
            // Where no test file is there, MNIST's are missing.
            return least == 0 ? best : Array(best.prefix(1))
        }
    }
}
