import Foundation
import Support
import Testing

@testable import Datasets
import TestSupport

/// Records of CIFAR's layout: their labels, then noise for pixels.
func cifarRecords(_ labels: [[UInt8]], seed: Int = 1) -> [UInt8] {
    var noise = Noise(seed)
    return labels.flatMap { $0 + noise.bytes(3072) }
}

/// The six files of a made CIFAR-10, with `perFile` records each, of the classes 0, 1, 2 … in turn.
func writeCIFAR10(in folder: TemporaryFolder, prefix: String = "", perFile: Int = 3) throws {
    let names = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]
    for (index, name) in names.enumerated() {
        let labels = (0..<perFile).map { [UInt8((index * perFile + $0) % 10)] }
        _ = try folder.file(prefix + name, cifarRecords(labels, seed: index))
    }
}

@Suite struct CIFARTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func locator(_ environment: [String: String] = [:]) -> DatasetLocator {
        DatasetLocator(
            environment: EnvironmentVariables(
                environment.merging(["HOME": folder / "home"]) { given, _ in given }),
            systemDirectory: folder / "system")
    }

    /// In the folder itself, and in the one that unpacking the archive makes there.
    @Test(arguments: ["", "cifar-10-batches-bin/"]) func readsTheFilesInTheirOrder(place: String) throws {
        try writeCIFAR10(in: folder, prefix: "data/" + place)
        let data = try Dataset.load(directory: folder / "data")
        #expect(data.name == "data" && data.classCount == 10)
        #expect(data.train.count == 15 && data.test.count == 3)
        #expect(data.train.shape == SampleShape(channels: 3, height: 32, width: 32))
        #expect(data.train.labels == (0..<15).map { UInt8($0 % 10) } && data.test.labels == [5, 6, 7])
        // Planes stay as they are: red, green, blue, each row by row.
        let expected = (0..<5).flatMap { file -> [UInt8] in
            var noise = Noise(file)
            return noise.bytes(3 * 3072)
        }
        let isEqual = data.train.pixels == expected
        #expect(isEqual)
        #expect(data.channels.count == 3 && Set(data.channels).count == 3)
        let info = try describe(DatasetLocator.location(directory: folder / "data", name: nil))
        #expect(info.train.channels == 3 && info.files.count == 6 && info.mean.values.count == 3)
    }

    @Test func theClassOfCIFAR100IsTheFineLabel() throws {
        _ = try folder.file("train.bin", cifarRecords([[0, 99], [19, 5], [7, 0]]))
        _ = try folder.file("test.bin", cifarRecords([[3, 42]]))
        let data = try Dataset.load(directory: folder.path)
        #expect(data.train.labels == [99, 5, 0] && data.test.labels == [42] && data.classCount == 100)
        var noise = Noise(1)
        let isEqual = data.train.pixels == noise.bytes(3 * 3072)
        #expect(isEqual)
    }

    /// More records than are read at once, and a label that is wrong among the last of them.
    @Test func readsLongFiles() throws {
        try writeCIFAR10(in: folder)
        var records = cifarRecords((0..<1030).map { [UInt8($0 % 10)] }, seed: 9)
        _ = try folder.file("data_batch_2.bin", records)
        let data = try Dataset.load(directory: folder.path)
        #expect(data.train.count == 1042 && data.train.labels[3 + 1029] == 9)
        let isEqual = data.train.pixels.map { Array($0[(3 + 1029) * 3072..<(3 + 1030) * 3072]) } == records.suffix(3072)
        #expect(isEqual)
        records[1028 * 3073] = 10
        let path = try folder.file("data_batch_2.bin", records)
        #expect(
            throws: DatasetError.malformed(
                file: path, reason: "record 1028 (counted from 0) has the label 10; CIFAR-10 has 0 to 9")
        ) { try Dataset.load(directory: folder.path) }
    }

    @Test func refusesDamagedFilesByNameAndRecord() throws {
        try writeCIFAR10(in: folder, prefix: "ten/")
        let good = cifarRecords([[1], [2], [3]])
        func expect(_ bytes: [UInt8], _ words: String, in file: String = "ten/data_batch_4.bin") throws {
            let path = try folder.file(file, bytes)
            let directory = Paths.folder(of: path)
            let error = try #require(throws: DatasetError.self) { try Dataset.load(directory: directory) }
            #expect(error.category == .badData && error.description.hasPrefix("\(path): "), "\(error)")
            #expect(error.description.contains(words), "\(error)")
        }
        try expect(good.dropLast(), "truncated: record 2 (counted from 0) has 3072 bytes; CIFAR-10's records have 3073")
        try expect(good + [0], "truncated: record 3 (counted from 0) has 1 bytes")
        try expect([5], "record 0 (counted from 0) has 1 bytes")
        try expect([], "empty")
        try expect(gzip(good), "truncated")
        _ = try folder.file("ten/data_batch_4.bin", good)
        try expect([10] + good.dropFirst(), "record 0 (counted from 0) has the label 10", in: "ten/test_batch.bin")
        _ = try folder.file("hundred/train.bin", cifarRecords([[0, 0]]))
        try expect(
            cifarRecords([[0, 1], [0, 100]]), "record 1 (counted from 0) has the fine label 100", in: "hundred/test.bin"
        )
        try expect(cifarRecords([[20, 1]]), "coarse label 20; CIFAR-100 has 0 to 19", in: "hundred/test.bin")
        // Files of the other one are no whole number of records.
        try expect(cifarRecords([[0, 1], [0, 2]]), "truncated", in: "ten/test_batch.bin")
    }

    @Test func saysWhichFilesAreMissing() throws {
        try writeCIFAR10(in: folder, prefix: "part/")
        try FileManager.default.removeItem(atPath: folder / "part/data_batch_3.bin")
        let error = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder / "part") }
        #expect(error.description.contains("lacks data_batch_3.bin)") && error.category == .noInput)
        #expect(error.description.contains("data_batch_1.bin to data_batch_5.bin and test_batch.bin"))
    }

    @Test func aKnownNameIsNotForAnotherLayout() throws {
        try writeCIFAR10(in: folder, prefix: "photos/")
        try writeDataset(in: folder, prefix: "digits/")
        let (photos, digits) = (folder / "photos", folder / "digits")
        #expect(try locator().find("cifar10", dataDirectory: photos).name == "cifar10")
        #expect(try locator().find("mine", dataDirectory: photos).name == "mine")
        for (name, directory, owners) in [
            ("mnist", photos, "cifar10"), ("cifar100", photos, "cifar10"),
            ("cifar10", digits, "mnist or fashion-mnist"),
        ] {
            let error = try #require(throws: DatasetError.self) { try locator().find(name, dataDirectory: directory) }
            #expect(error.description.contains("\(directory) (which has the files of \(owners))"), "\(error)")
        }
        #expect(locator().otherName(than: "mnist", dataDirectory: photos) == "photos")
        #expect(locator().otherName(than: "cifar10", dataDirectory: photos) == nil)
        #expect(locator().otherName(than: "mnist", dataDirectory: digits) == nil)
        #expect(locator().otherName(than: "mine", dataDirectory: photos) == nil)
        #expect(locator().otherName(than: "mnist", dataDirectory: folder / "none") == nil)
        // A folder of that name in it comes first.
        try writeDataset(in: folder, prefix: "photos/mnist/")
        #expect(locator().otherName(than: "mnist", dataDirectory: photos) == nil)
    }

    @Test func findsWhatArchivesMake() throws {
        try writeCIFAR10(in: folder, prefix: "data/cifar-10-batches-bin/")
        let withData = locator(["COPPICE_DATA": folder / "data"])
        #expect(try withData.find("cifar10").directory == folder / "data/cifar-10-batches-bin")
        let listing = DatasetListing.all(withData)
        #expect(listing.map(\.name) == ["mnist", "fashion-mnist", "cifar10", "cifar100"])
        #expect(listing[2].directory == folder / "data/cifar-10-batches-bin" && listing[2].remedy == nil)
        // Two archives in one folder: a name takes one of them.
        _ = try folder.file("data/cifar-100-binary/train.bin", cifarRecords([[0, 1]]))
        _ = try folder.file("data/cifar-100-binary/test.bin", cifarRecords([[0, 1]]))
        let error = try #require(throws: DatasetError.self) { try locator().find(nil, dataDirectory: folder / "data") }
        #expect(error.category == .usage && error.description.contains("cifar10 and cifar100"), "\(error)")
        #expect(try locator().find("cifar100", dataDirectory: folder / "data").files.count == 2)
        #expect(try locator().find("cifar10", dataDirectory: folder / "data").files.count == 6)
        #expect(try locator().find(["cifar10", "cifar100"], dataDirectory: folder / "data").count == 2)
    }
}
