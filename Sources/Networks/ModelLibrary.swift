/// The models that the program knows by name. A new one of existing layers is an entry here.
package enum ModelLibrary {
    /// All of them; the first one is the default.
    package static let all: [ModelSpec] = [
        leNet5(width: 1), leNet51998, leNet5(width: 2), leNet5(width: 4),
        ModelSpec(
            name: "mlp",
            layers: [.flatten, .linear(.count(300)), .relu, .linear(.count(100)), .relu, .linear(.classes)]),
        ModelSpec(name: "linear", layers: [.flatten, .linear(.classes)]), autoencoder(),
    ]
    /// The models that are classifiers.
    package static let classifiers = all.filter { !$0.isAutoencoder }

    /// What each is, in a sentence.
    package static func summary(_ name: String) -> String? { summaries[name] }

    private static let summaries = [
        "lenet5": "LeNet-5 as the article trained it: with batch norm, ReLU and max-pool.",
        "lenet5-1998":
            "LeNet-5 with tanh and average pooling, every plane connected to all, as LeCun et al. 1998 drew it.",
        "lenet5-wide2": "lenet5 with every hidden width doubled.",
        "lenet5-wide4": "lenet5 with every hidden width times four.",
        "mlp": "A perceptron with two hidden layers, of 300 and 100 values.",
        "linear": "A linear probe: one layer, from the samples to the classes.",
        "autoencoder": "Reconstructs its input through a code of 64 values, which embeds it.",
    ]

    /// The article's network with every hidden width times `width`.
    private static func leNet5(width: Int) -> ModelSpec {
        func block(_ planes: Int) -> [ModelSpec.Layer] {
            [.conv(out: planes * width, kernel: 5, padding: 0), .batchNorm, .relu, .maxPool(2)]
        }
        return ModelSpec(
            name: width == 1 ? "lenet5" : "lenet5-wide\(width)",
            layers: block(6) + block(16) + [
                .flatten, .linear(.count(120 * width)), .relu, .linear(.count(84 * width)), .relu, .linear(.classes),
            ], side: 32,
            modules: [
                "layer1.0", "layer1.1", "layer1.2", "layer1.3", "layer2.0", "layer2.1", "layer2.2", "layer2.3",
                "flatten",
                "fc", "relu", "fc1", "relu1", "fc2",
            ])
    }

    /// Plain tanh, average pooling without weights, full connections, and a linear layer at the end where LeCun et al.
    /// had radial basis functions.
    private static var leNet51998: ModelSpec {
        ModelSpec(
            name: "lenet5-1998",
            layers: [
                .conv(out: 6, kernel: 5, padding: 0), .tanh, .avgPool(2), .conv(out: 16, kernel: 5, padding: 0), .tanh,
                .avgPool(2), .flatten, .linear(.count(120)), .tanh, .linear(.count(84)), .tanh, .linear(.classes),
            ], side: 32)
    }

    /// The width of the autoencoder's hidden layers, and of the widest code, which must be narrower.
    package static let (hiddenWidth, widestCode) = (256, 255)

    /// The autoencoder with a code of `size` values, 1 to ``widestCode``: a linear code, between two hidden layers with ReLU.
    package static func autoencoder(size: Int = 64) -> ModelSpec {
        ModelSpec(
            name: size == 64 ? "autoencoder" : "autoencoder-\(size)",
            layers: [
                .flatten, .linear(.count(hiddenWidth)), .relu, .linear(.count(size)), .linear(.count(hiddenWidth)),
                .relu, .linear(.inputs),
            ])
    }

    /// The article's network. It differs from LeCun et al. 1998 ("Gradient-based learning applied to document
    /// recognition", section II.B) in its batch norm, ReLU and max-pool.
    package static var leNet5: ModelSpec { all[0] }

    /// Their names.
    package static var names: [String] { all.map(\.name) }

    /// The names of the classifiers as part of a sentence: "a, b or c".
    package static var choices: String {
        let names = classifiers.map(\.name)
        return names.count < 2
            ? names.joined() : names.dropLast().joined(separator: ", ") + " or \(names[names.count - 1])"
    }

    /// The names of the classifiers that take features, likewise.
    package static var featureChoices: String {
        classifiers.filter { $0.side == nil }.map(\.name).joined(separator: " or ")
    }

    /// The model of a name; nil where there is none.
    package static func model(_ name: String) -> ModelSpec? { all.first { $0.name == name } }
}
