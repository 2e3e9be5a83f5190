import Foundation
import Support

/// The binary version of CIFAR-10 or CIFAR-100 (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images",
/// 2009): files of records without a header, each of which is the labels of an image, a byte each, and then its red, green
/// and blue plane of 32x32 bytes.
struct CIFARFolder: FolderFormat {
    /// The data set's name for people: "CIFAR-10".
    private let title: String
    /// Its name among the known data sets.
    private let name: String
    /// The folder that its archive makes.
    private let archiveFolder: String
    private let trainFiles: [String]
    private let testFile: String
    /// What each label of a record counts, and how many there are of it; the last label is the class.
    private let labels: [(name: String, count: Int)]

    /// CIFAR-10: five files of training images and one of test images, with one label per record.
    static let ten = CIFARFolder(
        title: "CIFAR-10", name: KnownDataset.cifar10.name, archiveFolder: "cifar-10-batches-bin",
        trainFiles: (1...5).map { "data_batch_\($0).bin" }, testFile: "test_batch.bin", labels: [("label", 10)])

    /// CIFAR-100: a file each, with a coarse and a fine label per record.
    static let hundred = CIFARFolder(
        title: "CIFAR-100", name: KnownDataset.cifar100.name, archiveFolder: "cifar-100-binary",
        trainFiles: ["train.bin"], testFile: "test.bin", labels: [("coarse label", 20), ("fine label", 100)])

    private static let shape = SampleShape(channels: 3, height: 32, width: 32)
    /// Bytes of a record.
    private var recordSize: Int { labels.count + Self.shape.featureCount }

    var knownNames: [String] { [name] }

    var accepted: String {
        let files =
            trainFiles.count > 1 ? "\(trainFiles[0]) to \(trainFiles[trainFiles.count - 1])" : trainFiles.joined()
        return "a folder with \(files) and \(testFile) (\(title)'s binary version)"
    }

    /// The files lie in the folder itself, or in the one that unpacking the archive makes there.
    func look(in directory: String) -> FolderContents {
        let names = trainFiles + [testFile]
        var lacking: [String] = []
        for place in [directory, "\(directory)/\(archiveFolder)"] {
            let missing = names.filter { !isFile("\(place)/\($0)") }
            if missing.isEmpty { return .complete(files: names.map { "\(place)/\($0)" }) }
            if lacking.isEmpty, missing.count < names.count { lacking = missing }
        }
        return lacking.isEmpty ? .foreign : .lacking(files: lacking)
    }

    /// - Throws: ``DatasetError``: `.file`, `.empty`, `.outOfMemory`, and `.malformed`, which names the record, for a file
    ///   that ends within one and for a label that there is not.
    func read(_ location: DatasetLocation) throws(DatasetError) -> (train: SampleSet, test: SampleSet) {
        // The smaller part first: a fault in it shows before the large one is read.
        let test = try samples(Array(location.files.suffix(1)))
        return (try samples(Array(location.files.dropLast())), test)
    }

    private func samples(_ paths: [String]) throws(DatasetError) -> SampleSet {
        let readers = try paths.map { path throws(DatasetError) in try reader(path) }
        let count = readers.reduce(0) { $0 + $1.fileSize / recordSize }
        let origin = paths[0]
        try SampleSet.check(count: count, origin: origin)
        let byteCount = count * Self.shape.featureCount
        if let least = AvailableMemory.shortage(of: byteCount) {
            throw .outOfMemory(file: origin, needed: byteCount, available: least.bytes, source: least.source)
        }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(byteCount)
        var classes: [UInt8] = []
        for reader in readers { try append(reader, to: &pixels, &classes) }
        return try SampleSet(
            pixels: pixels, labels: classes, channels: Self.shape.channels, height: Self.shape.height,
            width: Self.shape.width, origin: origin)
    }

    /// Opens a file of whole records. Their first byte is never that of a gzip file.
    private func reader(_ path: String) throws(DatasetError) -> ByteReader {
        let reader = try ByteReader(path: path, decompresses: false)
        guard reader.fileSize > 0 else { throw .empty(file: path) }
        let rest = reader.fileSize % recordSize
        guard rest == 0 else { throw cut(path, record: reader.fileSize / recordSize, at: rest) }
        return reader
    }

    private func append(
        _ reader: ByteReader, to pixels: inout [UInt8], _ classes: inout [UInt8]
    ) throws(DatasetError) {
        let count = reader.fileSize / recordSize
        for first in stride(from: 0, to: count, by: 1024) {
            let wanted = min(1024, count - first) * recordSize
            let records = try reader.read(upTo: wanted)
            guard records.count == wanted else {
                throw cut(reader.path, record: first + records.count / recordSize, at: records.count % recordSize)
            }
            for start in stride(from: 0, to: wanted, by: recordSize) {
                for (index, label) in labels.enumerated() where records[start + index] >= label.count {
                    throw .malformed(
                        file: reader.path,
                        reason: "record \(first + start / recordSize) (counted from 0) has the \(label.name)"
                            + " \(records[start + index]); \(title) has 0 to \(label.count - 1)")
                }
                classes.append(records[start + labels.count - 1])
                pixels += records[start + labels.count..<start + recordSize]
            }
        }
    }

    private func cut(_ path: String, record: Int, at byte: Int) -> DatasetError {
        .malformed(
            file: path,
            reason: "truncated: record \(record) (counted from 0) has \(byte) bytes; \(title)'s records have"
                + " \(recordSize)")
    }
}
