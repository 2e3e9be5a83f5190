/// The models that the program knows by name. A new one of existing layers is an entry here.
package enum ModelLibrary {
    /// All of them; the first one is the default.
    package static let all: [ModelSpec] = [
        ModelSpec(
            name: "lenet5",
            layers: [
                .conv(out: 6, kernel: 5, padding: 0), .batchNorm, .relu, .maxPool(2),
                .conv(out: 16, kernel: 5, padding: 0), .batchNorm, .relu, .maxPool(2), .flatten,
                .linear(.count(120)), .relu, .linear(.count(84)), .relu, .linear(.classes),
            ], side: 32,
            modules: [
                "layer1.0", "layer1.1", "layer1.2", "layer1.3", "layer2.0", "layer2.1", "layer2.2", "layer2.3",
                "flatten",
                "fc", "relu", "fc1", "relu1", "fc2",
            ]),
        ModelSpec(
            name: "mlp",
            layers: [.flatten, .linear(.count(300)), .relu, .linear(.count(100)), .relu, .linear(.classes)]),
        ModelSpec(name: "linear", layers: [.flatten, .linear(.classes)]),
    ]

    /// The article's network. It differs from LeCun et al. 1998 ("Gradient-based learning applied to document
    /// recognition", section II.B) in its batch norm, ReLU and max-pool.
    package static var leNet5: ModelSpec { all[0] }

    /// Their names.
    package static var names: [String] { all.map(\.name) }

    /// Their names as part of a sentence: "a, b or c".
    package static var choices: String {
        names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " or \(names[names.count - 1])"
    }

    /// The names of those that take features, likewise.
    package static var featureChoices: String {
        all.filter { $0.side == nil }.map(\.name).joined(separator: " or ")
    }

    /// The model of a name; nil where there is none.
    package static func model(_ name: String) -> ModelSpec? { all.first { $0.name == name } }
}
