/// A training set and a test set, with what normalises both.
package struct Dataset: Sendable {
    /// The data set's name, "mnist" for one.
    package let name: String
    /// The images to learn from.
    package let train: ImageSet
    /// The images to test on, of the same size.
    package let test: ImageSet
    /// Mean of every pixel of the whole training set as read, before any resizing, where 255 counts as 1.
    package let mean: Double
    /// Standard deviation (over the whole population) of the same pixels, in the same units.
    package let std: Double
    /// The largest label of both sets plus one.
    package let classCount: Int

    /// A data set; mean and standard deviation are computed from `train`.
    /// - Throws: ``DatasetError`` `.malformed` when the two sets differ in image size, or when every training pixel has
    ///   the same value, so that no standard deviation can divide it.
    package init(name: String, train: ImageSet, test: ImageSet) throws(DatasetError) {
        let trainShape = [train.channels, train.height, train.width]
        let testShape = [test.channels, test.height, test.width]
        guard trainShape == testShape else {
            throw .malformed(
                file: name,
                reason: "training images are \(size(train)) and test images \(size(test)): the sizes must be equal")
        }
        let statistics = PixelStatistics(train.pixels)
        guard statistics.std > 0 else {
            throw .malformed(
                file: name, reason: "every pixel of the training set has the same value, so there is nothing to learn")
        }
        self.name = name
        self.train = train
        self.test = test
        mean = statistics.mean
        std = statistics.std
        classCount = max(train.classCount, test.classCount)
    }

    /// Reads the four IDX files of a folder, each with or without gzip; the name is the folder's.
    /// - Throws: ``DatasetError``: `.notFound` when files are missing, and every fault of ``IDX/read(_:rank:)``.
    package static func load(directory: String) throws(DatasetError) -> Dataset {
        let location = try DatasetLocator.location(directory: directory, name: nil)
        return try load(location)
    }

    /// Reads a data set from where it was found.
    /// - Throws: ``DatasetError``: every fault of ``IDX/read(_:rank:)``, `.countMismatch`, and `.malformed` where a file
    ///   is of another known data set than the name says.
    package static func load(_ location: DatasetLocation) throws(DatasetError) -> Dataset {
        // The small files first: a fault in them shows before the large ones are read.
        let test = try location.readImages(test: true)
        let train = try location.readImages(test: false)
        do throws(DatasetError) {
            return try Dataset(name: location.name, train: train, test: test)
        } catch .malformed(_, let reason) {
            throw .malformed(file: location.directory, reason: reason)
        }
    }
}

private func size(_ images: ImageSet) -> String { "\(images.channels)x\(images.height)x\(images.width)" }

/// Mean and standard deviation of 8-bit pixels, exact up to the last division: sums are integers.
struct PixelStatistics {
    /// Mean in units of 255.
    let mean: Double
    /// Standard deviation in units of 255, dividing by the count.
    let std: Double

    /// Statistics of `pixels`; zero for none.
    init(_ pixels: [UInt8]) {
        guard !pixels.isEmpty else {
            mean = 0
            std = 0
            return
        }
        // Four tables, so that equal neighbours (most pixels are background) do not wait for one counter.
        var histogram = [UInt64](repeating: 0, count: 4 * 256)
        histogram.withUnsafeMutableBufferPointer { counts in
            pixels.withUnsafeBufferPointer { pixels in
                for index in pixels.indices { counts[(index & 3) << 8 | Int(pixels[index])] &+= 1 }
            }
        }
        var sum: UInt128 = 0
        var squares: UInt128 = 0
        for value in 0..<256 {
            let count = UInt128((0..<4).reduce(0) { $0 + histogram[$1 << 8 | value] })
            sum += count * UInt128(value)
            squares += count * UInt128(value * value)
        }
        let count = UInt128(pixels.count)
        mean = Double(sum) / (Double(count) * 255)
        std = Double(count * squares - sum * sum).squareRoot() / (Double(count) * 255)
    }
}
