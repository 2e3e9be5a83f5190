/// A network as data: its layers in order. The extents of its input come from the samples, the number of classes from the
/// data set.
package struct ModelSpec: Hashable, Codable, Sendable {
    /// How wide a linear layer is.
    package enum Width: Hashable, Sendable {
        /// So many values.
        case count(Int)
        /// One value per class of the data set: the logits.
        case classes
        /// One value per value of a sample: its reconstruction.
        case inputs
    }

    /// A layer.
    package enum Layer: Hashable, Sendable {
        /// A convolution of stride 1 with square kernels, to `out` planes.
        case conv(out: Int, kernel: Int, padding: Int)
        /// Batch norm per channel (Ioffe & Szegedy 2015).
        case batchNorm
        /// max(value, 0).
        case relu
        /// The hyperbolic tangent.
        case tanh
        /// Maximum over squares of this side, side by side.
        case maxPool(Int)
        /// Mean over squares of this side, side by side.
        case avgPool(Int)
        /// All values of a sample in a row.
        case flatten
        /// A linear layer with biases.
        case linear(Width)
    }

    /// The most layers of a model.
    package static let mostLayers = 200
    /// Accepted sides of images that samples are resized to.
    package static let imageSides = 1...1024

    /// What it is called on the command line, in studies and in weights files.
    package var name: String
    package var layers: [Layer]
    /// The side that samples are resized to; nil for a model that takes them as they are.
    package var side: Int?
    /// The name of each layer's module in PyTorch, where it has one; nil for an nn.Sequential, which numbers them.
    package var modules: [String]?

    /// A network of these layers.
    package init(name: String, layers: [Layer], side: Int? = nil, modules: [String]? = nil) {
        self.name = name
        self.layers = layers
        self.side = side
        self.modules = modules
    }

    /// The number of classes that its last layer has room for; nil where that is the data set's.
    package var fixedClasses: Int? {
        guard case .linear(.count(let count)) = layers.last else { return nil }
        return count
    }

    /// The model in a sentence about weights.
    var networkName: String { self == ModelLibrary.leNet5 ? NetworkError.leNet5 : "the model \(name)" }

    /// PyTorch's name of layer number `index`.
    func module(_ index: Int) -> String {
        guard let modules, modules.indices.contains(index) else { return "\(index)" }
        return modules[index]
    }
}

extension ModelSpec.Width {
    /// The width that a word in a model's file means; nil for an unknown word.
    package init?(word: String) {
        switch word {
        case "classes": self = .classes
        case "inputs": self = .inputs
        default: return nil
        }
    }
}

extension ModelSpec.Layer: CustomStringConvertible {
    /// The word for it in a model's file.
    package var description: String {
        switch self {
        case .conv: "conv"
        case .batchNorm: "batch_norm"
        case .relu: "relu"
        case .tanh: "tanh"
        case .maxPool: "max_pool"
        case .avgPool: "avg_pool"
        case .flatten: "flatten"
        case .linear: "linear"
        }
    }
}

// What is larger than any of these is no network that can be trained, and products of them stay within 64 bits.
extension ModelSpec.Layer {
    /// Accepted planes of a convolution.
    package static let planes = 1...65_536
    /// Accepted sides of kernels and pools.
    package static let sides = 1...255
    /// Accepted rows of zeros around a convolution's input.
    package static let paddings = 0...255
    /// Accepted values of a linear layer.
    package static let widths = 1...1_048_576
}

/// `relu`, or `linear: 300`, or `conv: {out: 6, kernel: 5, padding: 0}`.
extension ModelSpec.Layer: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ word: String) { stringValue = word }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    private struct Convolution: Codable {
        var out: Int
        var kernel: Int
        var padding: Int?
    }

    /// The words for layers, those that take a value first.
    package static let words = valuedWords + plainWords
    /// `linear: 300`
    package static let valuedWords = ["conv", "max_pool", "avg_pool", "linear"]
    /// `relu`
    package static let plainWords = ["batch_norm", "relu", "tanh", "flatten"]
    /// ``words`` as part of a sentence.
    private static var known: String {
        "\(words.dropLast().joined(separator: ", ")) and \(words[words.count - 1]) are known"
    }

    /// The layer of a word without a value; nil for another word.
    package init?(word: String) {
        switch word {
        case "batch_norm": self = .batchNorm
        case "relu": self = .relu
        case "tanh": self = .tanh
        case "flatten": self = .flatten
        default: return nil
        }
    }

    package init(from decoder: any Decoder) throws {
        if let word = try? decoder.singleValueContainer().decode(String.self) {
            guard let layer = Self(word: word) else {
                throw Self.fault(decoder, "'\(word)' is no layer without a value; \(Self.known)")
            }
            self = layer
            return
        }
        let container = try decoder.container(keyedBy: Key.self)
        guard let key = container.allKeys.first, container.allKeys.count == 1 else {
            throw Self.fault(decoder, "a layer is one word or one key with its value; \(Self.known)")
        }
        switch key.stringValue {
        case "conv":
            let convolution = try container.decode(Convolution.self, forKey: key)
            let padding = convolution.padding ?? 0
            guard Self.planes.contains(convolution.out), Self.sides.contains(convolution.kernel),
                Self.paddings.contains(padding)
            else {
                throw Self.fault(
                    decoder,
                    "conv needs out of 1 to \(Self.planes.upperBound), kernel of 1 to \(Self.sides.upperBound), and padding "
                        + "of 0 to \(Self.paddings.upperBound)")
            }
            self = .conv(out: convolution.out, kernel: convolution.kernel, padding: padding)
        case "max_pool": self = .maxPool(try Self.number(container, key, decoder, in: Self.sides))
        case "avg_pool": self = .avgPool(try Self.number(container, key, decoder, in: Self.sides))
        case "linear":
            if let word = try? container.decode(String.self, forKey: key) {
                guard let width = ModelSpec.Width(word: word) else {
                    throw Self.fault(
                        decoder, "linear is '\(word)'; a number of values, classes or inputs is needed")
                }
                self = .linear(width)
            } else {
                self = .linear(.count(try Self.number(container, key, decoder, in: Self.widths)))
            }
        default: throw Self.fault(decoder, "unknown layer '\(key.stringValue)'; \(Self.known)")
        }
    }

    private static func number(
        _ container: KeyedDecodingContainer<Key>, _ key: Key, _ decoder: any Decoder, in accepted: ClosedRange<Int>
    ) throws -> Int {
        let value = try container.decode(Int.self, forKey: key)
        guard accepted.contains(value) else {
            throw fault(
                decoder,
                "\(key.stringValue) is \(value); a whole number of \(accepted.lowerBound) to \(accepted.upperBound) is needed"
            )
        }
        return value
    }

    private static func fault(_ decoder: any Decoder, _ reason: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: reason))
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .batchNorm, .relu, .tanh, .flatten:
            var container = encoder.singleValueContainer()
            try container.encode(description)
        case .conv(let out, let kernel, let padding):
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(
                Convolution(out: out, kernel: kernel, padding: padding), forKey: Key(description))
        case .maxPool(let value), .avgPool(let value), .linear(.count(let value)):
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(value, forKey: Key(description))
        case .linear(.classes), .linear(.inputs):
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(self == .linear(.classes) ? "classes" : "inputs", forKey: Key(description))
        }
    }
}
