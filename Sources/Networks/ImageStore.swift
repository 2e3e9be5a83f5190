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
}

/// 8-bit images and labels in a device's memory, already of the network's input size.
package final class ImageStore {
    /// Number of images.
    package let count: Int
    /// Planes an image.
    package let channels: Int
    /// Labels are below this.
    package let classes: Int
    let images: DeviceBuffer<UInt8>
    let labels: DeviceBuffer<UInt8>
    /// The labels on the host.
    package let hostLabels: [UInt8]

    /// Uploads `pixels`, [count][channels][32][32], and `labels`, [count].
    /// - Throws: ``NetworkError/invalid(reason:)`` where they do not fit together, or the device's error.
    package init(pixels: [UInt8], labels: [UInt8], channels: Int, classes: Int, on backend: any Backend)
        throws(NetworkError)
    {
        let size = channels * LeNet5Layout.inputSide * LeNet5Layout.inputSide
        guard labels.count <= SampleSet.mostImages else {
            throw .invalid(
                reason: "\(labels.count) images are too many; at most \(SampleSet.mostImages) are accepted")
        }
        guard !labels.isEmpty, pixels.count == labels.count * size else {
            throw .invalid(
                reason: "\(pixels.count) pixels are not \(labels.count) images of \(channels)x32x32: resize them first")
        }
        guard let largest = labels.max(), Int(largest) < classes else {
            throw .invalid(reason: "label \(labels.max() ?? 0) is not below the number of classes, \(classes)")
        }
        count = labels.count
        self.channels = channels
        self.classes = classes
        hostLabels = labels
        do {
            images = try backend.makeBuffer(pixels, label: "images")
            self.labels = try backend.makeBuffer(labels, label: "labels")
        } catch { throw .compute(error) }
    }
}

extension ImageStore {
    /// Uploads images, resized to the network's input.
    /// - Throws: `DatasetError`, ``NetworkError``.
    package static func make(_ images: SampleSet, classes: Int, on backend: any Backend) throws -> ImageStore {
        let side = LeNet5Layout.inputSide
        let resized = try images.resized(height: side, width: side)
        guard let pixels = resized.pixels else {
            throw NetworkError.invalid(reason: "the samples are not 8-bit images")
        }
        return try ImageStore(
            pixels: pixels, labels: resized.labels, channels: resized.shape.channels, classes: classes, on: backend)
    }
}
