/// 8-bit images of one size with a label each.
package struct ImageSet: Sendable, Equatable {
    /// How many images there are.
    package let count: Int
    /// Planes an image; 1 for greyscale.
    package let channels: Int
    /// Rows of an image.
    package let height: Int
    /// Columns of an image.
    package let width: Int
    /// The pixels: [image][channel][y][x].
    package let pixels: [UInt8]
    /// The class of each image: [image].
    package let labels: [UInt8]
    /// The largest label plus one; classes in between may be without images.
    package let classCount: Int

    /// Most images: kernels number them in an int.
    package static let mostImages = Int(Int32.max) - (1 << 16)

    /// - Throws: ``DatasetError/unsupported(file:reason:)`` for more than ``mostImages``.
    static func check(count: Int, origin: String) throws(DatasetError) {
        guard count <= mostImages else {
            throw .unsupported(file: origin, reason: "\(count) images are too many; at most \(mostImages) are accepted")
        }
    }

    /// Images with their labels.
    /// - Parameters:
    ///   - pixels: [image][channel][y][x], as many images as there are labels.
    ///   - origin: what an error calls these images.
    /// - Throws: ``DatasetError`` `.empty` without labels, `.unsupported` for too many, `.malformed` when the pixels do not fit the shape.
    package init(
        pixels: [UInt8], labels: [UInt8], channels: Int = 1, height: Int, width: Int, origin: String = "images"
    ) throws(DatasetError) {
        try Self.check(count: labels.count, origin: origin)
        guard let largest = labels.max(), channels > 0, height > 0, width > 0 else { throw .empty(file: origin) }
        guard let expected = product([labels.count, channels, height, width]), expected == pixels.count else {
            throw .malformed(
                file: origin,
                reason: "\(pixels.count) pixels are not \(labels.count) images of \(channels)x\(height)x\(width)")
        }
        self.init(
            validPixels: pixels, labels: labels, channels: channels, height: height, width: width,
            classCount: Int(largest) + 1)
    }

    /// The same labels with other pixels, already of the right number.
    init(validPixels pixels: [UInt8], labels: [UInt8], channels: Int, height: Int, width: Int, classCount: Int) {
        self.count = labels.count
        self.channels = channels
        self.height = height
        self.width = width
        self.pixels = pixels
        self.labels = labels
        self.classCount = classCount
    }

    /// How many images each class has: [class].
    package var countsPerClass: [Int] {
        var counts = [Int](repeating: 0, count: classCount)
        for label in labels { counts[Int(label)] += 1 }
        return counts
    }

    /// Joins two files that were read already.
    static func make(images: IDX, from imagePath: String, labels: IDX, from labelPath: String) throws(DatasetError)
        -> ImageSet
    {
        guard images.dimensions[0] == labels.dimensions[0] else {
            throw .countMismatch(
                images: imagePath, imageCount: images.dimensions[0], labels: labelPath,
                labelCount: labels.dimensions[0])
        }
        return try ImageSet(
            pixels: images.bytes, labels: labels.bytes, height: images.dimensions[1], width: images.dimensions[2],
            origin: imagePath)
    }
}
