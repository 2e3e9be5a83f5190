import Compute
import Datasets

/// Samples of one shape and labels in a device's memory, already of the size that a network takes.
package final class SampleStore {
    /// Number of samples.
    package let count: Int
    /// The extents of each.
    package let shape: SampleShape
    /// Labels are below this.
    package let classes: Int
    let values: SampleBuffer
    /// The lowest and the highest value of each channel: [channel].
    private let ranges: [ClosedRange<Float>]
    let labels: DeviceBuffer<UInt8>
    /// The labels on the host.
    package let hostLabels: [UInt8]

    /// Uploads 8-bit `pixels`, [count][channel][y][x], and `labels`, [count].
    /// - Throws: ``NetworkError/invalid(reason:)`` where they do not fit together, or the device's error.
    package init(pixels: [UInt8], labels: [UInt8], shape: SampleShape, classes: Int, on backend: any Backend)
        throws(NetworkError)
    {
        try Self.check(pixels.count, labels, shape, classes)
        (count, self.shape, self.classes, hostLabels) = (labels.count, shape, classes, labels)
        do {
            ranges = [ClosedRange<Float>](repeating: 0...255, count: shape.channels)
            values = .bytes(try backend.makeBuffer(pixels, label: "images"))
            self.labels = try backend.makeBuffer(labels, label: "labels")
        } catch { throw .compute(error) }
    }

    /// Uploads `floats`, [count][channel][y][x], and `labels`, [count].
    /// - Throws: ``NetworkError/invalid(reason:)`` where they do not fit together or a value is not finite, or the device's
    ///   error.
    package init(floats: [Float], labels: [UInt8], shape: SampleShape, classes: Int, on backend: any Backend)
        throws(NetworkError)
    {
        try Self.check(floats.count, labels, shape, classes)
        ranges = try Self.ranges(of: floats, shape)
        (count, self.shape, self.classes, hostLabels) = (labels.count, shape, classes, labels)
        do {
            values = .floats(try backend.makeBuffer(floats, label: "samples"))
            self.labels = try backend.makeBuffer(labels, label: "labels")
        } catch { throw .compute(error) }
    }

    /// The lowest and the highest value of each channel.
    private static func ranges(
        of floats: [Float], _ shape: SampleShape
    ) throws(NetworkError) -> [ClosedRange<Float>] {
        var ranges = [ClosedRange<Float>?](repeating: nil, count: shape.channels)
        for first in stride(from: 0, to: floats.count, by: shape.planeSize) {
            let channel = first / shape.planeSize % shape.channels
            var (lowest, highest) = (floats[first], floats[first])
            for index in first..<first + shape.planeSize {
                let value = floats[index]
                guard value.isFinite else {
                    throw .invalid(
                        reason: "sample \(index / shape.featureCount) holds \(value); finite float32 numbers are needed"
                    )
                }
                lowest = min(lowest, value)
                highest = max(highest, value)
            }
            let before = ranges[channel] ?? lowest...highest
            ranges[channel] = min(before.lowerBound, lowest)...max(before.upperBound, highest)
        }
        return ranges.compactMap(\.self)
    }

    /// Whether the samples are bytes, of which 255 counts as 1.
    var isBytes: Bool { if case .bytes = values { true } else { false } }

    /// A bound on the magnitude of every value of these samples once it is normalised, and of all that is computed on the
    /// way there.
    func largestInput(_ normalisation: Normalisation) -> Double {
        zip(ranges, normalisation.scaling(ofBytes: isBytes)).reduce(0) { bound, channel in
            let (range, (scale, shift)) = channel
            let largest = max(range.lowerBound.magnitude, range.upperBound.magnitude)
            return max(bound, Double(largest) * Double(scale.magnitude) + Double(shift.magnitude))
        }
    }

    private static func check(
        _ values: Int, _ labels: [UInt8], _ shape: SampleShape, _ classes: Int
    ) throws(NetworkError) {
        guard labels.count <= SampleSet.mostImages else {
            throw .invalid(
                reason: "\(labels.count) images are too many; at most \(SampleSet.mostImages) are accepted")
        }
        guard !labels.isEmpty, values == labels.count * shape.featureCount else {
            throw .invalid(reason: "\(values) values are not \(labels.count) samples of \(shape)")
        }
        guard let largest = labels.max(), Int(largest) < classes else {
            throw .invalid(reason: "label \(labels.max() ?? 0) is not below the number of classes, \(classes)")
        }
    }
}

extension SampleStore {
    /// Uploads samples, resized for `model`. For an autoencoder they need no labels.
    /// - Throws: `DatasetError`, ``NetworkError``.
    package static func make(
        _ samples: SampleSet, for model: ModelSpec = ModelLibrary.leNet5, classes: Int, on backend: any Backend
    ) throws -> SampleStore {
        var samples = samples
        if let side = model.side { samples = try samples.resized(height: side, width: side) }
        var (labels, classes) = (samples.labels, classes)
        if model.isAutoencoder, labels.isEmpty {
            (labels, classes) = ([UInt8](repeating: 0, count: samples.count), max(classes, 1))
        }
        switch samples.values {
        case .bytes(let pixels):
            return try SampleStore(
                pixels: pixels, labels: labels, shape: samples.shape, classes: classes, on: backend)
        case .floats(let floats):
            if model.side != nil { throw NetworkError.invalid(reason: "the samples are not 8-bit images") }
            return try SampleStore(
                floats: floats, labels: labels, shape: samples.shape, classes: classes, on: backend)
        case .stored: throw NetworkError.invalid(reason: "the samples have to be read into memory first")
        }
    }
}
