import Foundation
import Testing

@testable import Datasets
import TestSupport

/// What `data info` says of a data set.
func describe(_ location: DatasetLocation) throws -> DatasetInfo {
    try DatasetInfo(try Dataset.load(location), from: location)
}

@Suite struct DatasetTests {
    @Test(arguments: [(5, 4, false, false), (1, 7, true, false), (28, 28, false, true), (3, 2, true, true)])
    func loadsAnyFolderOfFourFiles(height: Int, width: Int, dotted: Bool, compressed: Bool) throws {
        let folder = try TemporaryFolder()
        try writeDataset(
            in: folder, height: height, width: width, labels: [0, 255, 3], dotted: dotted, compressed: compressed)
        let dataset = try Dataset.load(directory: folder.path)
        #expect(dataset.name == URL(fileURLWithPath: folder.path).lastPathComponent)
        #expect(dataset.train.count == 7 && dataset.test.count == 3)
        #expect(dataset.train.shape == SampleShape(height: height, width: width))
        #expect(dataset.train.labels == [0, 255, 3, 0, 255, 3, 0])
        #expect(dataset.classCount == 256)
        #expect(dataset.train.countsPerClass.reduce(0, +) == 7)
        #expect(dataset.train.countsPerClass[0] == 3 && dataset.train.countsPerClass[1] == 0)
        var noise = Noise(1)
        #expect(dataset.train.pixels == noise.bytes(7 * height * width))
    }

    @Test(arguments: [1, 2, 3, 5, 1021], 1...3)
    func meanAndDeviationAreThoseOfTheDefinition(count: Int, seed: Int) throws {
        var noise = Noise(seed)
        let pixels = noise.bytes(count)
        let values = pixels.map { Double($0) / 255 }
        let mean = values.reduce(0, +) / Double(count)
        let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(count)
        let statistics = try #require(ChannelStatistics.of(.bytes(pixels), shape: .vector(count)).first)
        #expect(abs(statistics.mean - mean) < 1e-14)
        #expect(abs(statistics.std - variance.squareRoot()) < 1e-14)
    }

