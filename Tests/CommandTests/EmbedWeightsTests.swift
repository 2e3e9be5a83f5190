import Datasets
import Foundation
import TestSupport
import Testing

/// Which samples `coppice embed --weights` takes, and sizes that the samples have no room for.
@Suite struct EmbedWeightsTests {
    private static let quick = ["--device", "cpu", "--quiet"]

    /// Weights of images embed no features of as many columns, nor images of another shape with as many pixels.
    @Test func samplesOfAnotherKindOrShapeAreRefused() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 40, test: 10, height: 12, width: 10).write(to: folder / "data")
        try SyntheticData(train: 40, test: 10, height: 10, width: 12).write(to: folder / "turned")
        try writeNoise(count: 40, dimensions: 120, to: folder / "f.npy")
        let (ofImages, ofFeatures) = (folder / "images.safetensors", folder / "features.safetensors")
        func embed(_ samples: [String], _ more: String...) throws -> Outcome {
            try coppice(["embed", "--with", "autoencoder", "--out", folder / "x.npy"] + samples + more + Self.quick)
        }
        let images = ["--data", folder / "data", "--dataset", "shapes"]
        let turned = ["--data", folder / "turned", "--dataset", "shapes"]
        let features = ["--features", folder / "f.npy"]
        for (samples, path) in [(images, ofImages), (features, ofFeatures)] {
            let trained = try embed(samples, "--size", "3", "--epochs", "1", "--save", path)
            #expect(trained.status == 0, "\(trained.stderr)")
            #expect(try embed(samples, "--weights", path).status == 0)
        }
        expectComplaint(
            try embed(features, "--weights", ofImages), code: 65,
            mentions: ["images.safetensors: its network was trained on images, and these samples are features"])
        expectComplaint(
            try embed(images, "--weights", ofFeatures), code: 65,
            mentions: ["features.safetensors: its network was trained on features, and these samples are images"])
        expectComplaint(
            try embed(turned, "--weights", ofImages), code: 65,
            mentions: ["its network was trained on images of 1x12x10, and those of ", " have 1x10x12"])
    }

    /// One sentence and one exit code, whether the size was given or is the default.
    @Test(
        arguments: [
            ("autoencoder", [], "--size is 64 (the default), and the samples in ", " have only 6 values"),
            ("autoencoder", ["--size", "7"], "--size is 7, and the samples in ", " have only 6 values"),
            (
                "pca", [], "--size is 50 (the default), and the 9 samples of 6 values in ", " have only 6 components"
            ),
            ("pca", ["--size", "7"], "--size is 7, and the 9 samples of 6 values in ", " have only 6 components"),
        ] as [(String, [String], String, String)])
    func aSizeBeyondTheSamplesIsRefused(method: String, size: [String], start: String, end: String) throws {
        let folder = try TemporaryFolder()
        try writeNoise(count: 9, dimensions: 6, to: folder / "f.npy")
        expectComplaint(
            try coppice(
                ["embed", "--with", method, "--features", folder / "f.npy", "--out", folder / "x.npy"] + size
                    + Self.quick),
            code: 64, mentions: [start, "f.npy\(end); give --size 1 to 6"])
        #expect(!FileManager.default.fileExists(atPath: folder / "x.npy"))
    }
}
