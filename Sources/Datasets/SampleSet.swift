/// The extents of a sample: of an image, or of a plain vector, which is one channel of one row.
package struct SampleShape: Hashable, Sendable, CustomStringConvertible {
    /// Planes; 1 for greyscale.
    package let channels: Int
    /// Rows.
    package let height: Int
    /// Columns.
    package let width: Int

    /// The shape of an image.
    package init(channels: Int = 1, height: Int, width: Int) {
        self.channels = channels
        self.height = height
        self.width = width
    }

    /// The shape of a vector of so many numbers.
    package static func vector(_ count: Int) -> SampleShape { SampleShape(height: 1, width: count) }

    /// Numbers in a sample.
    package var featureCount: Int { channels * planeSize }
    /// Numbers in a channel.
    package var planeSize: Int { height * width }

    package var description: String { "\(channels)x\(height)x\(width)" }
}

/// The numbers of samples: [sample][channel][y][x].
package enum SampleValues: Sendable {
    /// 8-bit numbers, of which 255 counts as 1 where they are normalised.
    case bytes([UInt8])
    /// Numbers as they are.
    case floats([Float])
    /// Numbers that stay in their file until they are wanted.
    case stored(any StoredValues)
}

/// Samples of one shape, each with a label where there are some.
package struct SampleSet: Sendable {
    /// How many samples there are.
    package let count: Int
    /// The extents of each.
    package let shape: SampleShape
    /// The numbers: [sample][channel][y][x].
    package let values: SampleValues
    /// The class of each sample: [sample]; empty for samples without labels.
    package let labels: [UInt8]
    /// The largest label plus one; classes in between may be without samples.
    package let classCount: Int
    /// What was subtracted from the values of every column before they were rounded, [column]; nil where nothing was.
    package private(set) var medians: [Double]?

    /// Most images: kernels number them in an int.
    package static let mostImages = Int(Int32.max) - (1 << 16)

    /// - Throws: ``DatasetError/unsupported(file:reason:)`` for more than ``mostImages``.
    static func check(count: Int, origin: String) throws(DatasetError) {
        guard count <= mostImages else {
            throw .unsupported(file: origin, reason: "\(count) images are too many; at most \(mostImages) are accepted")
        }
    }

    /// 8-bit images with their labels.
    /// - Parameters:
    ///   - pixels: [image][channel][y][x], as many images as there are labels.
    ///   - origin: what an error calls these images.
    /// - Throws: ``DatasetError`` `.empty` without labels, `.unsupported` for too many, `.malformed` when the pixels do not fit the shape.
    package init(
        pixels: [UInt8], labels: [UInt8], channels: Int = 1, height: Int, width: Int, origin: String = "images"
    ) throws(DatasetError) {
        try Self.check(count: labels.count, origin: origin)
        guard !labels.isEmpty, channels > 0, height > 0, width > 0 else { throw .empty(file: origin) }
        guard let expected = product([labels.count, channels, height, width]), expected == pixels.count else {
            throw .malformed(
                file: origin,
                reason: "\(pixels.count) pixels are not \(labels.count) images of \(channels)x\(height)x\(width)")
        }
        self.init(
            valid: .bytes(pixels), count: labels.count,
            shape: SampleShape(channels: channels, height: height, width: width), labels: labels)
    }

    /// Samples whose values are known to be `count` times the shape's, and whose labels are as many or none.
    init(
        valid values: SampleValues, count: Int, shape: SampleShape, labels: [UInt8] = [], medians: [Double]? = nil
    ) {
        self.count = count
        self.shape = shape
        self.values = values
        self.labels = labels
        self.medians = medians
        classCount = labels.max().map { Int($0) + 1 } ?? 0
    }

    /// The samples of these indices, in their order.
    /// - Throws: ``DatasetError/unsupported(file:reason:)`` for values that are not in memory.
    package func subset(_ indices: [Int]) throws(DatasetError) -> SampleSet {
        let size = shape.featureCount
        func rows<Value>(of all: [Value]) -> [Value] {
            var rows: [Value] = []
            rows.reserveCapacity(indices.count * size)
            for index in indices { rows += all[index * size..<(index + 1) * size] }
            return rows
        }
        let values: SampleValues =
            switch values {
            case .bytes(let all): .bytes(rows(of: all))
            case .floats(let all): .floats(rows(of: all))
            case .stored:
                throw .unsupported(file: "samples", reason: "their values have to be read into memory first")
            }
        return SampleSet(
            valid: values, count: indices.count, shape: shape,
            labels: labels.isEmpty ? [] : indices.map { labels[$0] }, medians: medians)
    }

    /// The values of 8-bit samples in memory: [sample][channel][y][x]; nil for others.
    package var pixels: [UInt8]? {
        if case .bytes(let pixels) = values { pixels } else { nil }
    }

    /// Samples whose values stay in files.
    package init(_ values: any StoredValues) {
        self.init(valid: .stored(values), count: values.rowCount, shape: .vector(values.columnCount))
    }

    /// Rows of features, which stay in their files.
    package init(_ features: Features) {
        self.init(features.values)
        medians = features.medians
    }

    /// The same samples with these labels, [sample].
    /// - Throws: ``DatasetError/malformed(file:reason:)`` where there is not one label for each sample.
    package func labelled(_ labels: [UInt8], origin: String) throws(DatasetError) -> SampleSet {
        guard labels.count == count else {
            throw .malformed(
                file: origin, reason: "\(labels.count) labels for \(count) samples; one for each is needed")
        }
        return SampleSet(valid: values, count: count, shape: shape, labels: labels, medians: medians)
    }

    /// The same samples with these values, as many, from whose columns `medians` were subtracted.
    func replacing(_ values: SampleValues, less medians: [Double]?) -> SampleSet {
        SampleSet(valid: values, count: count, shape: shape, labels: labels, medians: medians)
    }

    /// The same samples with their values in memory: as bytes where a file has uint8, else as floats.
    /// - Throws: ``DatasetError`` of reading them, and `.outOfMemory`.
    package func inMemory() throws(DatasetError) -> SampleSet {
        guard case .stored(let stored) = values else { return self }
        return SampleSet(
            valid: try stored.inMemory(), count: count, shape: shape, labels: labels, medians: medians)
    }

    /// The statistics of each channel of values in memory, which normalise it; none for values that are not.
    package var channels: [ChannelStatistics] { ChannelStatistics.of(values, shape: shape) }

    /// How many samples each class has: [class].
    package var countsPerClass: [Int] {
        var counts = [Int](repeating: 0, count: classCount)
        for label in labels { counts[Int(label)] += 1 }
        return counts
    }
}

extension SampleValues {
    /// The type as digests and messages name it.
    package var typeName: String {
        switch self {
        case .bytes: "uint8"
        case .floats: "float32"
        case .stored(let values): "\(values.type)"
        }
    }

    /// Hands the memory of the values to `body`; those that stay in a file have none.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch self {
        case .bytes(let values): try values.withUnsafeBytes(body)
        case .floats(let values): try values.withUnsafeBytes(body)
        case .stored: try body(UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }
}