    /// Channels that differ: each has its own mean and deviation, of bytes as of floats.
    @Test(arguments: [true, false]) func everyChannelHasItsStatistics(isBytes: Bool) throws {
        let shape = SampleShape(channels: 3, height: 2, width: 5)
        var noise = Noise(7)
        let bytes = noise.bytes(4 * shape.featureCount).enumerated().map { index, byte in
            byte / UInt8(1 + index / shape.planeSize % 3)
        }
        let unit = isBytes ? 255.0 : 1
        let values: SampleValues = isBytes ? .bytes(bytes) : .floats(bytes.map { Float($0) })
        let statistics = ChannelStatistics.of(values, shape: shape)
        func expect(_ found: ChannelStatistics, _ values: [Double]) {
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)
            #expect(abs(found.mean - mean / unit) < 1e-12 && abs(found.std - variance.squareRoot() / unit) < 1e-12)
        }
        #expect(statistics.count == 3 && Set(statistics).count == 3)
        for (channel, found) in statistics.enumerated() {
            expect(
                found,
                bytes.enumerated().filter { $0.offset / shape.planeSize % 3 == channel }.map { Double($0.element) })
        }
    }

    @Test func deviationOfHalfBlackHalfWhiteIsExact() {
        let statistics = ChannelStatistics.of(.bytes([0, 255, 255, 0, 0, 255]), shape: .vector(6))
        #expect(statistics == [ChannelStatistics(mean: 0.5, std: 0.5)])
    }

    @Test func refusesWhatDoesNotBelongTogether() throws {
        let folder = try TemporaryFolder()
        try writeDataset(in: folder)
        let labels = try folder.file("train-labels-idx1-ubyte", idx([6], [0, 1, 2, 3, 4, 5]))
        let images = try folder.file("train-images-idx3-ubyte")
        let mismatch = DatasetError.countMismatch(images: images, imageCount: 7, labels: labels, labelCount: 6)
        #expect(throws: mismatch) { try Dataset.load(directory: folder.path) }
        #expect(mismatch.category == .badData)

        try writeDataset(in: folder)
        _ = try folder.file("t10k-images-idx3-ubyte", idx([3, 4, 5], [UInt8](repeating: 3, count: 60)))
        let sizes = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder.path) }
        #expect(
            sizes.category == .badData && sizes.description.contains("1x5x4") && sizes.description.contains("1x4x5"))

        try writeDataset(in: folder)
        _ = try folder.file("train-images-idx3-ubyte", idx([7, 5, 4], [UInt8](repeating: 3, count: 140)))
        let constant = try #require(throws: DatasetError.self) { try Dataset.load(directory: folder.path) }
        #expect(constant.category == .badData && constant.description.contains(folder.path))
    }

    @Test func refusesImagesOfAnotherShape() {
        #expect(throws: DatasetError.empty(file: "images")) {
            try SampleSet(pixels: [], labels: [], height: 1, width: 1)
        }
        #expect(throws: DatasetError.self) {
            try SampleSet.check(count: SampleSet.mostImages + 1, origin: "images")
        }
        #expect(throws: Never.self) { try SampleSet.check(count: SampleSet.mostImages, origin: "images") }
        #expect(throws: DatasetError.self) { try SampleSet(pixels: [1, 2, 3], labels: [0], height: 2, width: 2) }
        #expect(throws: DatasetError.self) { try SampleSet(pixels: [], labels: [0], height: 0, width: 2) }
        #expect(throws: DatasetError.self) {
            try SampleSet(pixels: [1], labels: [0], channels: .max, height: .max, width: 2)
        }
    }

    @Test func describesAFolder() throws {
        let folder = try TemporaryFolder()
        try writeDataset(in: folder, prefix: "mine/", compressed: true)
        let info = try describe(DatasetLocator(environment: [:]).find("mine", dataDirectory: folder.path))
        #expect(info.name == "mine" && info.knownAs == nil && info.classCount == 10)
        #expect(info.train.perClass == [3, 0, 2, 0, 0, 0, 0, 0, 0, 2])
        #expect(info.files.map(\.uncompressedBytes) == [16 + 140, 8 + 7, 16 + 60, 8 + 3])
        #expect(info.files.allSatisfy { $0.knownAs == nil && $0.bytes > 0 })
        #expect(info.files[1].sha256 == sha256(idx([7], [0, 2, 9, 0, 2, 9, 0])))
        #expect(try !JSONEncoder().encode(info).isEmpty)
    }

    @Test(.enabled(if: realDataset("fashion-mnist") != nil, "needs Debian's dataset-fashion-mnist"))
    func readsFashionMNIST() throws {
        let info = try describe(try #require(realDataset("fashion-mnist")))
        #expect(info.knownAs == "fashion-mnist")
        #expect(info.train.count == 60_000 && info.test.count == 10_000)
        #expect(info.train.perClass == [Int](repeating: 6000, count: 10))
        #expect(info.train.height == 28 && info.train.width == 28)
        // The figures that are published for it.
        #expect(info.mean.values.count == 1 && info.std.values.count == 1)
        #expect(abs(info.mean.values[0] - 0.2860) < 5e-5 && abs(info.std.values[0] - 0.3530) < 5e-5)
    }

    @Test(.enabled(if: realDataset("mnist") != nil, "needs MNIST"))
    func readsMNIST() throws {
        let info = try describe(try #require(realDataset("mnist")))
        #expect(info.knownAs == "mnist")
        #expect(info.train.perClass == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
        #expect(info.test.perClass == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
        #expect(info.mean.values.count == 1 && info.std.values.count == 1)
        #expect(abs(info.mean.values[0] - 0.1307) < 5e-5 && abs(info.std.values[0] - 0.3081) < 5e-5)
    }
}

@Suite struct ResizeTests {
    /// Every case of the fixture: the same bytes as Pillow.
    @Test func givesPillowsBytes() throws {
        let cases = try NumPyArray.read(Fixtures.path("resize/cases.npy"))
        let source = try #require(try NumPyArray.read(Fixtures.path("resize/source.npy")).bytes)
        let expected = try #require(try NumPyArray.read(Fixtures.path("resize/expected.npy")).bytes)
        let numbers = try cases.integers().map { Int($0) }
        #expect(cases.shape == [numbers.count / 5, 5] && numbers.count >= 100)
        var from = 0
        var to = 0
        for row in stride(from: 0, to: numbers.count, by: 5) {
            let (count, height, width) = (numbers[row], numbers[row + 1], numbers[row + 2])
            let (newHeight, newWidth) = (numbers[row + 3], numbers[row + 4])
            let pixels = Array(source[from..<from + count * height * width])
            let images = try SampleSet(
                pixels: pixels, labels: (0..<count).map { UInt8($0) }, height: height, width: width)
            let resized = try images.resized(height: newHeight, width: newWidth)
            let wanted = Array(expected[to..<to + count * newHeight * newWidth])
            // A comparison of its own: a failure would print thousands of numbers.
            let isEqual = resized.pixels == wanted
            #expect(isEqual, "\(height)x\(width) to \(newHeight)x\(newWidth)")
            #expect(resized.shape == SampleShape(height: newHeight, width: newWidth) && resized.labels == images.labels)
            from += pixels.count
            to += wanted.count
        }
        #expect(from == source.count && to == expected.count)
    }

    @Test(arguments: [1, 2, 16, 131]) func doesNotDependOnTheNumberOfPlanes(count: Int) throws {
        var noise = Noise(count)
        let pixels = noise.bytes(count * 3 * 9 * 7)
        let together = try SampleSet(
            pixels: pixels, labels: [UInt8](repeating: 1, count: count), channels: 3, height: 9, width: 7
        ).resized(height: 11, width: 4)
        let resized = try #require(together.pixels)
        for plane in 0..<count * 3 {
            let alone = try SampleSet(
                pixels: Array(pixels[plane * 63..<(plane + 1) * 63]), labels: [1], height: 9, width: 7
            ).resized(height: 11, width: 4)
            #expect(alone.pixels == Array(resized[plane * 44..<(plane + 1) * 44]))
        }
    }

    @Test(arguments: [(0, 3), (3, 0), (-1, 5), (Int.max, 2), (1 << 30, 1 << 30)])
    func refusesImpossibleSizes(height: Int, width: Int) throws {
        let images = try SampleSet(pixels: [1, 2, 3, 4], labels: [0], height: 2, width: 2)
        let error = DatasetError.invalidSize(height: height, width: width)
        #expect(throws: error) { try images.resized(height: height, width: width) }
    }

    @Test func onlyPixelsAreResized() throws {
        let floats = SampleSet(valid: .floats([1, 2, 3, 4]), count: 1, shape: SampleShape(height: 2, width: 2))
        #expect(try floats.resized(height: 2, width: 2).count == 1)
        let error = try #require(throws: DatasetError.self) { try floats.resized(height: 4, width: 4) }
        #expect(error.category == .badData && error.description.contains("4x4"))
    }

    @Test func aSubsetHasTheSamplesNamedInTheirOrder() throws {
        let pixels = (0..<24).map { UInt8($0) }
        let set = try SampleSet(pixels: pixels, labels: [3, 1, 2, 1], height: 2, width: 3)
        let part = try set.subset([3, 0])
        #expect(part.pixels == Array(18..<24) + Array(0..<6) && part.labels == [1, 3])
        #expect(part.count == 2 && part.shape == set.shape && part.classCount == 4)
        #expect(try set.subset([]).count == 0)
    }
}
