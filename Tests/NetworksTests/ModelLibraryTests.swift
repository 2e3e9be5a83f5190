import Datasets
import Foundation
import Testing

@testable import Networks
import TestSupport

/// The models of the library, and how they are shown.
@Suite struct ModelLibraryTests {
    private static func description(
        _ name: String, samples: SampleShape = .init(height: 32, width: 32), classes: Int = 10
    ) throws -> ModelDescription {
        let model = try #require(ModelLibrary.model(name))
        return try ModelDescription(model, samples: samples, classes: classes)
    }

    @Test(arguments: [("lenet5", 61_750), ("lenet5-wide2", 244_450), ("lenet5-wide4", 972_730)])
    func leNetsHaveTheirParametersAndAreFused(name: String, parameters: Int) throws {
        let description = try Self.description(name)
        #expect(description.parameters == parameters && description.isFused)
        // Weights of all of them load into modules of the same names.
        let names = try ParameterLayout(description.model, samples: .init(height: 32, width: 32), classes: 10).slots
            .map(\.name)
        #expect(names == (try ParameterLayout.leNet5().slots.map(\.name)))
    }

    @Test func everyModelHasANameASummaryAndLayersOfItsOwn() {
        let names = ModelLibrary.names
        #expect(names == ["lenet5", "lenet5-1998", "lenet5-wide2", "lenet5-wide4", "mlp", "linear", "autoencoder"])
        #expect(Set(ModelLibrary.all.map(\.layers)).count == names.count)
        #expect(names.allSatisfy { ModelLibrary.summary($0)?.hasSuffix(".") == true })
        #expect(ModelLibrary.leNet5.name == "lenet5")
        #expect(ModelLibrary.classifiers.map(\.name) == names.dropLast())
        #expect(ModelLibrary.choices.hasSuffix("mlp or linear") && ModelLibrary.featureChoices == "mlp or linear")
    }

    @Test func aModelIsShownAsAFileWithItsExtents() throws {
        #expect(
            try Self.description("mlp", samples: .init(channels: 3, height: 2, width: 5), classes: 4).yaml == """
                # mlp: 3x2x5 images, 4 classes, 39804 parameters, trained by the layered network
                name: mlp
                layers:
                  - flatten          # 30
                  - linear: 300      # 300, 9300 parameters
                  - relu             # 300
                  - linear: 100      # 100, 30100 parameters
                  - relu             # 100
                  - linear: classes  # 4, 404 parameters

                """)
        let lines = try Self.description("lenet5-wide2", samples: .init(channels: 3, height: 32, width: 32)).yaml
            .split(separator: "\n")
        #expect(lines[2] == "side: 32  # images are resized to 32x32")
        #expect(lines[4] == "  - conv: {out: 12, kernel: 5}  # 12x28x28, 912 parameters")
    }

    @Test func aModelIsShownAsAModuleOfPyTorch() throws {
        let module = try Self.description("lenet5").pyTorch
        #expect(
            module.contains(
                """
                        self.layer2 = nn.Sequential(nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2))
                        self.flatten = nn.Flatten()
                        self.fc = nn.Linear(400, 120)
                """))
        let model = ModelSpec(
            name: "x",
            layers: [
                .conv(out: 2, kernel: 3, padding: 0), .batchNorm, .relu, .maxPool(2),
                .conv(out: 3, kernel: 3, padding: 0),
                .batchNorm, .relu, .maxPool(2), .flatten, .linear(.classes),
            ], side: 10)
        let sequential = try ModelDescription(
            model, samples: .init(channels: 2, height: 10, width: 10), classes: 3
        ).pyTorch
        #expect(
            sequential.contains(
                """
                class Model(nn.Sequential):
                    def __init__(self):
                        super().__init__(
                            nn.Conv2d(2, 2, 3),
                            nn.BatchNorm2d(2),
                            nn.ReLU(),
                            nn.MaxPool2d(2),
                """))
        // A model that flattens its samples first takes them as they are in the data set.
        let mlp = try Self.description("mlp", samples: .init(channels: 3, height: 32, width: 32)).pyTorch
        #expect(mlp.contains("# It takes [batch, 3, 32, 32]: (value"), "\(mlp)")
        let ofFeatures = try Self.description("mlp", samples: .vector(384)).pyTorch
        #expect(ofFeatures.hasPrefix("# mlp: 384 values,") && ofFeatures.contains("# It takes [batch, 384]: "))
        #expect(sequential.hasSuffix("nn.Flatten(),\n            nn.Linear(3, 3),\n        )\n\n\nmodel = Model()\n"))
    }

    @Test func whatIsTooLargeIsRefusedWithItsLayer() {
        func message(_ layers: [ModelSpec.Layer], channels: Int = 1) -> String {
            do {
                _ = try ParameterLayout(
                    ModelSpec(name: "x", layers: layers), samples: .init(channels: channels, height: 28, width: 28),
                    classes: 10)
                return ""
            } catch { return error.description }
        }
        let widest = ModelSpec.Layer.linear(.count(ModelSpec.Layer.widths.upperBound))
        #expect(
            message([.flatten, widest, .relu, widest, .relu, .linear(.classes)]).contains(
                "x: layer 4 (linear) has 1048577 x 1048576 weights; at most"))
        #expect(
            message([.flatten, widest, .relu, .linear(.count(1500)), .relu, .linear(.classes)]).contains(
                "x: with layer 4 (linear) there are 2400191968 parameters; at most 2146435071 are accepted"))
        let padded = [ModelSpec.Layer](repeating: .conv(out: 65_536, kernel: 1, padding: 255), count: 200)
        #expect(message(padded).contains("layer 1 (conv) has 65536 x 538 x 538 values; at most"))
        #expect(message([.flatten, .linear(.count(10))]).isEmpty)
        #expect(
            message([.flatten, .linear(.count(11))]).contains(
                "x ends in linear: 11; linear: classes is needed, or linear: 10 for 10 classes"))
    }
}

