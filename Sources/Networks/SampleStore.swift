import Compute
import Datasets

/// Mean and standard deviation, in units where a pixel is 0 to 1, by which images are shifted and scaled.
package struct Normalisation: Hashable, Codable, Sendable {
    package var mean: Double
    package var std: Double

    /// (pixel / 255 - mean) / std.
    package init(mean: Double, std: Double) {
        self.mean = mean
        self.std = std
    }

    var scale: Float { Float(1 / (255 * std)) }
    var shift: Float { Float(-mean / std) }

    /// Scale and shift of each of so many channels, one after the other: of bytes, of which 255 counts as 1, or of numbers
    /// as they are.
    func scaling(channels: Int, ofBytes isBytes: Bool) -> [Float] {
        let scale = isBytes ? scale : Float(1 / std)
        return (0..<channels).flatMap { _ in [scale, shift] }
    }
}

/// Samples of one shape and labels in a device's memory, already of the size that a network takes.
package final class SampleStore {
    /// Number of samples.
    package let count: Int
    /// The extents of each.
    package let shape: SampleShape
    /// Labels are below this.
    package let classes: Int
    let values: SampleBuffer
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
            values = .bytes(try backend.makeBuffer(pixels, label: "images"))
            self.labels = try backend.makeBuffer(labels, label: "labels")
        } catch { throw .compute(error) }
    }

    /// Uploads `floats`, [count][channel][y][x], and `labels`, [count].
    /// - Throws: ``NetworkError/invalid(reason:)`` where they do not fit together, or the device's error.
    package init(floats: [Float], labels: [UInt8], shape: SampleShape, classes: Int, on backend: any Backend)
        throws(NetworkError)
    {
        try Self.check(floats.count, labels, shape, classes)
        (count, self.shape, self.classes, hostLabels) = (labels.count, shape, classes, labels)
        do {
            values = .floats(try backend.makeBuffer(floats, label: "samples"))
            self.labels = try backend.makeBuffer(labels, label: "labels")
        } catch { throw .compute(error) }
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
    /// Uploads samples, resized to what `model` takes.
    /// - Throws: `DatasetError`, ``NetworkError``.
    package static func make(
        _ samples: SampleSet, for model: ModelSpec = ModelLibrary.leNet5, classes: Int, on backend: any Backend
    ) throws -> SampleStore {
        var samples = samples
        if let side = model.side { samples = try samples.resized(height: side, width: side) }
        switch samples.values {
        case .bytes(let pixels):
            return try SampleStore(
                pixels: pixels, labels: samples.labels, shape: samples.shape, classes: classes, on: backend)
        case .floats(let floats):
            if model.side != nil { throw NetworkError.invalid(reason: "the samples are not 8-bit images") }
            return try SampleStore(
                floats: floats, labels: samples.labels, shape: samples.shape, classes: classes, on: backend)
        case .stored: throw NetworkError.invalid(reason: "the samples have to be read into memory first")
        }
    }
}
