import Foundation
import Support
import Testing

@testable import Datasets
import TestSupport

/// IDX sets under other names than MNIST's, with other labels, and with images the other way round.
@Suite struct EMNISTTests {
    private let folder: TemporaryFolder
    private let locator = DatasetLocator(environment: ["HOME": "/nowhere"], systemDirectory: "/nowhere")

    init() throws { folder = try TemporaryFolder() }

    /// Renames the files that ``writeDataset(in:prefix:train:test:height:width:labels:dotted:compressed:seed:)`` wrote.
    private func write(_ name: String, in place: String, testWord: String = "test", compressed: Bool = true) throws {
        let suffix = compressed ? ".gz" : ""
        try writeDataset(in: folder, prefix: "\(place)/", labels: [1, 26, 7], compressed: compressed)
        for (old, new) in [("train", "train"), ("t10k", testWord)] {
            for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
                let target = folder / "\(place)/\(name)\(new)-\(kind)\(suffix)"
                let written = folder / "\(place)/\(old)-\(kind)\(suffix)"
                if target == written { continue }
                unlink(target)
                try FileManager.default.moveItem(atPath: written, toPath: target)
            }
        }
    }

    @Test(
        arguments: [
            ("emnist-letters-", "test", true), ("kmnist-", "t10k", false), ("my set_", "test", false),
            ("", "test", true),
        ]) func anythingMayStandBeforeTheNames(prefix: String, testWord: String, compressed: Bool) throws
    {
        try write(prefix, in: "data", testWord: testWord, compressed: compressed)
        let data = try Dataset.load(directory: folder / "data")
        #expect(data.train.count == 7 && data.test.count == 3)
        // Labels keep their numbers: there is a class 0, and it is empty.
        #expect(data.train.labels == [1, 26, 7, 1, 26, 7, 1] && data.classCount == 27)
        #expect(data.train.countsPerClass[0] == 0 && data.train.countsPerClass[1] == 3)
        #expect(
            data.emptyClassesNote?.contains("the highest label is 26, and 24 of the labels below it have no") == true)
        #expect(data.untrainedClassesNote() == nil)
    }

    @Test func aNameTakesOneOfSeveral() throws {
        for name in ["emnist-digits-", "emnist-letters-", "emnist-mnist-"] { try write(name, in: "gzip") }
        let error = try #require(throws: DatasetError.self) { try locator.find(nil, dataDirectory: folder / "gzip") }
        #expect(error.category == .usage)
        #expect(
            error.description
                == "\(folder / "gzip") holds several data sets, emnist-digits, emnist-letters and emnist-mnist;"
                + " --dataset with one of these names takes it")
        #expect(throws: error) { try locator.find("mnist", dataDirectory: folder / "gzip") }
        #expect(throws: error) { try Dataset.load(directory: folder / "gzip") }
        let found = try locator.find("emnist-letters", dataDirectory: folder / "gzip")
        #expect(found.files.count == 4 && found.files.allSatisfy { $0.contains("/gzip/emnist-letters-t") })
        // Two of them are two data sets, although one folder holds both.
        let two = ["emnist-letters", "emnist-digits"]
        #expect(try locator.find(two, dataDirectory: folder / "gzip").count == 2)
        // Without a name that one of them has, MNIST's own names come first.
        try writeDataset(in: folder, prefix: "gzip/")
        #expect(try locator.find("emnist-letters", dataDirectory: folder / "gzip").files == found.files)
        #expect(
            try locator.find(nil, dataDirectory: folder / "gzip").files[0] == folder / "gzip/train-images-idx3-ubyte")
    }

    /// Another name for files that have one would be that of other data.
    @Test func aNameIsNotForFilesOfAnother() throws {
        try write("kmnist-", in: "data", testWord: "t10k")
        let data = folder / "data"
        for name in ["mnist", "emnist-letters"] {
            let error = try #require(throws: DatasetError.self) { try locator.find(name, dataDirectory: data) }
            #expect(error.category == .usage)
            #expect(
                error.description
                    == "\(data) holds the data set kmnist, and none of another name; --dataset kmnist takes it")
        }
        // Its own name, its folder's, and none.
        for name in ["kmnist", "data", nil] {
            #expect(try locator.find(name, dataDirectory: data).files.count == 4)
        }
        #expect(locator.otherName(than: "mnist", dataDirectory: data) == "data")
        // MNIST's own names are of any data set, unless others lie beside them.
        try writeDataset(in: folder, prefix: "plain/")
        #expect(try locator.find("mine", dataDirectory: folder / "plain").name == "mine")
        try writeDataset(in: folder, prefix: "data/")
        let error = try #require(throws: DatasetError.self) { try locator.find("mine", dataDirectory: data) }
        #expect(error.description.contains("several data sets, data and kmnist;"), "\(error)")
        for name in ["mnist", "data", nil] {
            #expect(try locator.find(name, dataDirectory: data).files[0] == "\(data)/train-images-idx3-ubyte")
        }
    }

    @Test func testFilesOfTwoKindsAreAmbiguous() throws {
        try write("x-", in: "data", testWord: "test")
        try write("x-", in: "data", testWord: "t10k")
        let error = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder / "data") }
        #expect(error.description.contains("x-t10k and x-test"), "\(error)")
    }

    @Test func saysWhichFilesAreMissing() throws {
        try write("emnist-letters-", in: "data")
        unlink(folder / "data/emnist-letters-test-labels-idx1-ubyte.gz")
        let error = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder / "data") }
        #expect(error.description.contains("(lacks emnist-letters-test-labels-idx1-ubyte)"), "\(error)")
        // The rest of one and the rest of another are not one.
        try write("other-", in: "data")
        for kind in ["images-idx3", "labels-idx1"] { unlink(folder / "data/other-train-\(kind)-ubyte.gz") }
        let mixed = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder / "data") }
        #expect(mixed.description.contains("(lacks emnist-letters-test-labels-idx1-ubyte)"), "\(mixed)")
    }

    @Test func transposedImagesHaveRowsForColumns() throws {
        // Two images of 2 channels, 2 rows and 3 columns.
        let set = try SampleSet(
            pixels: (0..<24).map { UInt8($0) }, labels: [4, 1], channels: 2, height: 2, width: 3)
        let turned = try set.transposed()
        #expect(turned.shape == SampleShape(channels: 2, height: 3, width: 2) && turned.labels == [4, 1])
        #expect(
            turned.pixels == [
                0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, 12, 15, 13, 16, 14, 17, 18, 21, 19, 22, 20, 23,
            ])
        #expect(try turned.transposed().pixels == set.pixels)
        let floats = SampleSet(valid: .floats([1, 2, 3, 4]), count: 1, shape: SampleShape(height: 2, width: 2))
        guard case .floats([1, 3, 2, 4]) = try floats.transposed().values else {
            Issue.record("not transposed")
            return
        }
        try writeDataset(in: folder, prefix: "data/")
        let location = try locator.find(nil, dataDirectory: folder / "data")
        let (upright, lying) = (try Dataset.load(location), try Dataset.load(location, transposed: true))
        #expect(lying.train.shape == SampleShape(height: 4, width: 5) && lying.test.shape == lying.train.shape)
        #expect(try lying.train.transposed().pixels == upright.train.pixels && lying.channels == upright.channels)
    }

    @Test func valuesInAFileAreNotTransposed() throws {
        try NumPy.write([Float](repeating: 1, count: 6), shape: [2, 3], to: folder / "x.npy")
        let samples = try Formats.matrix(folder / "x.npy")
        let error = try #require(throws: DatasetError.self) { try samples.transposed() }
        #expect(error.category == .badData && error.description.contains("memory"))
    }
}
