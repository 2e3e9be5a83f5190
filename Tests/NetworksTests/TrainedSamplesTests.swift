import Support
import TestSupport
import Testing

@testable import Datasets
@testable import Networks

/// Checks of data sets against the metadata of weights about their training samples.
@Suite struct TrainedSamplesTests {
    private static let scaling = RequestedScaling(standardize: false, normalize: false)

    /// Three images of noise.
    private static func images(_ height: Int, _ width: Int) throws -> Dataset {
        let pixels = (0..<3 * height * width).map { UInt8($0 * 37 % 251) }
        let samples = try SampleSet(pixels: pixels, labels: [0, 1, 1], height: height, width: width)
        return try Dataset(name: "pictures", train: samples, test: samples)
    }

    private static func features(_ count: Int) throws -> Dataset {
        let samples = SampleSet(
            valid: .floats((0..<3 * count).map { Float($0 * 37 % 251) }), count: 3, shape: .vector(count),
            labels: [0, 1, 1])
        return try Dataset(name: "rows", train: samples, test: samples, isOfImages: false)
    }

    private static func stored(_ name: String, of dataset: Dataset, with metadata: [String: String]?) throws
        -> StoredWeights
    {
        let model = try #require(ModelLibrary.model(name))
        let layout = try ParameterLayout(model, samples: dataset.train.shape, classes: 2)
        return StoredWeights(
            weights: ModelWeights(layout: layout, seed: 1, run: 0), normalisation: nil, notes: [],
            metadata: metadata ?? StoredWeights.metadata(of: dataset))
    }

    /// The error that refuses a data set; nil if it is accepted.
    private static func refusal(_ stored: StoredWeights, _ dataset: Dataset) -> String? {
        do throws(NetworkError) {
            try stored.check(dataset, scaling: scaling, path: "w")
            return nil
        } catch {
            return error.category == .badData ? error.description : "another error"
        }
    }

    @Test(arguments: ["autoencoder", "mlp"]) func samplesOfAnotherKindOrShapeAreRefused(model: String) throws {
        let ofImages = try Self.stored(model, of: Self.images(4, 6), with: nil)
        #expect(ofImages.metadata["samples"] == "images" && ofImages.metadata["shape"] == "1x4x6")
        #expect(try Self.refusal(ofImages, Self.images(4, 6)) == nil)
        #expect(
            try Self.refusal(ofImages, Self.images(2, 12))
                == "w: its network was trained on images of 1x4x6, and those of pictures have 1x2x12")
        #expect(
            try Self.refusal(ofImages, Self.features(24))
                == "w: its network was trained on images, and these samples are features")
        let ofFeatures = try Self.stored(model, of: Self.features(24), with: nil)
        #expect(ofFeatures.metadata["samples"] == "features" && ofFeatures.metadata["shape"] == nil)
        #expect(try Self.refusal(ofFeatures, Self.features(24)) == nil)
        #expect(
            try Self.refusal(ofFeatures, Self.images(4, 6))
                == "w: its network was trained on features, and these samples are images")
    }

    /// Files of other programs, such as PyTorch's, lack this metadata or use its names for something else.
    @Test(arguments: [[String: String](), ["samples": "words"]]) func whatAFileDoesNotSayIsNotChecked(
        metadata: [String: String]
    ) throws {
        let stored = try Self.stored("autoencoder", of: Self.images(4, 6), with: metadata)
        for dataset in [try Self.images(4, 6), try Self.images(2, 12), try Self.features(24)] {
            #expect(Self.refusal(stored, dataset) == nil)
        }
    }

    /// Figures come back with their bits, and are those of the options that they were made for alone.
    @Test func figuresOfColumnsAreReadBack() throws {
        let columns = [(0.1, 3e-200), (-1e200, 0), (.leastNonzeroMagnitude, 1e200 / 3)].map {
            FeatureScaling.Column(mean: $0.0, std: $0.1)
        }
        for isNormalized in [false, true] {
            var dataset = try Self.features(3)
            dataset.scaling = FeatureScaling(columns: columns, isNormalized: isNormalized)
            let stored = try Self.stored("autoencoder", of: dataset, with: nil)
            let trained = try #require(try stored.trainedScaling(path: "w"))
            #expect(trained.requested == RequestedScaling(standardize: true, normalize: isNormalized))
            #expect(trained.figures == FeatureFigures(scaling: dataset.scaling))
            #expect(try stored.figures(for: trained.requested, path: "w") == trained.figures)
            for other in [RequestedScaling(), RequestedScaling(standardize: true, normalize: !isNormalized)] {
                #expect(try stored.figures(for: other, path: "w") == nil)
            }
        }
        let plain = try Self.stored("autoencoder", of: Self.features(3), with: nil)
        #expect(try plain.trainedScaling(path: "w")?.figures == FeatureFigures())
        let unknown = try Self.stored("autoencoder", of: Self.features(3), with: [:])
        #expect(try unknown.trainedScaling(path: "w") == nil && !unknown.areOfImages)
    }

    /// A network that resizes its images takes them in every size.
    @Test func imagesThatAreResizedMayHaveAnyShape() throws {
        let stored = StoredWeights(
            weights: ModelWeights(
                layout: try ParameterLayout(
                    ModelLibrary.leNet5, samples: SampleShape(height: 32, width: 32), classes: 2), seed: 1, run: 0),
            normalisation: nil, notes: [],
            metadata: StoredWeights.metadata(of: try Self.images(16, 64)))
        #expect(try Self.refusal(stored, Self.images(32, 32)) == nil)
    }

    /// Layers that keep the shape of images, and a side, before the first layer of weights.
    @Test(
        arguments: [
            (nil, [.batchNorm, .flatten, .linear(.count(5)), .linear(.classes)]),
            (nil, [.relu, .flatten, .linear(.classes)]),
            (nil, [.batchNorm, .flatten, .linear(.count(5)), .batchNorm, .linear(.inputs)]),
            (4, [.flatten, .linear(.count(5)), .relu, .linear(.classes)]),
            (4, [.flatten, .linear(.count(5)), .linear(.inputs)]),
            (4, [.batchNorm, .flatten, .linear(.classes)]),
        ] as [(Int?, [ModelSpec.Layer])], [1, 3])
    func weightsAreReadBack(sideAndLayers: (side: Int?, layers: [ModelSpec.Layer]), channels: Int) throws {
        let model = ModelSpec(name: "x", layers: sideAndLayers.layers, side: sideAndLayers.side)
        let samples = SampleShape(channels: channels, height: 4, width: model.side ?? 6)
        let layout = try ParameterLayout(model, samples: samples, classes: 2)
        let weights = ModelWeights(layout: layout, seed: 1, run: 0)
        let folder = try TemporaryFolder()
        try weights.write(to: folder / "w", normalisation: .none(channels: channels), steps: 1)
        for expected in [nil, model] {
            let read = try ModelWeights.read(folder / "w", of: expected).weights.laidOut(as: layout)
            #expect(read.layout == layout)
            #expect(read.tensors.keys.sorted() == weights.tensors.keys.sorted())
            #expect(weights.tensors.allSatisfy { read.tensors[$0]?.values == $1.values })
        }
    }
}