/// What weights say of a user's model.
@Suite struct ModelMetadataTests {
    private static let layers: [ModelSpec.Layer] = [.flatten, .linear(.count(7)), .relu, .linear(.classes)]

    private static func save(_ model: ModelSpec, to path: String) throws -> ModelWeights {
        let weights = ModelWeights(
            layout: try ParameterLayout(model, samples: .init(height: 2, width: 5), classes: 4), seed: 5, run: 2)
        try weights.write(to: path, normalisation: Normalisation(mean: 0.5, std: 0.25), steps: 3)
        return weights
    }

    private static func message(_ path: String, _ model: ModelSpec?) -> String {
        do {
            _ = try ModelWeights.read(path, of: model)
            return ""
        } catch { return error.description }
    }

    @Test func weightsOfAUsersModelNeedNoFile() throws {
        let folder = try TemporaryFolder()
        let path = folder / "w.safetensors"
        for layers in [Self.layers, Self.layers.dropLast() + [.linear(.count(4))]] {
            let model = ModelSpec(name: "mine", layers: layers)
            let weights = try Self.save(model, to: path)
            let read = try ModelWeights.read(path)
            #expect(read.weights == weights && read.weights.layout.model == model && read.notes.isEmpty)
            #expect(try ModelWeights.read(path, of: model).weights == weights)
        }
    }

    @Test func weightsOfOtherLayersAreRefusedUnderTheSameName() throws {
        let folder = try TemporaryFolder()
        let path = folder / "w.safetensors"
        _ = try Self.save(ModelSpec(name: "mine", layers: Self.layers), to: path)
        var other = Self.layers
        other[2] = .tanh
        let text = "\(path) holds weights of another model under the name mine: "
        #expect(
            Self.message(path, ModelSpec(name: "mine", layers: other)) == text + "layer 3 is relu there and tanh here")
        #expect(
            Self.message(path, ModelSpec(name: "mine", layers: [.flatten])) == text
                + "it has 4 layers there and 1 here")
        #expect(
            Self.message(path, ModelSpec(name: "mine", layers: Self.layers, side: 9)) == text
                + "it takes samples as they are there and images of 9x9 here")
        #expect(
            Self.message(path, ModelLibrary.model("mlp")).contains("holds weights of mine, not of mlp; give its file"))
    }

    @Test(
        arguments: [
            (["model": "mine", "layers": "[]"], "1 to 200 layers are accepted"),
            (["model": "mine", "layers": "{}"], "a list of layers is needed"),
            (
                ["model": "mine", "layers": "[{\"linear\": 0}]"],
                "linear is 0; a whole number of 1 to 1048576 is needed"
            ),
            (
                ["model": "mine", "layers": "[\"relu\"]", "side": "x"],
                "side is x; a whole number of 1 to 1024 is needed"
            ),
            (
                ["model": "mlp", "layers": "[\"relu\"]"],
                "another model under the name of mlp: layer 1 is relu there and flatten here"
            ),
        ] as [([String: String], String)])
    func whatMetadataSayWronglyIsRefused(metadata: [String: String], reason: String) throws {
        let folder = try TemporaryFolder()
        let path = folder / "w.safetensors"
        let weights = try Self.save(ModelSpec(name: "mine", layers: Self.layers), to: path)
        try Safetensors.write(weights.tensors, metadata: metadata, to: path)
        #expect(Self.message(path, nil).contains(reason), "\(Self.message(path, nil))")
    }
}
