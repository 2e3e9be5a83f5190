import Datasets
import Support

/// A model over samples of one shape, layer by layer.
package struct ModelDescription: Sendable {
    /// A layer.
    package struct Layer: Sendable {
        /// What it is.
        package let spec: ModelSpec.Layer
        /// What it takes.
        package let input: SampleShape
        /// What it gives.
        package let output: SampleShape
        /// Its weights and biases.
        package let parameters: Int
        /// Its name in PyTorch.
        fileprivate let name: String
        /// Whether its values are those of a vector, which PyTorch keeps in two dimensions.
        fileprivate let isVector: Bool
    }

    /// The model.
    package let model: ModelSpec
    /// The samples, in the size that it takes.
    package let input: SampleShape
    /// The number of logits; 0 for an autoencoder.
    package let classes: Int
    /// The layers in order.
    package let layers: [Layer]
    /// Whether the fused kernels train it.
    package let isFused: Bool
    /// All weights and biases.
    package var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }

    /// The description of `model` over samples of the shape `samples`.
    /// - Throws: ``NetworkError/invalid(reason:)`` as ``ParameterLayout/init(_:samples:classes:)``.
    package init(_ model: ModelSpec, samples: SampleShape, classes: Int) throws(NetworkError) {
        let layout = try ParameterLayout(model, samples: samples, classes: classes)
        self.model = model
        input = samples
        self.classes = layout.classes
        isFused = layout.isFused
        var isVector = Self.isVector(layout.input)
        layers = layout.modules.map { module in
            switch module.layer {
            case .flatten, .linear: isVector = true
            case .conv, .maxPool, .avgPool: isVector = false
            case .batchNorm, .relu, .tanh: break
            }
            let slots = layout.slots.filter { $0.name == "\(module.name).weight" || $0.name == "\(module.name).bias" }
            return Layer(
                spec: module.layer, input: module.input, output: module.output,
                parameters: slots.reduce(0) { $0 + $1.shape.reduce(1, *) }, name: module.name, isVector: isVector)
        }
    }

    private static func isVector(_ shape: SampleShape) -> Bool { shape.channels == 1 && shape.height == 1 }

    /// A shape for people: `6x14x14`, or `120` for a vector.
    package static func text(_ shape: SampleShape) -> String { isVector(shape) ? "\(shape.width)" : "\(shape)" }

    /// What it is, in a line: "lenet5: 1x32x32 images, 10 classes, 61750 parameters".
    private var title: String {
        "\(model.name): \(Self.text(input)) \(Self.isVector(input) ? "values" : "images"), "
            + (model.isAutoencoder ? "reconstructed" : "\(classes) classes") + ", \(parameters) parameters"
    }
}

// MARK: - A model's file

extension ModelSpec.Layer {
    /// The layer as a model's file has it: `linear: 300`.
    package var yaml: String {
        switch self {
        case .batchNorm, .relu, .tanh, .flatten: description
        case .maxPool(let side), .avgPool(let side): "\(description): \(side)"
        case .linear(.classes): "\(description): classes"
        case .linear(.inputs): "\(description): inputs"
        case .linear(.count(let count)): "\(description): \(count)"
        case .conv(let out, let kernel, let padding):
            "\(description): {out: \(out), kernel: \(kernel)\(padding == 0 ? "" : ", padding: \(padding)")}"
        }
    }
}

extension ModelDescription {
    /// The name, in quotes where it would be something else without them.
    private var quotedName: String { YAMLText.isPlain(model.name) ? model.name : "\"\(model.name)\"" }

    /// The model as a file, with what each layer gives and its parameters in comments.
    package var yaml: String {
        let lines = layers.map { "  - \($0.spec.yaml)" }
        let width = lines.map(\.count).max() ?? 0
        var text = "# \(title), trained by the \(isFused ? "fused" : "layered") network\nname: \(quotedName)\n"
        if let side = model.side { text += "side: \(side)  # images are resized to \(side)x\(side)\n" }
        text += "layers:\n"
        for (line, layer) in zip(lines, layers) {
            text += line + String(repeating: " ", count: width - line.count) + "  # \(Self.text(layer.output))"
            text += layer.parameters > 0 ? ", \(layer.parameters) parameters\n" : "\n"
        }
        return text
    }
}

// MARK: - PyTorch

extension ModelDescription {
    /// A module of PyTorch that computes the same and has the tensors of a weights file under the same names: Python source.
    package var pyTorch: String {
        """
        # \(title)
        #
        #     model.load_state_dict(safetensors.torch.load_file("weights.safetensors"))
        #
        \(usage)
        from torch import nn


        \(model.modules == nil ? sequential : module)


        model = Model()

        """
    }

    /// Comments on the module's input and the position of an autoencoder's code.
    private var usage: String {
        guard model.isAutoencoder else {
            return """
                # It takes \(samples): (value - mean) / std, with the mean and std of the file's metadata;
                # of bytes, value is byte / 255.
                """
        }
        var text = """
            # It takes \(samples): of bytes, byte / 255; other values as they were trained on.
            # The mean and std in the file's metadata are 0 and 1: they change nothing.
            """
        if let code = try? model.embeddingLayer() {
            let values = code.size == 1 ? "1 value" : "\(code.size) values"
            text += "\n# nn.Sequential(*list(model)[:\(code.layers)])(x) is the code of x, \(values)."
        }
        return text
    }

    private var samples: String {
        Self.isVector(input) ? "[batch, \(input.width)]" : "[batch, \(input.channels), \(input.height), \(input.width)]"
    }

    private var sequential: String {
        """
        class Model(nn.Sequential):
            def __init__(self):
                super().__init__(
        \(layers.map { "            \($0.pyTorch),\n" }.joined())        )
        """
    }

    /// Layers whose names have a common part before the point are a Sequential of that name.
    private var module: String {
        var parts: [(name: String, layers: [Layer], isList: Bool)] = []
        for layer in layers {
            let words = layer.name.split(separator: ".", maxSplits: 1).map(String.init)
            if words.count > 1, parts.last?.name == words[0] {
                parts[parts.count - 1].layers.append(layer)
            } else {
                parts.append((words[0], [layer], words.count > 1))
            }
        }
        let fields = parts.map { part in
            let list = part.layers.map(\.pyTorch).joined(separator: ", ")
            return "        self.\(part.name) = \(part.isList ? "nn.Sequential(\(list))" : list)\n"
        }
        let calls = parts.map { "        x = self.\($0.name)(x)\n" }
        return """
            class Model(nn.Module):
                def __init__(self):
                    super().__init__()
            \(fields.joined())
                def forward(self, x):
            \(calls.joined())        return x
            """
    }
}

extension ModelDescription.Layer {
    fileprivate var pyTorch: String {
        switch spec {
        case .conv(let out, let kernel, let padding):
            "nn.Conv2d(\(input.channels), \(out), \(kernel)\(padding == 0 ? "" : ", padding=\(padding)"))"
        case .batchNorm: isVector ? "nn.BatchNorm1d(\(input.width))" : "nn.BatchNorm2d(\(input.channels))"
        case .relu: "nn.ReLU()"
        case .tanh: "nn.Tanh()"
        case .maxPool(let side): "nn.MaxPool2d(\(side))"
        case .avgPool(let side): "nn.AvgPool2d(\(side))"
        case .flatten: "nn.Flatten()"
        case .linear: "nn.Linear(\(input.width), \(output.width))"
        }
    }
}
